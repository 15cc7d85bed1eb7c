"""Finding what people rejected a short while ago, so that an agent does not ask until they tire.

A fingerprint covers the tool and the canonical arguments and nothing else: it finds repeats and
never authorises. Its key comes from the installation's secret key and the tenant's id, so that
equal requests of two tenants cannot be told to be equal; older secret keys
(`SIGNALBOX_SECRET_KEY_FALLBACKS`) still find what they made.
"""

import hmac
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from approvals.cards import Content
from approvals.models import Decision
from approvals.queries.sealed import opened_if_kept
from approvals.states import Basis, Outcome
from console.kernel import canonical

REPEATED: Final = "repeated"  # cause of a proposal that was born blocked
TOLD: Final = (
    "People rejected the same request less than 24 hours ago; do not ask for it again. "
    "Nothing was changed."
)
_REMEMBERED: Final = timedelta(hours=24)  # approvals.md A21
_PURPOSE: Final = b"signalbox/fingerprint/1"


def fingerprint_of(tenant_id: UUID, content: Content) -> bytes:
    """Return what finds the same call again: 32 bytes."""
    return _fingerprint(settings.SECRET_KEY, tenant_id, content)


def rejected_before(
    tenant_id: UUID, *, agent_id: str, content: Content, at: datetime
) -> UUID | None:
    """Return the newest proposal of this agent whose same call people rejected, if they just did.

    What counts is the content that they rejected: not one that was edited before they decided, and
    not one that ran out of time or was taken back.
    """
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    rejected = Decision.objects.filter(
        tenant_id=tenant_id,
        outcome=Outcome.REJECTED.value,
        basis=Basis.PEOPLE.value,
        voided_at__isnull=True,
        decided_at__gt=at - _REMEMBERED,
        proposal__agent_id=agent_id,
        revision__fingerprint__in=[_fingerprint(key, tenant_id, content) for key in keys],
    )
    return rejected.order_by("-decided_at").values_list("proposal_id", flat=True).first()


def _fingerprint(key: str, tenant_id: UUID, content: Content) -> bytes:
    derive = HKDF(algorithm=SHA256(), length=32, salt=tenant_id.bytes, info=_PURPOSE)
    # What a contract hides is compared by its value, too: each stand-in has a salt of its own.
    args = opened_if_kept(tenant_id, content.args)
    said = canonical.dumps({"args": args, "tool": content.tool})
    return hmac.digest(derive.derive(key.encode()), said, "sha256")
