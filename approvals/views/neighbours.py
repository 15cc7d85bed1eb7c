"""The place of a proposal in the list that its reader came from."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from approvals import queries
from approvals.queries import MOST_COUNTED, Sort, View
from console.kernel.actors import Actor

KEPT: Final = ("list", "q", "sort")  # what the address says of the list
_TITLES: Final = {
    View.MINE: "My turn",
    View.TEAM: "Team",
    View.WAITING: "Waiting on others",
    View.DECIDED: "Decided",
}


def place_of(actor: Actor, proposal_id: UUID, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Return what stands around a proposal in a list.

    Where it has left the list, its neighbours are those of the place where it would stand.

    Args:
        asked: `list`, `q` and `sort`, as the list's own address has them; "My turn" without.
    """
    kept = {name: str(asked.get(name) or "") for name in KEPT if asked.get(name)}
    view = View(kept.get("list", View.MINE))
    sort = Sort(kept["sort"]) if "sort" in kept else None
    words = kept.get("q", "")
    place = queries.place_in_list(
        actor=actor, view=view, proposal_id=proposal_id, words=words, sort=sort
    )
    whole = {"view": kept.pop("list", ""), **kept}
    query = urlencode({name: value for name, value in whole.items() if value})
    return {
        "title": _TITLES[view],
        "no": place.no,
        "count": f"{place.count}" if place.count < MOST_COUNTED else f"{MOST_COUNTED - 1}+",
        "list": f"{reverse('approvals:queue')}{f'?{query}' if query else ''}",
        "before": _link(place.before, asked),
        "after": _link(place.after, asked),
    }


def _link(proposal_id: UUID | None, asked: Mapping[str, Any]) -> str:
    if proposal_id is None:
        return ""
    query = urlencode({name: asked[name] for name in KEPT if asked.get(name)})
    path = reverse("approvals:detail", args=[proposal_id])
    return f"{path}?{query}" if query else path
