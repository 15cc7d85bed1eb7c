"""What the pages of policies show beside the versions; nothing here writes."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Count as Counted
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import TruncDay

from approvals.cards import Agreed, Call, ShadowDay, ShadowLine, ShadowTally
from approvals.errors import PolicyInvalid
from approvals.models import Evaluation, Revision, Vote
from approvals.queries.checks import told_of
from approvals.queries.people import seen_by
from approvals.queries.seeing import row_for
from approvals.states import Choice, Purpose, Says
from console.accounts.queries import require
from console.accounts.states import Permission
from console.kernel import canonical, clock
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.transactions import query

_MOST_LINES: Final = 50
_BECOMES: Final = {
    Says.HOLD: "held",
    Says.ALLOW: "released",
    Says.PASS: "released",
    Says.DENY: "denied",
}
_PARTS: Final[dict[str, type]] = {
    "tool": str,
    "tier": int,
    "agent": str,
    "environment": str,
    "channel": str,
    "args": dict,
    "before": dict,
    "after": dict,
    "target": dict,
    "actor": dict,
    "verdicts": dict,
}


@query
def agreed_by(*, actor: Actor, proposal_ids: Iterable[UUID]) -> Mapping[UUID, Agreed]:
    """Return who agreed to proposals about the rules that were carried out, by proposal."""
    require(actor, Permission.APPROVALS_VIEW)
    wanted = set(proposal_ids)
    votes = Vote.objects.filter(
        tenant_id=actor.tenant_id,
        proposal__in=wanted,
        choice=Choice.APPROVE.value,
        voided_at__isnull=True,
    ).order_by("cast_at")
    found: dict[UUID, list[Vote]] = {}
    for vote in votes:
        found.setdefault(vote.proposal_id, []).append(vote)
    return {
        each: Agreed(
            proposal_id=each,
            names=tuple(vote.person_label for vote in found.get(each, [])),
            at=found[each][-1].cast_at if each in found else None,
        )
        for each in wanted
    }


@query
def call_of(*, actor: Actor, proposal_id: UUID) -> Call:
    """Return a past call as the rules saw it, to try other rules on it.

    Raises:
        NotFound: there is no such proposal, or no rules were ever asked about it.
    """
    row = row_for(actor, proposal_id)
    if row is None or not seen_by(actor).covers(row):
        raise _no_call()
    found = (
        Evaluation.objects.filter(proposal_id=told_of(row), purpose=Purpose.PROPOSE.value)
        .order_by("-revision_no")
        .first()
    )
    if found is None:
        raise _no_call()
    no = row.revision_no if row.is_check else found.revision_no
    revision = Revision.objects.get(proposal=row, no=no)
    return Call(
        tool=row.tool,
        tier=row.tier,
        agent=row.agent_id,
        args=canonical.loads(bytes(revision.args)),
        before=canonical.loads(bytes(revision.before)),
        after=canonical.loads(bytes(revision.after)),
        **stored_facts(found.facts),
    )


def call_from(body: object) -> Call:
    """Return a call that somebody wrote down.

    Raises:
        PolicyInvalid: it has other members, or one of another type.
    """
    if not isinstance(body, dict):
        raise PolicyInvalid("A call is an object with tool and tier; write one.", pointer="")
    for name, value in body.items():
        wanted = _PARTS.get(name)
        if wanted is None or not isinstance(value, wanted) or isinstance(value, bool):
            raise PolicyInvalid(
                f"/{name[:40]}: a call has tool, tier, agent, environment, channel, args, before, "
                "after, target, actor and verdicts; correct this one.",
                pointer=f"/{name[:40]}",
            )
    if not body.get("tool") or body.get("tier") not in (0, 1, 2):
        raise PolicyInvalid("A call has a tool and a tier of 0, 1 or 2; add them.", pointer="")
    return Call(**body)


def stored_facts(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an evaluation keeps, as parts of a call."""
    return {
        "environment": facts.get("environment", ""),
        "channel": facts.get("channel", ""),
        "known": facts.get("known", True),
        "target": facts.get("target", {}),
        "actor": facts.get("actor", {}),
        "verdicts": facts.get("verdicts", {}),
        "sensitive": tuple(facts.get("sensitive", ())),
    }


@query
def shadow_tally(*, actor: Actor, version_id: UUID, days: int) -> ShadowTally:
    """Return how often a version in the shadow would have said something else."""
    require(actor, Permission.APPROVALS_VIEW)
    at = clock.now()
    rows = _shadows(actor, version_id).filter(created_at__gt=at - timedelta(days=days))
    grouped = rows.values("said", "outcome", "rules").annotate(calls=Counted("id"))
    lines = [
        ShadowLine(
            said=Says(one["said"]),
            says=Says(one["outcome"]),
            rules=tuple(one["rules"]),
            calls=one["calls"],
        )
        for one in grouped
    ]
    differing = sorted((one for one in lines if one.differs), key=lambda one: -one.calls)
    return ShadowTally(
        calls=sum(one.calls for one in lines),
        differing=sum(one.calls for one in differing),
        lines=tuple(differing[:_MOST_LINES]),
        days=_by_day(rows, until=at.date()),
        as_of=at,
    )


def _no_call() -> NotFound:
    return NotFound("There is no such proposal here; copy the id from its address.")


def _shadows(actor: Actor, version_id: UUID) -> QuerySet[Any, Any]:
    beside = Evaluation.objects.filter(
        tenant_id=OuterRef("tenant_id"),
        proposal=OuterRef("proposal"),
        revision_no=OuterRef("revision_no"),
        purpose=Purpose.PROPOSE.value,
    )
    rows = Evaluation.objects.filter(
        tenant_id=actor.tenant_id, purpose=Purpose.SHADOW.value, versions=[version_id]
    )
    return rows.annotate(said=Subquery(beside.values("outcome")[:1])).filter(said__isnull=False)


def _by_day(rows: QuerySet[Any, Any], *, until: date) -> tuple[ShadowDay, ...]:
    found = rows.annotate(day=TruncDay("created_at")).values("day", "said", "outcome")
    counts: Counter[tuple[date, str]] = Counter()
    for one in found.annotate(calls=Counted("id")):
        day = one["day"].date()
        counts[day, _BECOMES[Says(one["said"])]] += one["calls"]
        counts[day, f"shadow_{_BECOMES[Says(one['outcome'])]}"] += one["calls"]
    first = min((day for day, _ in counts), default=until + timedelta(days=1))
    days = (first + timedelta(days=n) for n in range((until - first).days + 1))
    return tuple(
        ShadowDay(
            day=day,
            held=counts[day, "held"],
            released=counts[day, "released"],
            denied=counts[day, "denied"],
            shadow_held=counts[day, "shadow_held"],
            shadow_released=counts[day, "shadow_released"],
            shadow_denied=counts[day, "shadow_denied"],
        )
        for day in days
    )
