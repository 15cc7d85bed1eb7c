"""The port of the console: taken before anything is started, so nobody can take it in between."""

import errno
import socket
from contextlib import closing

from console.local.errors import CannotStart

TRIED = 100
BACKLOG = 512


def listen(first: int) -> socket.socket:
    """Listen on the first free port from `first` on; the socket outlives the web process."""
    for port in range(first, first + TRIED):
        if port > 65535:  # noqa: PLR2004 — the last port there is
            break
        if _is_taken_on_ipv6(port):
            continue
        taken = _try(port)
        if taken is not None:
            return taken
    raise CannotStart(
        f"No port from {first} to {first + TRIED - 1} is free; set SIGNALBOX_PORT to one that is."
    )


def _try(port: int) -> socket.socket | None:
    found = socket.socket()
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind(("127.0.0.1", port))
        found.listen(BACKLOG)
    except OSError:
        found.close()
        return None
    return found


def _is_taken_on_ipv6(port: int) -> bool:
    """Tell whether another program answers at [::1], where browsers look for localhost first."""
    try:
        probe = socket.socket(socket.AF_INET6)
    except OSError:
        return False
    with closing(probe):
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        try:
            probe.bind(("::1", port))
            probe.listen(1)
        except OSError as error:
            return error.errno != errno.EADDRNOTAVAIL
    return False
