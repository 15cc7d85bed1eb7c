"""The embedded PostgreSQL: made once, started, adopted when it still runs, stopped.

The kernel tells who connects (`peer`), so there are no passwords that could leak or be lost:
whoever runs Signalbox may log in as its roles; nobody else gets past the folder of the socket.
"""

import shutil
import signal
import subprocess
from pathlib import Path
from urllib.parse import quote

from console.local import accounts, processes, wheels
from console.local.errors import CannotStart
from console.local.places import SOCKET_NAME, Place, write
from console.local.processes import Identity

OWNER = "postgres"
DATABASE = "signalbox"
ROLES = (OWNER, "signalbox_app", "signalbox_sealer", "signalbox_signer")
START_S = 60.0
STOP_S = 15.0
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] %q%u@%d ",
}
PID_LINE, SOCKETS_LINE, STATUS_LINE = 0, 4, 7  # of postmaster.pid


class Postgres:
    """One data folder and its server. Callers hold the gate of the place: one acts at a time."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.folder = place.data / "postgres"
        self.log = place.logs / "postgres.log"

    def url(self, role: str, database: str) -> str:
        sockets = quote(str(self.place.sockets()), safe="")
        return f"postgresql://{role}@/{database}?host={sockets}"

    def running(self) -> Identity | None:
        """Return the server of this folder; after a crash its number may be somebody else's."""
        pid = self._lock_line(PID_LINE)
        if not pid.isdecimal() or str(self.folder) not in processes.command_of(int(pid)):
            return None
        return processes.identify(int(pid))

    def is_ready(self) -> bool:
        """Tell whether the server takes connections, and where we would look for it."""
        sockets = self.place.sockets()
        return (
            self._lock_line(STATUS_LINE) == "ready"
            and self._lock_line(SOCKETS_LINE) == str(sockets)
            and sockets.joinpath(SOCKET_NAME).exists()
            and self.running() is not None
        )

    def start(self) -> None:
        """Leave a server running on the data folder; one that was left over is taken as it is."""
        if self.is_ready():
            return
        self.stop()
        programs = wheels.postgres_bin(self.place)
        if not self.folder.joinpath("PG_VERSION").exists():
            self._make(programs)
        self._refuse_other_version(programs)
        access = self._write_access()
        # After a kill -9 the old server's sessions hold its memory until they notice: try again.
        if not processes.until(lambda: self._try(programs, access), timeout_s=START_S):
            raise CannotStart(f"PostgreSQL did not start; {self.log} says why.")

    def stop(self) -> None:
        """Stop the server, politely first; sessions are cut, committed work is kept."""
        server = self.running()
        if server is not None:
            order = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)
            processes.end(server, *order, patience_s=STOP_S)

    def _lock_line(self, number: int) -> str:
        try:
            lines = self.folder.joinpath("postmaster.pid").read_text().splitlines()
        except OSError:
            return ""
        return lines[number].strip() if len(lines) > number else ""

    def _make(self, programs: Path) -> None:
        """Make the data folder beside its place and move it there: half of one is never used."""
        fresh = self.place.data / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        self.place.account.give(fresh)
        self._run(
            [
                programs / "initdb",
                f"--pgdata={fresh}",
                f"--username={OWNER}",
                "--encoding=UTF8",
                # PostgreSQL's own locale: the machine's may be missing or change under indexes.
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                "--auth=peer",
                "--data-checksums",
            ]
        )
        shutil.rmtree(self.folder, ignore_errors=True)
        fresh.rename(self.folder)

    def _run(self, command: list[str | Path]) -> None:
        with self.log.open("ab") as log:
            made = subprocess.run(
                command,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=processes.clean_environment(),
                umask=0o077,
                **self.place.account.run_as(),
            )
        if made.returncode:
            raise CannotStart(f"PostgreSQL's data folder was not made; {self.log} says why.")

    def _refuse_other_version(self, programs: Path) -> None:
        has = self.folder.joinpath("PG_VERSION").read_text().strip()
        wants = programs.parent.name.removeprefix("pginstall")
        if has != wants:
            raise CannotStart(
                f"{self.folder} was made by PostgreSQL {has} and this is {wants}; dump it with the "
                "old one and load it into the new one, or remove it to start afresh."
            )

    def _write_access(self) -> dict[str, Path]:
        """Write who may log in, outside the data folder: its account may not change it."""
        texts = {
            "hba_file": "local all all peer map=signalbox\n",
            "ident_file": "".join(f'signalbox "{accounts.own_name()}" {role}\n' for role in ROLES),
        }
        paths = {name: self.place.data / f"{name}.conf" for name in texts}
        for name, path in paths.items():
            write(path, texts[name])
            self.place.account.let_read(path)
        return paths

    def _try(self, programs: Path, access: dict[str, Path]) -> bool:
        """Start once; False when the server ended instead of getting ready."""
        if self.running() is None:
            # Left by a crash; the server would refuse to start when the number is in use again.
            self.folder.joinpath("postmaster.pid").unlink(missing_ok=True)
        settings = {
            **SETTINGS,
            **{name: str(path) for name, path in access.items()},
            "unix_socket_directories": str(self.place.sockets()),
        }
        command: list[str | Path] = [programs / "postgres", "-D", self.folder]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        server = processes.launch(command, log=self.log, run_as=self.place.account.run_as())
        processes.until(lambda: self.is_ready() or server.poll() is not None, timeout_s=START_S)
        return server.poll() is None
