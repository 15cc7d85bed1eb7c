"""The one row format of all measurements, and the table that they end in."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

HEAD: Final = ("measurement", "ours", "plain baseline", "target", "met")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: what we took, and what the plain way took beside it."""

    measurement: str
    ours: str
    plain: str = "-"
    target: str = "-"
    met: bool | None = None  # None: there is no target, or nothing was measured

    def cells(self) -> tuple[str, ...]:
        met = "-" if self.met is None else "yes" if self.met else "no"
        return (self.measurement, self.ours, self.plain, self.target, met)


def table(rows: Sequence[Row]) -> str:
    """Return the rows under their head, each column as wide as its longest cell."""
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join(
        " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def quantile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of all values does not exceed."""
    ordered = sorted(values)
    place = -int(-len(ordered) * share // 1)  # rounded up
    return ordered[min(len(ordered), max(1, place)) - 1]


def say(text: str) -> None:
    """Tell how far it is; the table alone goes to standard output."""
    print(text, file=sys.stderr, flush=True)


def script(
    measure: Callable[[argparse.Namespace], list[Row]],
    *options: str,
    numbers: Sequence[str] = (),
) -> None:
    """Run one measurement as a program: a table for people, JSON for bench.py.

    Args:
        options: names of further arguments that it needs.
        numbers: names of arguments that are whole numbers and may be missing.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="fewer samples")
    parser.add_argument("--json", action="store_true", help="for programs")
    for name in options:
        parser.add_argument(f"--{name}", required=True)
    for name in numbers:
        parser.add_argument(f"--{name}", type=int)
    asked = parser.parse_args()
    try:
        rows = measure(asked)
    except KeyboardInterrupt:
        sys.exit(130)
    print(json.dumps([asdict(row) for row in rows]) if asked.json else table(rows))


def from_json(text: str) -> list[Row]:
    found: list[dict[str, Any]] = json.loads(text)
    return [Row(**one) for one in found]
