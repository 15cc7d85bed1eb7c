"""What a widget key may look like: pure rules."""

import base64
import re
from typing import Final
from uuid import UUID

from console.kernel.errors import BadInput

ORIGIN: Final = re.compile(r"https?://[a-z0-9.-]{1,120}(:([0-9]{1,5}|\*))?")
PREFIX: Final = "wk_"
RANDOM_BYTES: Final = 12


def public_key(tenant_id: UUID, random: bytes) -> str:
    """Return a public key that carries its tenant, so that it is looked up in one scope."""
    return PREFIX + base64.urlsafe_b64encode(tenant_id.bytes + random).decode().rstrip("=")


def tenant_of(public: str) -> UUID | None:
    """Return the tenant that a public key names, or None for what is no key."""
    body = public.removeprefix(PREFIX)
    if body == public or not re.fullmatch(r"[A-Za-z0-9_-]{38}", body):
        return None
    return UUID(bytes=base64.urlsafe_b64decode(body + "==")[:16])


def read_origins(text: str) -> tuple[str, ...]:
    """Return the origins written in `text`, separated by spaces or lines.

    Raises:
        BadInput: one of them is no origin, or there is none.
    """
    found = tuple(dict.fromkeys(word.rstrip("/").lower() for word in text.split()))
    wrong = [origin for origin in found if not ORIGIN.fullmatch(origin)]
    if wrong or not found:
        sentence = "Write each site as its origin, for example https://shop.example, at least one."
        raise BadInput(f"Sites: {sentence}", fields={"origins": [sentence]})
    return found
