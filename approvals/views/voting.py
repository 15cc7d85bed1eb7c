"""What the vote bar shows besides the vote itself: how fresh the sign-in is, and passkeys."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.http import HttpRequest

from approvals.cards import ProposalDetail, Signed
from approvals.states import DECIDABLE
from console.accounts import queries as people
from console.accounts.middleware import site_of
from console.kernel.actors import Actor


def signing_of(actor: Actor, found: ProposalDetail) -> Mapping[str, Any]:
    """Return what `approvals/signing.html` and the vote bar show to one reader, before they vote.

    It depends on the reader's own session and on nothing that others do.
    """
    votes = found.card.state in DECIDABLE and not found.refusal and found.my_vote is None
    if not votes or not actor.is_person:
        return {}
    stepup_s = found.requirement.stepup_s
    proof = people.proof(actor=actor)
    return {
        "minutes": stepup_s // 60,
        "until": proof.at + timedelta(seconds=stepup_s) if proof else None,
        "is_fresh": not stepup_s or (proof is not None and proof.age_s <= stepup_s),
        "passkeys": people.passkeys(actor=actor),
    }


def signed_of(request: HttpRequest, sent: Mapping[str, str] | None) -> Signed | None:
    """Return what a passkey signed, with the place where the server sees the browser."""
    site = site_of(request)
    return Signed(**sent, host=site.host, origin=site.origin) if sent else None
