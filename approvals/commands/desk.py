"""One proposal under its row lock, with all that its rules need, and the moves it can make."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from approvals import policies
from approvals.cards import Place, Requirement, Voter
from approvals.commands import deciding, steps
from approvals.commands.attending import attend
from approvals.commands.locked import Locked
from approvals.events import (
    ProposalFillable,
    ProposalReopened,
    ProposalUnfillable,
    ProposalWidened,
    VoteVoided,
)
from approvals.models import (
    Decision,
    Freeze,
    PrincipalRow,
    Proposal,
    RequirementRow,
    Revision,
    Vote,
)
from approvals.policies.breaking import execute_s
from approvals.queries.hearing import Heard, hear
from approvals.states import (
    DECIDABLE,
    AttentionReason,
    Basis,
    Choice,
    OnExpiry,
    Outcome,
    ProposalState,
)
from audit.commands import record
from console.kernel import prepared
from console.kernel.actors import Actor
from console.kernel.errors import NotFound

POLICY: Final = "policy"
_WIDER: Final = frozenset({"widened", "escalated"})  # causes of a requirement that asks more groups
_OF_IT: Final = "WHERE proposal_id = %(proposal)s"
_COUNTED: Final = "WHERE revision_id = %(revision)s AND voided_at IS NULL ORDER BY cast_at, id"


@dataclass(slots=True, kw_only=True)
class Desk(Locked):
    """A locked proposal with the moves it can make. Made by `lock`, inside a command."""

    # -- moves -----------------------------------------------------------------------------------

    def end(
        self, outcome: Outcome, *, at: datetime, cause: str, told: str, fallback: str = ""
    ) -> None:
        """Close without a decision of people: expired, withdrawn or superseded.

        Args:
            fallback: what the requirement says for nobody having decided in time.
        """
        self.void_decision(at=at)
        self.move(ProposalState(outcome.value), at=at, cause=cause)
        self._tell(outcome, code=cause, agent_message=told, fallback=fallback)

    def approve(
        self,
        places: Iterable[Place],
        *,
        at: datetime,
        basis: Basis = Basis.PEOPLE,
        **said: Any,
    ) -> None:
        """Settle as approved; the time to execute starts now and is never extended.

        Args:
            basis: on whose word; without people `places` is empty.
            said: further fields of the event: the rules or the standing approval that spoke.
        """
        assignment = [
            {"block": place.block, "person": str(place.person_id), "group": place.group}
            for place in places
        ]
        self._decide(Outcome.APPROVED, assignment, at=at, basis=basis)
        execute_by = at + timedelta(seconds=execute_s(self.requirement, basis))
        self.row.execute_by = execute_by
        self.move(ProposalState.APPROVED, at=at)
        self._tell(
            Outcome.APPROVED,
            basis=basis.value,
            assignment=deciding.lines(assignment),
            execute_by=execute_by.isoformat(),
            **said,
        )
        steps.begin(self.row, self.revision, actor=self.actor, at=at)

    def reject(self, vote: Vote, *, at: datetime) -> None:
        assignment = [{"block": 0, "person": str(vote.person_id), "group": ""}]
        self._decide(Outcome.REJECTED, assignment, at=at, basis=Basis.PEOPLE)
        self.move(ProposalState.REJECTED, at=at, cause=vote.reason_code)
        self._tell(
            Outcome.REJECTED,
            basis=Basis.PEOPLE.value,
            code=vote.reason_code,
            agent_message=vote.agent_message or vote.note,
            assignment=deciding.lines(assignment),
        )

    def reopen(self, cause: str, *, at: datetime) -> None:
        """Take an approval back to the people."""
        decision = self.void_decision(at=at)
        self.move(ProposalState.OPEN, at=at)
        record(
            ProposalReopened(
                proposal_id=self.row.id,
                cause=cause,
                revision_no=self.row.revision_no,
                digest=self.digest,
                decision_id=decision,
            ),
            actor=self.actor,
        )

    def ask(self, requirement: Requirement, *, cause: str, at: datetime) -> None:
        """Ask more than before; what was asked already stays asked.

        Args:
            requirement: the whole of it, old blocks included. The trigger
                `requirement_never_loosened` refuses one that asks less.
            cause: "policy", told by the event of the move that goes with it (revised, reopened),
                or "widened" or "escalated", which has an event of its own.
        """
        before = policies.asked_groups(self.requirement)
        no = RequirementRow.newest(self.row).no + 1
        RequirementRow.of(self.row, requirement, no=no, cause=cause).save()
        self.requirement = requirement
        self.check_fillable(at=at)
        self.lay_timers()  # the ladder may be another one
        if cause != POLICY:
            record(
                ProposalWidened(
                    proposal_id=self.row.id,
                    cause=cause,
                    requirement_no=no,
                    needs=requirement.people,
                    groups=tuple(sorted(policies.asked_groups(requirement) - before)),
                ),
                actor=self.actor,
            )
            asked = policies.newly_asked(before, requirement, self.voters().values())
            attend(self.row, asked, AttentionReason.WIDENED, at=at, cause=cause)

    def with_what_is_asked(self, asked: Requirement) -> Requirement:
        """Return the requirement with what the rules ask on top of it by now.

        Whom the ladder asked besides, because nobody answered, stays asked in those places.
        """
        if not any(rung.groups for rung in self.requirement.ladder):
            return policies.added(self.requirement, asked)
        rows = RequirementRow.objects.filter(proposal=self.row).order_by("no")
        found = list(rows.values_list("cause", "asked_groups"))
        wider = {
            group
            for (_, before), (cause, after) in pairwise(found)
            if cause in _WIDER
            for group in set(after) - set(before)
        }
        return policies.added(self.requirement, asked, widened_by=wider)

    def check_fillable(self, *, at: datetime) -> bool:
        """Flag a dead end, or take the flag away; returns whether all who may vote could agree.

        Whoever changes the requirement, the chain or the people calls it in that transaction.
        """
        filled = policies.can_be_filled(self.requirement, self.voters().values(), self.principals)
        since = None if filled else self.row.unfillable_since or at
        if since == self.row.unfillable_since:
            return filled
        self.row.unfillable_since = since
        self.save()
        groups = tuple(sorted(policies.asked_groups(self.requirement)))
        dead_end = ProposalUnfillable(
            proposal_id=self.row.id, needs=self.requirement.people, groups=groups
        )
        record(ProposalFillable(proposal_id=self.row.id) if filled else dead_end, actor=self.actor)
        return filled

    def void_decision(self, *, at: datetime) -> UUID:
        """End the decision that counts; returns its id, or the proposal's if there is none."""
        found = Decision.objects.filter(proposal=self.row, voided_at__isnull=True).first()
        if found is None:
            return self.row.id
        found.voided_at = at
        found.save(update_fields=["voided_at"])
        return found.id

    def void_votes(self, votes: Iterable[Vote], *, cause: str, at: datetime) -> None:
        gone = list(votes)
        for vote in gone:
            vote.voided_at, vote.void_cause = at, cause
            vote.save(update_fields=["voided_at", "void_cause"])
            record(
                VoteVoided(
                    proposal_id=self.row.id,
                    vote_event=vote.event_uid,
                    person=vote.person_id,
                    cause=cause,
                ),
                actor=self.actor,
            )
        self.votes = [vote for vote in self.votes if vote not in gone]
        if cause != "withdrawn":  # who takes a vote back knows why it is their turn
            people = [vote.person_id for vote in gone]
            attend(self.row, people, AttentionReason.VOIDED, at=at, cause=cause)

    # -- rules that need the rows ----------------------------------------------------------------

    def settle_clock(self, *, at: datetime) -> bool:
        """Let a deadline that has passed take effect; returns whether the proposal expired.

        Every command on a proposal calls it first, with the time read after the lock.
        """
        if self.state in DECIDABLE and self.window.is_over(at=at):
            return self.plan is None and self._fall_back(at=at)  # a change waits with its plan
        execute_by = self.row.execute_by
        if self.state is not ProposalState.APPROVED or not execute_by or at < execute_by:
            return False
        if self.plan is None and self._was_stopped_before(execute_by):
            # Nobody let it lapse: it goes back to people, who vote anew.
            self.void_votes(self.votes, cause="lapsed", at=at)
            self.start_window(at)
            self.reopen("lapsed", at=at)
            self.check_fillable(at=at)
            return False
        self.end(Outcome.EXPIRED, at=at, cause="execute_by", told=policies.NOT_RUN_IN_TIME)
        return True

    def tally(self, heard: Heard, *, at: datetime) -> None:
        """Decide if the votes suffice."""
        rejects = [vote for vote in self.votes if vote.choice == Choice.REJECT.value]
        if len(rejects) >= self.requirement.deny_threshold:
            self.reject(rejects[-1], at=at)
            return
        places = policies.assignment(self.requirement, self._counting(heard))
        if places is not None and self.state is ProposalState.OPEN:
            self.approve(places, at=at)

    @property
    def approvals(self) -> list[Vote]:
        return [vote for vote in self.votes if vote.choice == Choice.APPROVE.value]

    def hear(self, *also: tuple[UUID, datetime]) -> Heard:
        """Return what counts of those who approved; read anew, because rights change.

        Args:
            also: who is about to vote, and when.
        """
        return hear(actor=self.actor, row=self.row, votes=self.approvals, also=also)

    def assignment(self) -> tuple[Place, ...] | None:
        """Return who fills which place now, or None while one stays empty."""
        return policies.assignment(self.requirement, self.approvers())

    def approvers(self) -> list[Voter]:
        """Return those whose approval counts: still active, entitled and outside the chain."""
        return self._counting(self.hear())

    def _counting(self, heard: Heard) -> list[Voter]:
        return [
            voter
            for voter in heard.counting(self.approvals)
            if policies.who_refusal(voter, self.requirement, self.principals) is None
        ]

    def _fall_back(self, *, at: datetime) -> bool:
        """Do what the requirement says for nobody having decided; returns whether it expired."""
        match policies.fallback(self.requirement, tier=self.row.tier, state=self.state):
            case OnExpiry.APPROVE:
                rules = (f"policy version {self.requirement.policy_version}, on_expiry",)
                self.approve((), at=at, basis=Basis.TIMEOUT_RULE, rules=rules)
                return False
            case OnExpiry.ESCALATE:
                self.start_window(at)
                self.ask(policies.escalated(self.requirement), cause="escalated", at=at)
                self.save()
                return False
            case said:
                told = policies.NOBODY_DECIDED[said]
                self.end(Outcome.EXPIRED, at=at, cause="decide_by", told=told, fallback=said.value)
                return True

    def _was_stopped_before(self, moment: datetime) -> bool:
        return any(freeze.until is None and freeze.since < moment for freeze in self.freezes)

    def _decide(
        self, outcome: Outcome, assignment: deciding.Assignment, *, at: datetime, basis: Basis
    ) -> None:
        decide_by = self.window.deadline(at=at)
        deciding.store(
            self.revision, outcome, basis=basis, assignment=assignment, at=at, decide_by=decide_by
        )

    def _tell(self, outcome: Outcome, **facts: Any) -> None:
        deciding.tell(self.row, self.revision, outcome, actor=self.actor, **facts)


