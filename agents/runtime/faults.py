"""Named points between the transactions of a step, where an observer may look or kill.

The list is empty in production. The crash tests put an observer there that ends the process with
SIGKILL, so that what is tested is the engine itself and not a copy of it.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Final


class Point(StrEnum):
    """P1 to P6 of the design, in the order in which a step passes them."""

    P1 = "before the model is asked"
    P2 = "before the answer is committed"
    P3 = "after the answer is committed"
    P4 = "after the mark, before the effect"
    P5 = "after the effect, before the result is stored"
    P6 = "after the result is stored"


observers: Final[list[Callable[[Point], None]]] = []


def reached(point: Point) -> None:
    """Tell every observer that this run got here."""
    for observer in observers:
        observer(point)
