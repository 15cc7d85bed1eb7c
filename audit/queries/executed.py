"""Approved = executed: each hand-over beside the decision and the votes it rests on."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from audit.cards import ExecutedCard, FactCard
from audit.envelope import moment_of
from audit.models import AuditSearch
from audit.queries import places
from audit.queries.entries import NEWEST
from audit.queries.lists import PAGE, behind
from audit.search import Place
from console.kernel.actors import Actor
from console.kernel.transactions import query

HANDED_OVER: Final = "proposal.dispatched"
REFUSED: Final = "dispatch.refused"
DECIDED: Final = "proposal.decided"
VOTED: Final = "vote.cast"
VOIDED: Final = "vote.voided"
RESULTS: Final = (
    "dispatch.succeeded",
    "dispatch.failed",
    "dispatch.staled",
    "dispatch.unknown",
    "dispatch.reconciled",
)


@query
def executed(
    *, actor: Actor, before: Place | None = None, limit: int = PAGE
) -> tuple[ExecutedCard, ...]:
    """Return what was handed over or refused, newest first, with what people agreed to.

    It is one question to the search table and one to what the same proposals went through; both
    hold sealed entries only.
    """
    rows = AuditSearch.objects.filter(tenant_id=actor.tenant_id)
    asked = rows.filter(action__in=(HANDED_OVER, REFUSED))
    if before is not None:
        asked = asked.filter(behind(before))
    handed = list(asked.order_by(*NEWEST)[:limit])
    facts = rows.filter(
        proposal__in={row.proposal for row in handed},
        proposal__gt="",
        action__in=(DECIDED, VOTED, VOIDED, *RESULTS),
    )
    by_proposal: dict[str, list[Any]] = defaultdict(list)
    for fact in facts.order_by("index"):
        by_proposal[fact.proposal].append(fact)
    return tuple(_card(row, by_proposal[row.proposal]) for row in handed)


def _card(row: Any, facts: Sequence[Any]) -> ExecutedCard:
    earlier = [fact for fact in facts if fact.index < row.index]
    decided = _last(f for f in earlier if f.action == DECIDED and f.outcome == "approved")
    ran = row.action == HANDED_OVER
    results = (f for f in facts if ran and f.action in RESULTS and f.index > row.index)
    return ExecutedCard(
        index=row.index,
        at=moment_of(row.received_us),
        proposal=row.proposal,
        approved=decided.digest if decided else "",
        ran=row.digest,
        handed_over=ran,
        votes=_votes(earlier, decided.digest) if decided else (),
        decision=_fact(decided) if decided else None,
        result=next(map(_fact, results), None),
    )


def _votes(earlier: Sequence[Any], digest: str) -> tuple[FactCard, ...]:
    """Return the approving votes for this content that were not voided until then."""
    cast = [f for f in earlier if f.action == VOTED and f.outcome == "approve"]
    cast = [vote for vote in cast if vote.digest == digest]
    voided = {said for f in earlier if f.action == VOIDED for said in f.ids}
    uids = places.uids_of(cast[0].log_id, [vote.index for vote in cast]) if cast else {}
    return tuple(_fact(vote) for vote in cast if str(uids.get(vote.index)) not in voided)


def _last(facts: Iterable[Any]) -> Any:
    return max(facts, key=lambda fact: fact.index, default=None)


def _fact(row: Any) -> FactCard:
    return FactCard(index=row.index, label=row.actor_label or row.actor_id, outcome=row.outcome)