def lock(
    *, actor: Actor, proposal_id: UUID, skip_locked: bool = False, seen: Revision | None = None
) -> Desk | None:
    """Lock a proposal and read what belongs to it.

    Args:
        seen: a revision that was read before; it never changes, so if it is the current one it is
            not read again.

    Returns:
        None only with `skip_locked`: somebody else has it.

    Raises:
        NotFound: there is no such proposal in the actor's tenant.
    """
    row, plan = steps.locked(actor=actor, proposal_id=proposal_id, skip_locked=skip_locked)
    if row is None:
        if skip_locked:
            return None
        raise NotFound("There is no such proposal here; look at the list of reviews.")
    # All of these belong to the locked row, so they are read after the lock and cannot move.
    revision = _current(row, seen)
    of = {"proposal": row.id, "revision": revision.id}
    newest, *_ = prepared.rows(RequirementRow, f"{_OF_IT} ORDER BY no DESC LIMIT 1", of)
    chain = prepared.rows(PrincipalRow, f"{_OF_IT} ORDER BY id", of)
    return Desk(
        actor=actor,
        row=row,
        revision=revision,
        requirement=newest.card(),
        principals=tuple(principal.card() for principal in chain),
        freezes=prepared.rows(Freeze, f"{_OF_IT} ORDER BY since, id", of),
        votes=prepared.rows(Vote, _COUNTED, of),
        plan=plan,
    )


def _current(row: Proposal, seen: Revision | None) -> Revision:
    if seen is not None and (seen.proposal_id, seen.no) == (row.id, row.revision_no):
        return seen
    return Revision.objects.get(proposal=row, no=row.revision_no)


def must_lock(*, actor: Actor, proposal_id: UUID, seen: Revision | None = None) -> Desk:
    """Lock a proposal, waiting for whoever has it; `seen` as for `lock`."""
    desk = lock(actor=actor, proposal_id=proposal_id, seen=seen)
    if desk is None:
        raise NotFound("There is no such proposal here; look at the list of reviews.")
    return desk
