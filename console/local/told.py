"""Being told to end by a signal."""

import signal
import time
from types import FrameType
from typing import Final

LOOK_S: Final = 0.05


class Told:
    """Whether somebody told this process to end; like an event, but safe to set in a handler.

    A handler runs in the middle of whatever the main thread does. `Event.set` takes a lock that
    `Event.wait` of the same thread may hold just then, and waits for itself for ever.
    """

    def __init__(self) -> None:
        self._told = False
        self.by = ""  # the signal's name

    def listen(self, *numbers: signal.Signals) -> None:
        """Set it when one of these signals comes."""
        for number in numbers:
            signal.signal(number, self._hear)

    def set(self) -> None:
        self._told = True

    def is_set(self) -> bool:
        return self._told

    def wait(self, most_s: float) -> bool:
        """Wait until it is set, at most so long; returns whether it is."""
        until = time.monotonic() + most_s
        while not self._told and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, LOOK_S))
        return self._told

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        self.by = signal.Signals(number).name
        self.set()
