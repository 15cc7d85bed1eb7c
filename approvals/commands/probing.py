"""Looking at a target again before anybody votes, and what follows when it is another one."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db import connection

from approvals.cards import Content, ProposalCard
from approvals.commands import drifting, reviewers, targets
from approvals.commands.desk import must_lock
from approvals.commands.opening import refresh
from approvals.errors import EditByMachine, NotEditable, NotStale
from approvals.kinds import is_elsewhere, kind_of
from approvals.models import Proposal, Revision
from approvals.policies.external import is_outside
from approvals.queries.editing import require_reviewer_of, seen_row
from approvals.queries.probing import unprobed
from approvals.states import HANDED_BACK, PLAN, Outcome, ProposalState
from console.kernel import clock
from console.kernel.actors import Actor, system
from console.kernel.errors import ConsoleError, Refusal
from console.kernel.ids import uuid7
from console.kernel.transactions import command, query

OPENED_S: Final = 30  # a page that is opened looks again after so long
DUTY_S: Final = 300  # pulse does, whoever looks
TIER: Final = 2
_MOST_AT_ONCE: Final = 100
_WATCHED: Final = frozenset({ProposalState.OPEN, ProposalState.APPROVED})
_LOOK_AGAIN: Final = (
    "The record changed while people decided, and they handed this back; look at it again and "
    "propose what fits now."
)


def probe_opened(*, actor: Actor, card: ProposalCard) -> bool:
    """Look at the target of a high-stakes proposal that somebody opens; True: it has changed."""
    if card.tier != TIER or card.state not in _WATCHED:
        return False
    me = _me(actor)
    if card.plan_pos is None and is_elsewhere(card.subject.kind, card.tool):
        return _look_outside(actor=me, proposal_id=card.id, every_s=OPENED_S)
    return probe(actor=me, proposal_id=card.id, every_s=OPENED_S)


def probe_due(*, actor: Actor) -> int:
    """Look at every target that nobody has looked at for five minutes; returns how many changed."""
    due = unprobed(actor=actor, older_than_s=DUTY_S, tier=TIER, limit=_MOST_AT_ONCE)
    me = _me(actor)
    return sum(_look(actor=me, proposal_id=each, every_s=DUTY_S) for each in due)


@command
def probe(*, actor: Actor, proposal_id: UUID, every_s: int) -> bool:
    """Compare the target with what people see, unless that was done `every_s` ago or later.

    Another image makes the proposal stale, and breaks a plan that runs. What cannot be looked at
    stays as it is: the dispatch looks again anyway.

    Returns:
        Whether the proposal, or the plan that it is a change of, became stale or broke.
    """
    row = Proposal.objects.filter(pk=proposal_id).select_related("plan").first()
    whole = row and (row.plan or row)  # of a change, its plan: people see all targets of it
    if whole is None or is_outside(whole.agent_id) or not _mine_to_look(whole, every_s):
        return False
    if whole.subject_kind == PLAN:
        return targets.look(actor, whole)
    found = drifting.observed(actor, whole)
    return found is not None and _is_other(actor, proposal_id, found)


@command
def compare(*, actor: Actor, proposal_id: UUID, revision_no: int, found: Content) -> bool:
    """Compare what was found outside, before this transaction began, with what people see.

    Args:
        revision_no: that was current before the look; what came since has a look of its own.
    """
    return _is_other(actor, proposal_id, found, revision_no=revision_no)


@command
def rebase(*, actor: Actor, proposal_id: UUID, revision_no: int, seen_digest: str) -> ProposalCard:
    """Put a stale proposal on what is there now, by a reviewer who saw the difference.

    Raises:
        EditByMachine, VoteByPrincipal, VoteNotEligible, NotStale, RefreshSpent, StaleRevision
        NotEditable: nobody can say what the call would do now.
        ConsoleError: a rule of the target refuses the call as it is now, in its own words.
    """
    row = _theirs(actor, proposal_id)
    content = _planned(actor, row)
    desk = must_lock(actor=actor, proposal_id=proposal_id)
    reviewers.require_current(desk, revision_no, seen_digest)
    return refresh(actor=actor, proposal_id=proposal_id, content=content)


@command
def hand_back(*, actor: Actor, proposal_id: UUID, revision_no: int, seen_digest: str) -> None:
    """End a stale proposal so that the agent looks again and proposes what fits now.

    Raises:
        EditByMachine, VoteByPrincipal, VoteNotEligible, NotStale, StaleRevision
    """
    _theirs(actor, proposal_id)
    desk = must_lock(actor=actor, proposal_id=proposal_id)
    at = clock.now()
    desk.settle_clock(at=at)
    if desk.state is not ProposalState.STALE:
        raise NotStale(
            f"This proposal is {desk.state}, not stale; reject it if it should not run.",
            state=desk.state.value,
        )
    reviewers.require_current(desk, revision_no, seen_digest)
    desk.end(Outcome.WITHDRAWN, at=at, cause=HANDED_BACK, told=_LOOK_AGAIN)


# -- parts ---------------------------------------------------------------------------------------


def _look(*, actor: Actor, proposal_id: UUID, every_s: int) -> bool:
    if _elsewhere(actor=actor, proposal_id=proposal_id):
        return _look_outside(actor=actor, proposal_id=proposal_id, every_s=every_s)
    return probe(actor=actor, proposal_id=proposal_id, every_s=every_s)


def _look_outside(*, actor: Actor, proposal_id: UUID, every_s: int) -> bool:
    """Look at a target outside if it is time: between two transactions, as it may be slow."""
    if not begin_look(actor=actor, proposal_id=proposal_id, every_s=every_s):
        return False
    row, said = _asked(actor=actor, proposal_id=proposal_id)
    found = drifting.observed_with(actor, row, said.args)
    if found is None:
        return False
    return compare(actor=actor, proposal_id=proposal_id, revision_no=row.revision_no, found=found)


@query
def _elsewhere(*, actor: Actor, proposal_id: UUID) -> bool:
    rows = Proposal.objects.filter(tenant_id=actor.tenant_id, plan__isnull=True)
    row = rows.filter(pk=proposal_id).first()
    return row is not None and is_elsewhere(row.subject_kind, row.tool)


@command
def begin_look(*, actor: Actor, proposal_id: UUID, every_s: int) -> bool:
    """Keep that somebody looks, if it is time."""
    row = Proposal.objects.filter(tenant_id=actor.tenant_id, pk=proposal_id).first()
    return row is not None and _mine_to_look(row, every_s)


@query
def _asked(*, actor: Actor, proposal_id: UUID) -> tuple[Proposal, Content]:
    row = Proposal.objects.get(tenant_id=actor.tenant_id, pk=proposal_id)
    return row, Revision.objects.get(proposal=row, no=row.revision_no).content(row.tool)


def _is_other(
    actor: Actor, proposal_id: UUID, found: Content, *, revision_no: int | None = None
) -> bool:
    desk = must_lock(actor=actor, proposal_id=proposal_id)
    at = clock.now()
    if desk.settle_clock(at=at) or desk.state not in _WATCHED:
        return False
    if revision_no not in {None, desk.row.revision_no}:
        return False
    if found.args_bytes != bytes(desk.revision.args) or found.digest == bytes(desk.revision.digest):
        return False  # edited since, or as it was
    drifting.go_stale(desk, found, at=at)
    return True


def _mine_to_look(row: Proposal, every_s: int) -> bool:
    """Say whether it is time, and keep that somebody looks; of two at once one gets True."""
    at = clock.now()
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO approvals_probe (id, tenant_id, proposal_id, probed_at)
               VALUES (%s, %s, %s, %s)
               ON CONFLICT (tenant_id, proposal_id) DO UPDATE SET probed_at = excluded.probed_at
               WHERE approvals_probe.probed_at <= %s""",
            [uuid7(), row.tenant_id, row.id, at, at - timedelta(seconds=every_s)],
        )
        return bool(cursor.rowcount == 1)


def _planned(actor: Actor, row: Proposal) -> Content:
    kind = kind_of(row.subject_kind)
    args = Revision.objects.get(proposal=row, no=row.revision_no).content(row.tool).args
    if kind is not None:
        try:
            return kind.content(
                actor=actor, subject=drifting.subject_of(row), tool=row.tool, args=args
            )
        except ConsoleError as error:
            if error.kind is not Refusal.MISSING:
                raise
    raise NotEditable("Nobody can say what this would do now; hand it back, or reject it.")


def _theirs(actor: Actor, proposal_id: UUID) -> Proposal:
    if not actor.is_person:
        raise EditByMachine("Only people who are signed in do this; ask a reviewer.")
    row = seen_row(actor, proposal_id)
    require_reviewer_of(actor, row)
    return row


def _me(actor: Actor) -> Actor:
    return system("approvals.probe", actor.tenant_id)
