"""Slack, Teams and Discord for tests: one server of this machine, under their names and with TLS.

The plugins run as they are; only the look-up of names is ours, and whom they trust.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from console.kernel import clock
from tests.approvals.post import WebServer, web_server

SLACK: Final = "hooks.slack.com"
TEAMS: Final = "prod-161.westeurope.logic.azure.com"
DISCORD: Final = "discord.com"
NAMES: Final = (SLACK, TEAMS, DISCORD)


@contextmanager
def rooms(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    """Run the server; everybody who looks for one of the names finds it."""
    bundle, trusted = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle)
    patch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    patch.setenv("NO_PROXY", "*")
    with web_server(context) as server:
        found = socket.getaddrinfo

        def look_up(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
            if host not in NAMES:
                return found(host, port, *rest, **more)
            here = ("127.0.0.1", server.port)
            return [(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", here)]

        patch.setattr(socket, "getaddrinfo", look_up)
        yield server


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Write key and certificate for the names, and the certificate alone for who trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "chats of tests")])
    names = x509.SubjectAlternativeName([x509.DNSName(one) for one in NAMES])
    usage = x509.BasicConstraints(ca=True, path_length=0)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.now() - timedelta(days=1))
        .not_valid_after(clock.now() + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    bundle, trusted = folder / "server.pem", folder / "trusted.pem"
    bundle.write_bytes(secret + made)
    trusted.write_bytes(made)
    return bundle, trusted
