"""The embedded Redis: hints and live text only, so it keeps nothing and may be lost at any time."""

import signal
import socket
from contextlib import suppress
from pathlib import Path
from typing import Any

from console.local import processes, wheels
from console.local.errors import CannotStart
from console.local.places import Place, read_json, write
from console.local.processes import Identity

START_S = 20.0
STOP_S = 5.0
TRIES = 5


class Redis:
    """One server on a loopback port with a password. Callers hold the gate of the place."""

    def __init__(self, place: Place, password: str) -> None:
        self.place = place
        self.password = password
        self.log = place.logs / "redis.log"
        self._record = place.run / "redis.json"

    def url(self, database: int) -> str:
        return f"redis://:{self.password}@127.0.0.1:{self._port()}/{database}"

    def running(self) -> Identity | None:
        known = self._known()
        if not known:
            return None
        found = Identity(known["pid"], known["began"])
        return found if found.is_alive() else None

    def is_ready(self) -> bool:
        """Tell whether our server answers to our password; another program on the port does not."""
        return self.running() is not None and self._ping(self._port())

    def start(self) -> None:
        """Leave a server running; one that was left over is taken as it is."""
        if self.is_ready():
            return
        self.stop()
        for _ in range(TRIES):  # between choosing a port and taking it, another program may take it
            if self._try(_free_port(self._port())):
                return
        raise CannotStart(f"Redis did not start; {self.log} says why.")

    def stop(self) -> None:
        server = self.running()
        if server is not None:
            processes.end(server, signal.SIGTERM, signal.SIGKILL, patience_s=STOP_S)

    def _known(self) -> dict[str, Any]:
        return read_json(self._record)

    def _port(self) -> int:
        return int(self._known().get("port", 0))

    def _try(self, port: int) -> bool:
        folder = self.place.data / "redis"
        folder.mkdir(mode=0o700, exist_ok=True)
        self.place.account.give(folder)
        settings = self.place.data / "redis.conf"
        lines = (
            "bind 127.0.0.1",
            f"port {port}",
            f"requirepass {self.password}",
            f'dir "{folder}"',
            'save ""',
            "appendonly no",
            "daemonize no",
            "set-proc-title no",
        )
        write(settings, "\n".join(lines) + "\n")
        self.place.account.let_read(settings)
        command: list[str | Path] = [wheels.redis_server(self.place), settings]
        server = processes.launch(command, log=self.log, run_as=self.place.account.run_as())
        who = processes.identify(server.pid)
        if who is not None:
            write(self._record, f'{{"pid": {who.pid}, "began": "{who.began}", "port": {port}}}')
        processes.until(lambda: self._ping(port) or server.poll() is not None, timeout_s=START_S)
        return server.poll() is None

    def _ping(self, port: int) -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=2) as line:
            line.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\r\n") < 2 and (piece := line.recv(256)):  # noqa: PLR2004 — two answers
                answer += piece
            return answer == b"+OK\r\n+PONG\r\n"
        return False


def _free_port(wanted: int) -> int:
    """Return `wanted` when it is free, else another port that is free now."""
    for port in (wanted, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise CannotStart("No port of the loopback address is free.")
