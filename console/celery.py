"""The Celery application; tasks live in the `tasks.py` of the apps."""

import os
from typing import Any

from celery import Celery
from celery.signals import setup_logging, worker_init, worker_ready, worker_shutdown

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")

app = Celery("signalbox")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.set_default()  # the relay sends from a thread of its own


@setup_logging.connect
def keep_our_logging(**_kwargs: Any) -> None:
    """Settings have configured logging already; Celery must not do it again."""


@worker_init.connect
def refuse_what_is_unsound(**_kwargs: Any) -> None:
    """Take no work where a system check says that this must not run."""
    from console.kernel.checks import require_sound  # noqa: PLC0415 - the apps are loaded by then

    require_sound()


@worker_ready.connect
def say_that_a_worker_lives(**_kwargs: Any) -> None:
    """Confirm stops from this process; the threads pool is one process."""
    from agents.controls import acknowledge  # noqa: PLC0415 - the apps are loaded by then

    acknowledge.start("worker")


@worker_shutdown.connect
def say_that_a_worker_ends(**_kwargs: Any) -> None:
    from agents.controls import acknowledge  # noqa: PLC0415 - the apps are loaded by then

    acknowledge.finish()
