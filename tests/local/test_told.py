"""Being told to end, whatever the main thread does just then."""

import signal
import sys
import time
from types import FrameType
from typing import Any

from console.local import told
from console.local.told import Told


class TestTold:
    def test_hears_a_signal_at_every_line_of_its_wait(self) -> None:
        ending, before = Told(), signal.getsignal(signal.SIGUSR1)
        heard: list[int] = []

        def at_each_line(frame: FrameType, event: str, _argument: object) -> Any:
            if event == "line" and frame.f_code.co_filename == told.__file__:
                heard.append(frame.f_lineno)
                signal.raise_signal(signal.SIGUSR1)
            return at_each_line

        ending.listen(signal.SIGUSR1)
        was = sys.gettrace()
        sys.settrace(at_each_line)
        try:
            answer = ending.wait(5)
        finally:
            sys.settrace(was)
            signal.signal(signal.SIGUSR1, before)

        assert answer
        assert heard
        assert ending.by == "SIGUSR1"

    def test_waits_no_longer_than_it_is_asked_to(self) -> None:
        began = time.monotonic()

        assert not Told().wait(0.06)

        assert time.monotonic() - began >= 0.06
