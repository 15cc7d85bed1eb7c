"""The plain baseline for memory and start: an empty Django, an empty Celery, an idle loop.

`python plain.py web PORT | worker | pulse`: the same three programs as the product has, made of the
same packages, with one page, no apps, no models and nothing to do. They connect to the same Redis.
"""

import os
import sys
import threading

from celery import Celery
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path


def page(_request: HttpRequest) -> HttpResponse:
    return HttpResponse("<!doctype html><title>Plain</title><p>Nothing here.")


urlpatterns = [path("sign-in/", page)]


def configure() -> None:
    settings.configure(
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["localhost"],
        SECRET_KEY="nothing is signed",  # noqa: S106 - nothing is signed
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql"}},
    )


def web(port: int) -> None:
    import uvicorn  # noqa: PLC0415 - the other two do not need it

    uvicorn.run(get_asgi_application(), host="127.0.0.1", port=port, log_level="warning")


def worker() -> None:
    import django  # noqa: PLC0415 - as any worker of a Django project does

    django.setup()
    app = Celery("plain", broker=os.environ["REDIS_URL"])
    app.conf.update(
        task_default_queue=f"plain-{os.getpid()}", broker_connection_retry_on_startup=True
    )
    app.worker_main(["worker", "-P", "threads", "-c", "16", "--without-gossip", "-l", "WARNING"])


def pulse() -> None:
    import django  # noqa: PLC0415 - as above

    django.setup()
    threading.Event().wait()


def main(what: str, *arguments: str) -> None:
    configure()
    match what:
        case "web":
            web(int(arguments[0]))
        case "worker":
            worker()
        case _:
            pulse()


if __name__ == "__main__":
    main(*sys.argv[1:])
