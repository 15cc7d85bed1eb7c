"""What the page of a proposal says of break-glass to who holds the right now; to nobody else."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from approvals.cards import ProposalDetail
from approvals.policies.breaking import STEPUP_S
from console.accounts import queries as people
from console.kernel.http import actor_of


def glass_context(request: HttpRequest, found: ProposalDetail) -> Mapping[str, Any]:
    """Return what `approvals/break_glass.html` shows, with what was typed before a refusal."""
    if found.glass is None:
        return {}
    address = reverse("approvals:use-break-glass", args=[found.card.id])
    posted = request.POST if request.path == address else {}
    return {
        "card": found.glass,
        "action": address,
        "is_fresh": people.fresh_for(actor=actor_of(request)) <= STEPUP_S,
        "minutes": STEPUP_S // 60,
        "reason": posted.get("reason", ""),
        "ticket": posted.get("ticket", ""),
        "open": bool(posted),
    }
