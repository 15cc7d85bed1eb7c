"""Signed webhooks, in the manner of Standard Webhooks 1.0 (www.standardwebhooks.com).

The signature is over id, time and body, so that an old message cannot be sent again as a new one.
There are no redirects, and the connection goes to the address that was checked.
"""

import base64
import http.client
import secrets
import socket
import ssl
import threading
import time
from contextlib import suppress
from hashlib import sha256
from hmac import HMAC
from typing import Final
from urllib.parse import SplitResult, urlsplit

from typing_extensions import override

from approvals.cards import Parcel
from approvals.couriers.addresses import public_address
from approvals.couriers.errors import NotSent

LIMIT_S: Final = 10.0  # for all of it, however slowly the other side answers
_PREFIX: Final = "whsec_"
_GONE: Final = 410
_PORTS: Final = {"http": 80, "https": 443}


def new_secret() -> str:
    """Return a new secret, as the receiver is given it."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def signature(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """Return what `webhook-signature` says: "v1," and the HMAC-SHA256 in base64."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(HMAC(key, signed, sha256).digest()).decode()


def send(parcel: Parcel) -> None:
    """Post one message; anything but a 2xx is a failure."""
    parts = urlsplit(parcel.address)
    body = parcel.text.encode()
    message_id, timestamp = str(parcel.notice_ids[0]), str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Signalbox",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": signature(parcel.secret, message_id, timestamp, body),
    }
    status = _post(parts, body, headers)
    if not 200 <= status < 300:  # noqa: PLR2004 - RFC 9110, section 15.3
        raise NotSent(f"HTTP {status}", final=status == _GONE)


class _Pinned(http.client.HTTPConnection):
    """A connection to one address, whatever its name is looked up to meanwhile."""

    def __init__(self, host: str, port: int, address: str, *, secure: bool) -> None:
        super().__init__(host, port, timeout=LIMIT_S)
        self._address = address
        self._secure = secure
        self.late = False

    @override
    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), LIMIT_S)
        if self._secure:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host)

    def cut(self) -> None:
        """End it now, from another thread; whoever waits for a byte gets an end or an error."""
        self.late = True  # first, so that whoever meets that end knows why
        with suppress(OSError, AttributeError):
            self.sock.shutdown(socket.SHUT_RDWR)


def _post(parts: SplitResult, body: bytes, headers: dict[str, str]) -> int:
    host = parts.hostname or ""
    port = parts.port or _PORTS[parts.scheme]
    path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    line = _Pinned(host, port, public_address(host, port), secure=parts.scheme == "https")
    clock = threading.Timer(LIMIT_S, line.cut)
    clock.daemon = True
    clock.start()
    try:
        line.request("POST", path, body, headers)
        status = line.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        # A connection that was cut looks like one that the other side closed.
        late = line.late or isinstance(error, TimeoutError)
        raise NotSent("timeout" if late else type(error).__name__) from error
    else:
        if line.late:
            raise NotSent("timeout")  # headers that were cut off look like all of them
        return status
    finally:
        clock.cancel()
        line.close()
