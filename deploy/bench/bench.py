"""`make bench`: the numbers of the product, ours beside a plain baseline, in one run.

`make bench ARGS="--quick"` takes fewer samples; names of measurements choose some of them. The
table goes to standard output, progress to standard error. Numbers are compared with their targets,
but a missed target fails no run: a loaded machine is no defect. A measurement that breaks does.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import running
from rows import Row, from_json, say, table
from stage import Interrupted, Stage, end, on_leash, on_signals, prepare, product, stage

from console.local.errors import CannotStart  # found by the import of `stage`

HERE: Final = Path(__file__).parent
SCRIPT_S: Final = 600.0
# As the table has them.
NAMES: Final = (
    "checkpoint", "audit", "hostile", "bundle", "vote", "sessions", "ballot", "queue", "replay",
    "stop", "memory", "start",
    "search",
)  # fmt: skip
SERVED: Final = ("start", "memory", "vote", "sessions")  # with the product running
# On the database alone.
LONG: Final = {"search": 12 * 3600.0}  # ten million entries take their time to make
ALONE: Final = (
    "checkpoint", "stop", "audit", "bundle", "ballot", "queue", "replay", "hostile", "search",
)  # fmt: skip
SCRIPTS: Final = {
    "checkpoint": "checkpoint.py",
    "audit": "audit_append.py",
    "hostile": "audit_hostile.py",
    "search": "audit_search.py",
    "bundle": "verify_bundle.py",
    "stop": "stop_latency.py",
    "queue": "queue_page.py",
    "ballot": "vote_command.py",
    "replay": "policy_replay.py",
    "vote": "vote_screen.py",
    "sessions": "sessions.py",
}
BROKEN: Final = "broken; what it said stands above"


def main() -> None:
    asked = _arguments()
    names = set(asked.names or NAMES)
    on_signals()
    began = time.monotonic()
    found: dict[str, list[Row]] = {}
    try:
        with stage() as at:
            # One after the other, so what was measured before an interrupt is shown too.
            found.update(_measured(at, names, asked))
    except Interrupted:
        say("Interrupted; everything that was started has ended.")
        sys.exit(130)
    except CannotStart as refused:
        sys.exit(f"Cannot start: {refused}")
    finally:
        rows = [row for name in NAMES for row in found.get(name, ())]
        _show(rows, time.monotonic() - began)
    sys.exit(any(row.ours == BROKEN for row in rows))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.py", description="Measure; see deploy/README.md.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="fewer samples, about a minute")
    parser.add_argument("--calls", type=int, help="how many past calls `replay` looks at")
    asked = parser.parse_args()
    unknown = set(asked.names) - set(NAMES)
    if unknown:
        parser.error(f"there is no measurement {', '.join(sorted(unknown))}")
    return asked


def _show(rows: list[Row], took_s: float) -> None:
    if not rows:
        return
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    print(table(rows))
    print(f"\n{os.cpu_count()} cores, load average {load} at the end, {took_s:.0f} s", flush=True)


def _measured(
    at: Stage, names: set[str], asked: argparse.Namespace
) -> Iterator[tuple[str, list[Row]]]:
    """Measure the product first: later the trail is full of what `audit` wrote."""
    more = {"replay": ["--calls", str(asked.calls)]} if asked.calls else {}
    with at.found.servers:
        prepare(at)
    if not names.isdisjoint(SERVED):
        yield from _measured_served(at, names, quick=asked.quick)
    if not names.isdisjoint(ALONE):
        with at.found.servers:
            at.refresh()
            for name in ALONE:
                if name in names:
                    yield name, _script(at, name, *more.get(name, ()), quick=asked.quick)


def _measured_served(at: Stage, names: set[str], *, quick: bool) -> Iterator[tuple[str, list[Row]]]:
    watch_s = 5.0 if quick else 20.0
    beside = running.plain(at, watch_s=watch_s) if names & {"start", "memory"} else None
    starts = [] if quick or "start" not in names else [_started(at), _started(at)]
    with product(at) as served:
        if beside is not None and "start" in names:
            yield "start", [running.start_row([*starts, served.took_s], beside.started_s)]
        if beside is not None and "memory" in names:
            say("Measuring memory.")
            yield "memory", list(running.memory_rows(at, served, beside, watch_s=watch_s))
        for name in ("vote", "sessions"):
            if name in names:
                yield name, _script(at, name, "--url", served.url, quick=quick)


def _started(at: Stage) -> float:
    with product(at) as served:
        say(f"start: first page after {served.took_s:.1f} s")
    return served.took_s


def _script(at: Stage, name: str, *more: str, quick: bool) -> list[Row]:
    """Run one measurement as a program of its own; what it says on the way is passed through."""
    say(f"Measuring {name}.")
    options = [*more, "--json", *(["--quick"] if quick else [])]
    # Each script has connections of its own; a pool would only be in their way.
    variables = {**at.variables, "SIGNALBOX_POOL_SIZE": "0", "SIGNALBOX_LOG_LEVEL": "ERROR"}
    process = subprocess.Popen(
        on_leash(str(HERE / SCRIPTS[name]), *options),
        stdout=subprocess.PIPE,
        env=variables,
        start_new_session=True,
    )
    output = b""
    try:
        with suppress(subprocess.TimeoutExpired):
            output, _ = process.communicate(timeout=LONG.get(name, SCRIPT_S))
    finally:
        end(process)
    if process.returncode:
        return [Row(measurement=name, ours=BROKEN, met=False)]
    return from_json(output.decode())


if __name__ == "__main__":
    main()
