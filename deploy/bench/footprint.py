"""Memory and processor time of whole process trees, as the kernel counts them (Linux)."""

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
TICKS: Final = os.sysconf("SC_CLK_TCK")
SAMPLE_S: Final = 1.0
CAN_MEASURE: Final = PROC.joinpath("self/smaps_rollup").exists()
KIB: Final = 1024


@dataclass(frozen=True, slots=True)
class Footprint:
    """What one tree takes: MB of proportional set size, and percent of one core."""

    mb: float
    cpu: float


def look(roots: Mapping[str, int], *, for_s: float) -> dict[str, Footprint]:
    """Watch the trees below `roots` for a while; one that hangs below another counts for itself.

    Memory is the highest sum seen, proportional (PSS): a page that several processes share counts
    once in all. Processor time includes descendants that have ended meanwhile.
    """
    others = frozenset(roots.values())
    began, before = time.monotonic(), {name: _ticks(pid, others) for name, pid in roots.items()}
    most = dict.fromkeys(roots, 0.0)
    while True:
        for name, pid in roots.items():
            most[name] = max(most[name], _mb(pid, others))
        if time.monotonic() - began >= for_s:
            break
        time.sleep(SAMPLE_S)
    took = time.monotonic() - began
    return {
        name: Footprint(most[name], 100 * (_ticks(pid, others) - before[name]) / TICKS / took)
        for name, pid in roots.items()
    }


def _mb(root: int, others: frozenset[int]) -> float:
    return sum(_pss_kib(pid) for pid in tree(root, others)) * KIB / 1e6


def _pss_kib(pid: int) -> int:
    """Return the proportional set size of a process; 0 when it has just ended."""
    try:
        text = PROC.joinpath(str(pid), "smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    for line in text.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    return 0


def tree(root: int, others: frozenset[int]) -> list[int]:
    """Return a process and all its descendants, without the trees of others."""
    found = [root]
    of: dict[int, list[int]] = {}
    for pid in _all_pids():
        fields = _stat(pid)
        if fields and pid not in others:
            of.setdefault(int(fields[1]), []).append(pid)
    for one in found:
        found += of.get(one, [])
    return found


def _all_pids() -> Iterable[int]:
    return (int(path.name) for path in PROC.iterdir() if path.name.isdecimal())


def cpu_ms(root: int, others: frozenset[int]) -> float:
    """Return the processor time that a tree has used so far."""
    return 1000 * _ticks(root, others) / TICKS


def _ticks(root: int, others: frozenset[int]) -> int:
    """Return user and system time of a tree, with what its processes have reaped."""
    return sum(sum(int(part) for part in _stat(pid)[11:15]) for pid in tree(root, others))


def _stat(pid: int) -> list[str]:
    """Return the fields of /proc/PID/stat from the state on; none when it has just ended."""
    try:
        text = PROC.joinpath(str(pid), "stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return text.rpartition(")")[2].split()
