"""The other side of notices: a real mail server and a real web server on this machine."""

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

from typing_extensions import override

from approvals import commands
from approvals.models import Notice
from console.kernel import clock, relay
from console.kernel.actors import system
from console.kernel.transactions import in_tenant
from tests.cast import Cast


class MailServer(ThreadingTCPServer):
    """Speaks as much SMTP (RFC 5321) as a client needs; keeps what it takes."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Smtp)
        self.taken: list[tuple[str, bytes]] = []  # recipient, message
        self.refuse = 0  # with which code recipients are refused

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def letters(self) -> list[tuple[str, EmailMessage]]:
        return [(to, message_from_bytes(body, policy=policy.default)) for to, body in self.taken]

    def to(self, address: str) -> list[EmailMessage]:
        return [one for to, one in self.letters() if to == address]


class _Smtp(StreamRequestHandler):
    server: MailServer

    @override
    def handle(self) -> None:
        self._say("220 sink")
        to = ""
        while line := self.rfile.readline():
            word = line.split(b":")[0].split()[0].upper()
            if word == b"RCPT":
                to = line.split(b"<")[1].split(b">")[0].decode()
                self._say(f"{self.server.refuse or 250} so be it")
            elif word == b"DATA":
                self._say("354 go on")
                self.server.taken.append((to, self._message()))
                self._say("250 taken")
            elif word == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 fine")

    def _message(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b"..") else line)
        return b"".join(lines)

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())


@dataclass(slots=True)
class Call:
    """One request that came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class WebServer:
    """A server of HTTP; `answers` are the next statuses, then 200."""

    port: int = 0
    calls: list[Call] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    says: bytes = b""  # what it answers with
    location: str = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?token=t0ken"

    @property
    def chat(self) -> str:
        return f"json://127.0.0.1:{self.port}/room"


@contextmanager
def mail_server(settings: Any) -> Iterator[MailServer]:
    """Run a mail server and have the product's mail go there."""
    server = MailServer()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    with _running(server):
        yield server


@contextmanager
def web_server(tls: ssl.SSLContext | None = None) -> Iterator[WebServer]:
    kept = WebServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.calls.append(Call(self.path, dict(self.headers.items()), body))
            self.send_response(kept.answers.pop(0) if kept.answers else 200)
            if kept.location:
                self.send_header("Location", kept.location)
            self.send_header("Content-Length", str(len(kept.says)))
            self.end_headers()
            self.wfile.write(kept.says)

        @override
        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    kept.port = server.server_address[1]
    with _running(server):
        yield kept


@contextmanager
def _running(server: Any) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def queued(cast: Cast) -> list[Notice]:
    """Let facts reach who is told, and return all notices of the tenant, oldest first."""
    relay.relay_all(tenant_id=cast.tenant_id)
    with in_tenant(cast.tenant_id, read_only=True):
        rows = Notice.objects.filter(tenant_id=cast.tenant_id)
        return list(rows.select_related("person", "channel").order_by("created_at", "id"))


def told(cast: Cast) -> list[tuple[str, str]]:
    """Return who is told what: a person's short name or a channel's title, and the reason."""
    names = {member.id: name for name, member in cast.members.items()}
    return sorted(
        (row.channel.title if row.channel else names[row.person_id], row.reason)  # type: ignore[index]
        for row in queued(cast)
    )


def post(cast: Cast, at: datetime | None = None) -> int:
    """Let facts reach who is told, and send what is due; returns how many messages were tried."""
    relay.relay_all(tenant_id=cast.tenant_id)
    actor = system("pulse.notices", cast.tenant_id)
    if at is None:
        return commands.send_due(actor=actor)
    with clock.frozen(at):
        return commands.send_due(actor=actor)
