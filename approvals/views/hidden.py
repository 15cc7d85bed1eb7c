"""What the page of a proposal says of arguments that a contract hides."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from approvals import queries
from approvals.cards import ProposalDetail
from approvals.policies.sealed import sealed_in
from approvals.states import LIVE
from console.kernel.http import actor_of


def sealed_context(request: HttpRequest, found: ProposalDetail) -> dict[str, Any] | None:
    """Return what `approvals/sealed.html` shows; None where nothing is hidden."""
    if next(sealed_in(found.content.args), None) is None:
        return None
    actor = actor_of(request)
    cards = queries.sealed_of(actor=actor, subject=found.origin)
    if not cards:
        return None
    erased = [one for one in cards if one.erased_at is not None]
    return {
        "cards": cards,
        "gone": bool(erased) and found.card.state in LIVE,
        "kept": len(erased) < len(cards),
        "may_erase": actor.is_person and actor.has("policies.manage"),
        "erase_url": reverse("approvals:erase-sealed", args=[found.card.id]),
        "typed": request.POST.get("erase_reason", ""),
    }
