"""Addresses and secrets of channels, encrypted: a copy of the database does not hold them.

The key comes from the installation's secret key and the channel's own id, so that what was sealed
for one channel opens for no other. Older secret keys (`SIGNALBOX_SECRET_KEY_FALLBACKS`) still open.
"""

import base64
import json
from typing import Final
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_PURPOSE: Final = b"signalbox/channel/1"


class Lost(Exception):
    """It was sealed under a secret key that is not known any more."""


def seal(channel_id: UUID, *, address: str, secret: str) -> bytes:
    text = json.dumps({"address": address, "secret": secret})
    return _box(channel_id).encrypt(text.encode())


def unseal(channel_id: UUID, sealed: bytes) -> tuple[str, str]:
    """Return the address and the secret.

    Raises:
        Lost: the key is another one.
    """
    try:
        values = json.loads(_box(channel_id).decrypt(sealed))
    except InvalidToken as error:
        raise Lost from error
    return values["address"], values["secret"]


def _box(channel_id: UUID) -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(key, channel_id)) for key in keys])


def _derived(key: str, channel_id: UUID) -> bytes:
    derive = HKDF(algorithm=SHA256(), length=32, salt=channel_id.bytes, info=_PURPOSE)
    return base64.urlsafe_b64encode(derive.derive(key.encode()))
