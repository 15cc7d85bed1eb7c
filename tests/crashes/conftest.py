"""Real processes that are killed, forked from one that has the product loaded already."""

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

import pytest
from django.test import Client

from tests.cast import HOST
from tests.crashes.killing import Point

TOKEN: Final = "t" * 32
PATIENCE_S: Final = 120


class Request(Protocol):
    """What a client of the API sends: cookies or key of the client, and the rest."""

    @property
    def client(self) -> Client: ...
    @property
    def address(self) -> str: ...
    @property
    def body(self) -> dict[str, Any]: ...
    @property
    def headers(self) -> dict[str, str]: ...
    @property
    def since(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Processes:
    """The process that forks those which are killed; `processes.py` is what runs in it."""

    process: "subprocess.Popen[str]"
    port: int

    def killed(self, job: str, **values: Any) -> bool:
        """Have a fork do a job; returns whether SIGKILL was its end, which nothing else may be."""
        self._tell(job, values)
        return self._was_killed()

    def killed_while_answering(self, point: Point, act: Request) -> bool:
        """Send a request to a web process that dies at this point, if it gets there."""
        self._tell("serve", {"point": point, "since": act.since})
        answered = self._post(act)
        killed = self._was_killed()
        assert killed is (answered == 0)
        assert killed or answered < 300, f"answered with {answered}"
        return killed

    def _post(self, act: Request) -> int:
        """Return the status of the answer, or 0 if there was nobody left to give one."""
        cookies = {name: one.value for name, one in act.client.cookies.items()}
        cookies["csrftoken"] = TOKEN
        headers = {
            **act.headers,
            "Host": HOST,
            "Content-Type": "application/json",
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "X-CSRFToken": TOKEN,
        }
        if sent := getattr(act.client, "_credentials", {}).get("HTTP_AUTHORIZATION"):
            headers["Authorization"] = sent
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            line.request("POST", act.address, json.dumps(act.body), headers)
            return line.getresponse().status
        except (http.client.RemoteDisconnected, ConnectionError):
            return 0
        finally:
            line.close()

    def _tell(self, job: str, values: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps([job, values]) + "\n")
        self.process.stdin.flush()

    def _was_killed(self) -> bool:
        assert self.process.stdout is not None
        said: str = self.process.stdout.readline().strip()
        assert said in {"0", str(-signal.SIGKILL)}, said
        return said != "0"


@pytest.fixture(scope="session")
def processes() -> Iterator[Processes]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        handle = listener.fileno()
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.crashes.processes", str(handle)],
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "console.settings"},
            pass_fds=[handle],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with process:
            yield Processes(process, listener.getsockname()[1])
