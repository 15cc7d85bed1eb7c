"""Opening a plan: several changes in a fixed order, which people decide about as one.

Each change is a proposal of its own under the plan, judged by itself, with those before it counted
already; the plan asks for what all of them ask. Votes are cast on the plan alone.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.db import connection

from approvals import policies
from approvals.cards import (
    Content,
    OpenedPlan,
    PlanStep,
    Principal,
    ProposalFacts,
    Subject,
)
from approvals.commands import births, judging, laddering, opening, pressure, repeats, steps
from approvals.commands.desk import Desk
from approvals.errors import PlanOfOthers
from approvals.events import PlanProposed
from approvals.models import TITLE_LENGTH, Proposal, Revision
from approvals.policies import planning
from approvals.queries.queue import cards_of
from approvals.states import PLAN, Outcome, ProposalState, Purpose, Says
from audit.commands import record
from console.kernel import canonical, clock
from console.kernel.actors import Actor
from console.kernel.errors import BadInput
from console.kernel.ids import uuid7
from console.kernel.transactions import command

_NEWER = "A newer request for the same thing took the place of this one."
_OPEN, _BLOCKED = ProposalState.OPEN, ProposalState.BLOCKED


@command
def open_plan(
    *,
    actor: Actor,
    subject: Subject,
    changes: Sequence[PlanStep],
    principals: tuple[Principal, ...],
) -> OpenedPlan:
    """Have the rules say who decides about these changes, all of them or none, in this order.

    A change that a rule denies, or that people rejected a short while ago, blocks the plan. The
    same plan for the same subject returns the live one; another one supersedes it.

    Args:
        subject: of the plan; its kind is `PLAN`.
        changes: 2 to 20 of one agent and run; each starts from what the earlier ones leave.

    Raises:
        PlanOfOthers, StepDoesNotFollow: they make no plan.
        Backpressure: too many wait for people already; a plan counts once.
        NotCanonical: a content has no canonical form.
    """
    if subject.kind != PLAN:
        raise BadInput(f"The subject of a plan is of the kind {PLAN}; propose the change alone.")
    contents = [one.content for one in changes]
    planning.require_plan(contents, [one.facts for one in changes])
    whole = planning.combined(contents)
    _lock_subject(actor, subject)
    old = opening.live_of(actor, subject)
    if old is not None:
        if bytes(old.revision.digest) == whole.digest:
            return _as_it_stands(old.row.id)
        old.end(Outcome.SUPERSEDED, at=clock.now(), cause="newer", told=_NEWER)
    for one in changes:
        _supersede(actor, one.subject)
    return _opened(actor, subject, changes, principals, whole, old)


def _opened(
    actor: Actor,
    subject: Subject,
    changes: Sequence[PlanStep],
    principals: tuple[Principal, ...],
    whole: Content,
    old: Desk | None,
) -> OpenedPlan:
    facts = _facts_of(changes)
    own = uuid7()
    chain = births.with_those_behind(principals, actor)
    said = [_add(actor, one, chain, own, place) for place, one in enumerate(changes, 1)]
    judged = _together(said, changes)
    contents = [whole, *(one.content for one in changes)]
    earlier = _rejected_before(actor, contents, facts.agent_id, judged.at)
    state = births.BIRTHS.get(judged.says, _OPEN) if earlier is None else _BLOCKED
    if state is _OPEN:
        pressure.require_room(
            actor.tenant_id, subject=subject, agent_id=facts.agent_id, run_id=facts.run_id
        )
    supersedes = old.row.id if old else None
    birth = births.Birth(state=state, repeats=earlier, supersedes=supersedes, own=own)
    row = _insert(actor, subject, whole, facts, judged, birth)
    requirement = judged.requirement(facts.tier)
    revision = births.add_parts(row, whole, requirement, chain, author=actor.label)
    _record(actor, row, whole)
    _settle_birth(actor, row, revision, judged, chain)
    laddering.begin(actor=actor, proposal_id=row.id)
    return _as_it_stands(row.id)


def _add(
    actor: Actor, one: PlanStep, chain: tuple[Principal, ...], plan: UUID, place: int
) -> judging.Judged:
    """Judge one change and store it, so that the next one is judged with it."""
    judged = judging.judge(actor=actor, subject=one.subject, content=one.content, facts=one.facts)
    state = _BLOCKED if judged.says is Says.DENY else _OPEN
    birth = births.Birth(state=state, plan=plan, place=place)
    row = _insert(actor, one.subject, one.content, one.facts, judged, birth)
    requirement = judged.requirement(one.facts.tier)
    revision = births.add_parts(row, one.content, requirement, chain, author=actor.label)
    judging.keep(row, judged, purpose=Purpose.PROPOSE)
    _tell_birth(actor, row, revision, judged, chain)
    return judged


def _tell_birth(
    actor: Actor,
    row: Proposal,
    revision: Revision,
    judged: judging.Judged,
    chain: tuple[Principal, ...],
) -> None:
    """Record how a proposal was born, open or blocked."""
    if row.state == _BLOCKED.value:
        births.block(actor, row, revision, judged)
    else:
        births.record_opened(actor, row, revision, judged, chain)


def _settle_birth(
    actor: Actor,
    row: Proposal,
    revision: Revision,
    judged: judging.Judged,
    chain: tuple[Principal, ...],
) -> None:
    """Record how the plan was born, and let its changes follow."""
    if row.state != ProposalState.APPROVED.value:
        _tell_birth(actor, row, revision, judged, chain)
        steps.follow(row, None, actor=actor, at=judged.at)
        return
    births.approve_by_rule(actor, row, revision, judged)
    steps.begin(row, revision, actor=actor, at=judged.at)


def _together(said: Sequence[judging.Judged], changes: Sequence[PlanStep]) -> judging.Judged:
    """Return what the rules come to for all changes: a denial of one denies all of them."""
    says = next(
        (word for word in (Says.DENY, Says.HOLD) if any(one.says is word for one in said)),
        Says.ALLOW,
    )
    speaking = [one for one in said if one.says is says]
    asking = [
        judged.requirement(one.facts.tier)
        for judged, one in zip(said, changes, strict=True)
        if says is not Says.HOLD or judged.says is Says.HOLD
    ]
    verdict = policies.Verdict(
        says=says,
        requirement=planning.united(asking),
        rules=tuple(dict.fromkeys(rule for one in speaking for rule in one.rules)),
    )
    versions = tuple(dict.fromkeys(each for one in said for each in one.versions))
    return replace(said[-1], verdict=verdict, versions=versions, facts={}, shadows=())


def _facts_of(changes: Sequence[PlanStep]) -> ProposalFacts:
    facts = [one.facts for one in changes]
    return replace(
        facts[0],
        title=planning.title_of([one.title for one in facts], TITLE_LENGTH),
        tier=max(one.tier for one in facts),
        undo=planning.undo_of(facts),
        why="\n".join(dict.fromkeys(one.why for one in facts if one.why)),
        tool_summary=f"{len(facts)} changes, one after the other; if one of them does not go as "
        "planned, the rest is withdrawn.",
        known=all(one.known for one in facts),
    )


def _insert(
    actor: Actor,
    subject: Subject,
    content: Content,
    facts: ProposalFacts,
    judged: judging.Judged,
    birth: births.Birth,
) -> Proposal:
    row = births.insert(actor, subject, content, facts, judged, birth)
    if row is None:
        raise PlanOfOthers(
            "One of these changes is proposed by itself at this very moment; send the plan again."
        )
    return row


def _rejected_before(
    actor: Actor, contents: Sequence[Content], agent_id: str, at: datetime
) -> UUID | None:
    """Return what people rejected a short while ago: this very plan, or one of its changes."""
    found = (
        repeats.rejected_before(actor.tenant_id, agent_id=agent_id, content=one, at=at)
        for one in contents
    )
    return next((one for one in found if one is not None), None)


def _supersede(actor: Actor, subject: Subject) -> None:
    """End what waits for the subject of a change: the plan asks for it anew."""
    old = opening.live_of(actor, subject)
    if old is not None:
        old.end(Outcome.SUPERSEDED, at=clock.now(), cause="newer", told=_NEWER)


def _lock_subject(actor: Actor, subject: Subject) -> None:
    """Let plans for one subject be opened one after the other; the changes come before the plan."""
    said = [str(actor.tenant_id), "plan", str(subject.id)]
    key = int.from_bytes(canonical.digest(said)[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


def _record(actor: Actor, row: Proposal, whole: Content) -> None:
    found = Proposal.objects.filter(plan=row).order_by("plan_pos").values_list("id", flat=True)
    record(
        PlanProposed(
            proposal_id=row.id,
            digest=whole.digest.hex(),
            steps=tuple(
                f"{place} {one} {digest}"
                for place, (one, digest) in enumerate(zip(found, whole.children, strict=True), 1)
            ),
        ),
        actor=actor,
    )


def _as_it_stands(plan: UUID) -> OpenedPlan:
    rows = [Proposal.objects.get(pk=plan), *Proposal.objects.filter(plan=plan).order_by("plan_pos")]
    first, *others = cards_of(rows)
    return OpenedPlan(plan=first, steps=tuple(others))
