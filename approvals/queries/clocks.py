"""The clock of a proposal, how it ended, and where pulse has something to look at."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from uuid import UUID

from django.db import connection

from approvals import policies
from approvals.cards import (
    ClockCard,
    Ending,
    Extension,
    Principal,
    Requirement,
    Voter,
    Widening,
)
from approvals.events import PROPOSAL
from approvals.models import Decision, Freeze, PrincipalRow, Proposal, RequirementRow, Timer
from approvals.queries.people import oneself, seen_by, voters_on
from approvals.queries.seeing import row_for
from approvals.states import DECIDABLE, Basis, OnExpiry, ProposalState, TimerKind
from audit.cards import EntryCard
from audit.queries import events_of
from console.kernel import clock, tenancy
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.transactions import query

ESCALATED = "escalated"
_MOST_EVENTS = 200


def tenants_due() -> frozenset[UUID]:
    """Return the tenants in which a timer is due: one question for all of them, and only ids."""
    at = clock.now()
    with tenancy.unscoped(), connection.cursor() as cursor:
        cursor.execute("SELECT approvals_tenants_due(%s)", [at])
        return frozenset(row[0] for row in cursor.fetchall())


@query
def ending_of(*, actor: Actor, proposal_id: UUID) -> Ending:
    """Return where a proposal stands and what led there.

    Raises:
        NotFound: there is none in the actor's tenant.
    """
    step = _row(actor, proposal_id)
    row = _that_ended(step)
    asked = RequirementRow.objects.filter(proposal=row).order_by("no")
    decided = Decision.objects.filter(proposal=row, voided_at__isnull=True)
    basis = decided.values_list("basis", flat=True).first()
    state = ProposalState(row.state)
    nobody = state is ProposalState.EXPIRED and row.close_cause == "decide_by"
    said = asked.values_list("on_expiry", flat=True).last() if nobody else None
    fallback = OnExpiry(said) if said else None
    if fallback is OnExpiry.PARK and (step.plan_pos or 1) > 1:
        fallback = OnExpiry.REFUSE  # the first change of a plan parks the run, once
    return Ending(
        state=state,
        cause=row.close_cause,
        fallback=fallback,
        basis=Basis(basis) if basis else None,
        repeats=row.repeats,
        proposal_id=row.id,
    )


@query
def clock_of(*, actor: Actor, proposal_id: UUID) -> ClockCard:
    """Return the clock of a proposal; nothing in it depends on votes.

    Raises:
        NotFound: there is none that the reader may see.
    """
    row = _row(actor, proposal_id)
    if not seen_by(actor).covers(row):
        raise _nothing()
    asked = list(RequirementRow.objects.filter(proposal=row).order_by("no"))
    window = policies.Window(
        opened_at=row.window_opened_at,
        length_s=row.window_s,
        freezes=tuple(each.card() for each in Freeze.objects.filter(proposal=row)),
    )
    principals = [each.card() for each in PrincipalRow.objects.filter(proposal=row)]
    voters = voters_on(actor=actor, row=row, among=oneself(actor))
    return clock_card(
        row,
        asked=asked,
        history=events_of(
            actor=actor, target_type=PROPOSAL, target_id=str(row.id), limit=_MOST_EVENTS
        ),
        window=window,
        extend_refusal=extend_refusal(actor, row, asked[-1].card(), window, principals, voters),
        at=clock.now(),
    )


# -- of what was read already ----------------------------------------------------------------------


def clock_card(
    row: Proposal,
    *,
    asked: Sequence[RequirementRow],
    history: Sequence[EntryCard],
    window: policies.Window,
    extend_refusal: str,
    at: datetime,
) -> ClockCard:
    """Return what `clock_of` does.

    Args:
        asked: every requirement there was, the first one first.
        history: events of the proposal, newest first.
    """
    requirement = asked[-1].card()
    lines = history[::-1]
    return ClockCard(
        clock_no=row.clock_no,
        decide_by=row.decide_by,
        still_until=window.still_until(at=at),
        fallback=policies.fallback(requirement, tier=row.tier, state=ProposalState(row.state)),
        extensions=tuple(
            Extension(who=line.actor_label, at=line.received_at, reason=line.reason)
            for line in _named(lines, "proposal.extended")
        ),
        extensions_left=policies.MOST_EXTENSIONS - row.extensions,
        extend_refusal=extend_refusal,
        extension_s=requirement.decide_s // 2,
        widenings=_widenings(asked),
        reminders=tuple(line.received_at for line in _named(lines, "proposal.reminded")),
        next_widening=_next_widening(row, requirement),
        unfillable_since=row.unfillable_since,
    )


def extend_refusal(
    actor: Actor,
    row: Proposal,
    requirement: Requirement,
    window: policies.Window,
    principals: Collection[Principal],
    voters: Mapping[UUID, Voter],
) -> str:
    """Return why the actor cannot extend it, or ""."""
    if row.state not in DECIDABLE:
        return "It is settled; there is nothing to wait for."
    if row.plan_pos is not None:
        return "The time to decide is the plan's; extend it there."
    if window.causes:
        return "A stop holds the clock and no time is lost; extend it after the release."
    return policies.extend_refusal(actor, voters, requirement, principals, used=row.extensions)


def _row(actor: Actor, proposal_id: UUID) -> Proposal:
    row = row_for(actor, proposal_id)
    if row is None:
        raise _nothing()
    return row


def _that_ended(row: Proposal) -> Proposal:
    """Return the plan of a change that ended only because its plan was decided otherwise."""
    if row.plan is None or row.state != ProposalState.WITHDRAWN.value:
        return row
    return row if row.plan.state == ProposalState.DISPATCHED.value else row.plan


def _nothing() -> NotFound:
    return NotFound("There is no such proposal here; look at the list of reviews.")


def _named(history: Iterable[EntryCard], action: str) -> list[EntryCard]:
    return [line for line in history if line.action == action]


def _widenings(asked: Sequence[RequirementRow]) -> tuple[Widening, ...]:
    return tuple(
        Widening(
            at=now.created_at,
            escalated=now.cause == ESCALATED,
            groups=tuple(sorted(set(now.asked_groups) - set(before.asked_groups))),
        )
        for before, now in pairwise(asked)
        if now.cause in {"widened", ESCALATED}
    )


def _next_widening(row: Proposal, requirement: Requirement) -> datetime | None:
    """Return when the ladder asks somebody new next, if it does and the clock runs."""
    rungs = policies.rungs(requirement.ladder)
    steps = [
        step
        for (kind, step), rung in rungs.items()
        if kind is TimerKind.WIDEN and policies.widened(requirement, rung.groups) != requirement
    ]
    if not steps:
        return None
    due = Timer.objects.filter(
        proposal=row,
        kind=TimerKind.WIDEN.value,
        step__in=steps,
        clock_no=row.clock_no,
        done_at__isnull=True,
        due_at__isnull=False,
    )
    return due.order_by("due_at").values_list("due_at", flat=True).first()
