"""Processes by identity: a pid alone may belong to somebody else after a crash or a restart."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from console.local.accounts import RunAs

PROC = Path("/proc")
POLL_S = 0.02


# What we started and may not forget: a forgotten child is never collected when it ends.
_launched: "list[subprocess.Popen[bytes]]" = []


@dataclass(frozen=True, slots=True)
class Identity:
    """One process, told apart from a later one with the same number by when it began."""

    pid: int
    began: str

    def is_alive(self) -> bool:
        return began(self.pid) == self.began

    def send(self, number: signal.Signals) -> None:
        """Signal the process, if it is still the same one."""
        if not self.is_alive():
            return
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            return

    def send_group(self, number: signal.Signals) -> None:
        """Signal the process and its descendants, when it leads a group of its own."""
        if not self.is_alive():
            return
        try:
            if os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)
        except ProcessLookupError:
            return


def identify(pid: int) -> Identity | None:
    when = began(pid)
    return Identity(pid, when) if when else None


def launch(command: list[str | Path], *, log: Path, run_as: RunAs) -> "subprocess.Popen[bytes]":
    """Start a server that may outlive us, in a session of its own so that Ctrl-C passes it by.

    It gets nothing of our environment: PG* variables would change it, and our secrets are none of
    its business.
    """
    _launched[:] = [one for one in _launched if one.poll() is None]
    with log.open("ab") as file:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            cwd="/",
            env=clean_environment(),
            umask=0o077,
            start_new_session=True,
            **run_as,
        )
    _launched.append(process)
    return process


def clean_environment() -> dict[str, str]:
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}


def began(pid: int) -> str:
    """Say when a process began, in words that differ across reboots; "" when it is gone."""
    if not PROC.joinpath("self/stat").exists():
        return _ask_ps(pid, "lstart=")
    try:
        text = PROC.joinpath(str(pid), "stat").read_text(errors="replace")
    except OSError:
        return ""
    # The name is in brackets and may hold blanks and brackets itself: count from the last one.
    fields = text.rpartition(")")[2].split()
    if fields[0] in "ZX":
        return ""
    return f"{_boot()} {fields[19]}"


def command_of(pid: int) -> str:
    """Return the command line of a process, "" when it is gone."""
    if not PROC.joinpath("self/stat").exists():
        return _ask_ps(pid, "command=")
    try:
        raw = PROC.joinpath(str(pid), "cmdline").read_bytes()
    except OSError:
        return ""
    return raw.replace(b"\0", b" ").decode(errors="replace")


def end(who: Identity, *signals: signal.Signals, patience_s: float, group: bool = False) -> bool:
    """Send each signal in turn, waiting `patience_s` after each; True when it is gone."""
    for number in signals:
        if group:
            who.send_group(number)
        else:
            who.send(number)
        if until(lambda: not who.is_alive(), timeout_s=patience_s):
            break
    _launched[:] = [one for one in _launched if one.poll() is None]
    return not who.is_alive()


def until(condition: Callable[[], bool], *, timeout_s: float) -> bool:
    """Look again and again until the condition holds; False when the time is over first."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= deadline:
            return condition()
        time.sleep(POLL_S)
    return True


def _boot() -> str:
    try:
        return PROC.joinpath("sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _ask_ps(pid: int, field: str) -> str:
    found = subprocess.run(
        ["ps", "-o", field, "-p", str(pid)],  # noqa: S607
        check=False,
        capture_output=True,
        text=True,
    )
    return found.stdout.strip()
