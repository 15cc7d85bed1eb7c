"""Reading what stands behind stand-ins; no page and no answer of the API does."""

import base64
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from approvals.cards import SealedCard, Subject
from approvals.errors.sealed import SealedBroken, SealedErased
from approvals.models import Sealed
from approvals.policies import sealed
from console.kernel import canonical
from console.kernel.actors import Actor
from console.kernel.transactions import query

_PURPOSE: Final = b"signalbox/sealed/1"


@query
def sealed_of(*, actor: Actor, subject: Subject) -> tuple[SealedCard, ...]:
    """Return which arguments of a subject are hidden, and which of them were erased."""
    rows = Sealed.objects.filter(
        tenant_id=actor.tenant_id, subject_kind=subject.kind, subject_id=subject.id
    )
    return tuple(row.card() for row in rows.order_by("pointer", "created_at"))


@query
def true_values(
    *, actor: Actor, subject: Subject, args: Mapping[str, Any], lock: bool = False
) -> dict[str, Any]:
    """Return what stands behind each stand-in of these arguments, proven by it.

    Args:
        subject: whose arguments they are; what was hidden for another subject is not found.
        lock: nobody erases one of them until the transaction ends.

    Raises:
        SealedErased: one of them was erased.
        SealedBroken: what is kept is another value, or nobody can read it.
    """
    places = dict(sealed.sealed_in(args))
    if not places:
        return {}
    rows = Sealed.objects.filter(
        tenant_id=actor.tenant_id,
        subject_kind=subject.kind,
        subject_id=subject.id,
        mac__in=[sealed.mac_in(text) for text in places.values()],
    )
    kept = {bytes(row.mac): row for row in (rows.select_for_update() if lock else rows)}
    return {text: _value(kept.get(sealed.mac_in(text)), at, text) for at, text in places.items()}


def opened_if_kept(tenant_id: UUID, args: Mapping[str, Any]) -> Any:
    """Return arguments with their true values as far as they are kept.

    For what compares values and never tells them: fingerprints, and whose words they are.
    """
    places = dict(sealed.sealed_in(args))
    if not places:
        return args
    macs = [sealed.mac_in(text) for text in places.values()]
    rows = Sealed.objects.filter(tenant_id=tenant_id, mac__in=macs, box__isnull=False)
    kept = {sealed.text_of(bytes(row.mac)): row for row in rows}
    known = {text: _value(row, row.pointer, text) for text, row in kept.items()}
    return sealed.opened(args, known)


def box_of(row_id: UUID) -> MultiFernet:
    """Return what encrypts one row: by the installation's secret key and the row's own id."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_derived(key, row_id)) for key in keys])


def _value(row: Sealed | None, pointer: str, text: str) -> Any:
    """Return the value of one row, if it is what the stand-in binds at this place."""
    if row is not None and row.box is None:
        raise SealedErased(
            f"The hidden value of {pointer} was erased, so this cannot run any more; reject it, or "
            "let the agent ask again.",
            pointer=pointer,
        )
    try:
        raw = box_of(row.id).decrypt(bytes(row.box or b"")) if row is not None else b""
    except InvalidToken:
        raw = b""
    salt, value = raw[: sealed.SALT_BYTES], raw[sealed.SALT_BYTES :]
    found = canonical.loads(value) if value else None
    if not value or sealed.mac_of(salt, pointer, found) != sealed.mac_in(text):
        raise SealedBroken(
            f"The hidden value of {pointer} cannot be read, or is another one than people agreed "
            "to; nothing runs with it. Ask whoever keeps the server.",
            pointer=pointer,
        )
    return found


def _derived(key: str, row_id: UUID) -> bytes:
    derive = HKDF(algorithm=SHA256(), length=32, salt=row_id.bytes, info=_PURPOSE)
    return base64.urlsafe_b64encode(derive.derive(key.encode()))
