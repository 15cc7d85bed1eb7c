"""A process that loads the product once and forks one that can be killed, each time it is told to.

python -m tests.crashes.processes SOCKET: each line of standard input is JSON, the name of a job and
what it takes. The fork does the job; when it is gone, its exit status is one line on the output.
Loading the product takes longer than everything that a crash test does with it.
"""

import gc
import json
import os
import socket
import sys
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

import uvicorn
from django.urls import get_resolver

from console.asgi import application  # sets Django up
from tests.crashes import worker
from tests.crashes.killing import Killer, Point

# Without its life span: a process that is killed would stay listed as one that hears of stops.
WEB: Final = uvicorn.Config(application, lifespan="off", log_level="critical", limit_max_requests=1)


def serve(listener: socket.socket, *, point: Point, since: str) -> None:
    """Answer one request as the web process, unless that is its end."""
    Killer(point, since).watch()
    uvicorn.Server(WEB).run(sockets=[listener])


def advance(_listener: socket.socket, *, tenant: str, run: str, **other: Any) -> None:
    """Advance a run as a worker does."""
    worker.work(UUID(tenant), UUID(run), **other)


def replay(_listener: socket.socket, *, tenant: str, replay: str, **other: Any) -> None:
    """Ask a policy about past calls as a worker does."""
    worker.ask(UUID(tenant), UUID(replay), **other)


def duty(_listener: socket.socket, *, tenant: str, proposal: str, **other: Any) -> None:
    """Do what pulse and the runtime do for proposals."""
    worker.do(UUID(tenant), UUID(proposal), **other)


JOBS: Final[dict[str, Callable[..., None]]] = {
    "serve": serve,
    "advance": advance,
    "replay": replay,
    "duty": duty,
}


def main(handle: int) -> None:
    listener = socket.socket(fileno=handle)
    WEB.load()
    get_resolver().url_patterns  # noqa: B018 - loads every view, once for all forks
    gc.freeze()
    for line in sys.stdin:
        job, values = json.loads(line)
        child = os.fork()
        if child == 0:
            JOBS[job](listener, **values)
            sys.stderr.flush()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(int(sys.argv[1]))
