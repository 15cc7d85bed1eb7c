"""Looking at an address before it is kept: is it one, and what of it is no secret."""

from typing import Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from approvals.couriers import chat
from approvals.couriers.addresses import is_literal_private
from approvals.states import ChannelKind

_NOT_PUBLIC: Final = (
    "This host is not public; use a public one, or set SIGNALBOX_ALLOW_PRIVATE_WEBHOOKS."
)


def described(kind: ChannelKind, address: str) -> str:
    """Return what may be shown of an address.

    Raises:
        ValueError: it is none for this kind of channel; its text is a sentence for the form.
    """
    if not address.isprintable() or " " in address:
        raise ValueError("An address has no spaces and no invisible characters.")
    match kind:
        case ChannelKind.EMAIL:
            return _mail(address)
        case ChannelKind.WEBHOOK:
            return _webhook(address)
        case ChannelKind.CHAT:
            return _chat(address)


def _mail(address: str) -> str:
    try:
        validate_email(address)
    except ValidationError as error:
        raise ValueError("This is no e-mail address.") from error
    return address


def _webhook(address: str) -> str:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ValueError("This address cannot be read; begin it with https://.") from error
    schemes = {"https", "http"} if settings.ALLOW_PRIVATE_WEBHOOKS else {"https"}
    if parts.scheme not in schemes or not host or port == 0:
        raise ValueError("A webhook needs an address that begins with https://.")
    if parts.username or parts.password or parts.fragment or not address.isascii():
        raise ValueError("Leave names, passwords and # out of the address; it is signed instead.")
    _require_public(private=is_literal_private(host))
    return f"{parts.scheme}://{host}{f':{port}' if port else ''}/…"


def _chat(address: str) -> str:
    shown = chat.service_of(address)
    _require_public(private=chat.is_private(address))
    return shown


def _require_public(*, private: bool) -> None:
    if private and not settings.ALLOW_PRIVATE_WEBHOOKS:
        raise ValueError(_NOT_PUBLIC)
