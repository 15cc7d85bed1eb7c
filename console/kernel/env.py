"""The environment variables: read once, checked, and refused with a hint when not understood."""

import difflib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

T = TypeVar("T")
PREFIX = "SIGNALBOX_"
_known: set[str] = set()


class BadEnvironment(SystemExit):
    """The process cannot start with this environment; the text says what to change."""


def _read(name: str, convert: Callable[[str], T], default: T) -> T:
    _known.add(name)
    raw = os.environ.get(name, "")
    if raw == "":
        return default
    try:
        return convert(raw)
    except ValueError as error:
        raise BadEnvironment(f"{name} is not understood: {error}.") from error


def text(name: str, *, default: str = "") -> str:
    return _read(name, str, default)


def flag(name: str, *, default: bool) -> bool:
    def convert(raw: str) -> bool:
        words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
        if raw.lower() not in words:
            raise ValueError("write 1 or 0")
        return words[raw.lower()]

    return _read(name, convert, default)


def seconds(name: str, *, default: int, least: int, most: int) -> int:
    return whole(name, default=default, least=least, most=most)


def whole(name: str, *, default: int, least: int, most: int) -> int:
    def convert(raw: str) -> int:
        if not raw.isdecimal() or not least <= int(raw) <= most:
            raise ValueError(f"write a whole number from {least} to {most}")
        return int(raw)

    return _read(name, convert, default)


def words(name: str, *, default: tuple[str, ...] = ()) -> list[str]:
    return _read(name, lambda raw: [w.strip() for w in raw.split(",") if w.strip()], list(default))


def postgres(name: str, *, fallback: str = "") -> dict[str, object]:
    """Read a PostgreSQL URL into Django's form; a socket folder goes into `?host=`."""
    url = text(name, default=text(fallback) if fallback else "")
    if not url:
        raise BadEnvironment(
            f"{name} is not set; run `make run` or `make test`, or set it to a PostgreSQL URL."
        )
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise BadEnvironment(f"{name} must start with postgresql://; only PostgreSQL will do.")
    query: Mapping[str, str] = dict(parse_qsl(parts.query))
    options = {key: value for key, value in query.items() if key not in {"host", "port"}}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.get("host", unquote(parts.hostname or "")),
        "PORT": query.get("port", str(parts.port or "")),
        "OPTIONS": options,
    }


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail server; without one, messages are kept as files."""

    backend: str = "django.core.mail.backends.filebased.EmailBackend"
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    starttls: bool = False
    tls: bool = False


def mail(name: str) -> Mail:
    """Read a mail server's URL: smtp://, smtp+tls:// (STARTTLS) or smtps:// (TLS at once)."""

    def convert(raw: str) -> Mail:
        parts = urlsplit(raw)
        usual = {"smtp": 25, "smtp+tls": 587, "smtps": 465}
        if parts.scheme not in usual or not parts.hostname or parts.path not in {"", "/"}:
            raise ValueError("write smtp+tls://user:password@host:587")
        return Mail(
            backend="django.core.mail.backends.smtp.EmailBackend",
            host=parts.hostname,
            port=parts.port or usual[parts.scheme],
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            starttls=parts.scheme == "smtp+tls",
            tls=parts.scheme == "smtps",
        )

    return _read(name, convert, Mail())


def finish() -> None:
    """End the start when a `SIGNALBOX_` variable is set that nothing reads."""
    unknown = sorted(n for n in os.environ if n.startswith(PREFIX) and n not in _known)
    if not unknown:
        return
    near = difflib.get_close_matches(unknown[0], _known, n=1)
    hint = f"; did you mean {near[0]}?" if near else "."
    raise BadEnvironment(f"{unknown[0]} is no setting of this product{hint}")
