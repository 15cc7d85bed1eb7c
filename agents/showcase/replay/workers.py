"""Sharing a replay among processes, each with a tenant of its own.

Nothing of Django is imported at the top: a spawned process imports this file before its set-up.
"""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import TYPE_CHECKING

from agents.showcase.replay.tasks import Task

if TYPE_CHECKING:
    from agents.showcase.replay.report import Report


def replay(tasks: tuple[Task, ...], *, workers: int, told: Callable[[str], None]) -> "Report":
    """Replay all tasks in this process and `workers` - 1 others; returns one tally.

    Args:
        told: gets one line for each expectation that does not hold.
    """
    shares = [share for start in range(workers) if (share := tasks[start::workers])]
    if len(shares) == 1:
        return _share(shares[0], told)
    # Spawned, not forked: a fork would share database connections and the pool's threads.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(len(shares) - 1, mp_context=context, initializer=_boot) as pool:
        others = [pool.submit(_quiet_share, share) for share in shares[1:]]
        whole = _share(shares[0], told)
        for other in others:
            part = other.result()
            for failure in part.failures:
                told(failure)
            whole = whole.plus(part)
    return whole


def _boot() -> None:
    import django  # noqa: PLC0415 - only in a new process

    django.setup()


def _share(tasks: tuple[Task, ...], told: Callable[[str], None]) -> "Report":
    from agents.showcase.replay import report, stage  # noqa: PLC0415 - needs Django's set-up

    return report.replay(stage.set_up(), tasks, told=told)


def _quiet_share(tasks: tuple[Task, ...]) -> "Report":
    return _share(tasks, lambda _line: None)
