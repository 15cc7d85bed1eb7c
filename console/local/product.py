"""What the product is made of, as commands; everything else here only knows how to run them."""

import sys
from collections.abc import Callable
from dataclasses import dataclass

from console.local.children import Program

PYTHON = sys.executable
WEB = (PYTHON, "-m", "uvicorn", "console.asgi:application", "--no-access-log")
WORKER = (PYTHON, "-m", "celery", "-A", "console.celery", "worker", "-P", "threads", "-c", "16")


@dataclass(frozen=True, slots=True)
class Product:
    """The programs that run for ever, and the command that prepares the database for them."""

    programs: Callable[[int], list[Program]]
    manage: tuple[str, ...]


def _programs(handle: int) -> list[Program]:
    """Name the programs; `handle` is the listening socket that the web process answers on."""
    return [
        Program("web", (*WEB, "--fd", str(handle), "--timeout-graceful-shutdown", "5"), (handle,)),
        Program("worker", (*WORKER, "--without-gossip", "--without-mingle")),
        Program("pulse", (PYTHON, "manage.py", "pulse")),
        # `manage.py signer` without Django's apps: the process with the key loads nothing else.
        Program("signer", (PYTHON, "-m", "audit.signing")),
    ]


SIGNALBOX = Product(_programs, (PYTHON, "manage.py"))
