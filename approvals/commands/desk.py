"""One proposal under its row lock, with all that its rules need, and the moves it can make."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar, cast
from uuid import UUID

from approvals import policies
from approvals.cards import Content, Place, Principal, ProposalCard, Requirement, Voter
from approvals.errors import ProposalExpired
from approvals.events import ProposalDecided, ProposalReopened, VoteVoided
from approvals.models import (
    Decision,
    Freeze,
    PrincipalRow,
    Proposal,
    RequirementRow,
    Revision,
    Vote,
)
from approvals.queries.people import voters_of
from approvals.states import (
    DECIDABLE,
    FINAL,
    NEXT,
    Basis,
    Choice,
    Outcome,
    ProposalState,
)
from audit.commands import record
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError, NotFound

R = TypeVar("R")


@dataclass(slots=True, kw_only=True)
class Desk:
    """A locked proposal with what belongs to it. Made by `lock`, inside a command."""

    actor: Actor
    row: Proposal
    revision: Revision
    requirement: Requirement
    principals: tuple[Principal, ...]
    freezes: list[Freeze]
    votes: list[Vote]  # active ones on the current revision, oldest first

    @property
    def state(self) -> ProposalState:
        return ProposalState(self.row.state)

    @property
    def window(self) -> policies.Window:
        return policies.Window(
            opened_at=self.row.window_opened_at,
            length_s=self.row.window_s,
            freezes=tuple(freeze.card() for freeze in self.freezes),
        )

    @property
    def digest(self) -> str:
        return bytes(self.revision.digest).hex()

    @property
    def content(self) -> Content:
        return self.revision.content(self.row.tool)

    def card(self) -> ProposalCard:
        return self.row.card(
            revision=self.revision,
            needs=self.requirement.people,
            frozen=bool(self.window.causes),
        )

    def voters(self) -> Mapping[UUID, Voter]:
        """Return who may vote at this moment; read anew, because rights change."""
        return voters_of(actor=self.actor, tool_id=self.row.tool_id)

    # -- moves -----------------------------------------------------------------------------------

    def move(self, to: ProposalState, *, at: datetime, cause: str = "") -> None:
        """Change the state. The trigger `proposal_transition_allowed` repeats the check."""
        if to not in NEXT[self.state]:
            raise RuntimeError(f"A proposal cannot go from {self.state} to {to}.")
        self.row.state = to.value
        if to is not ProposalState.APPROVED and to not in FINAL:
            self.row.execute_by = None
        self.row.moved_at = at
        if to in FINAL:
            self.row.close_cause = cause[:200]
        self.save()

    def save(self) -> None:
        self.row.row_version += 1
        self.row.save(update_fields=_MUTABLE)

    def start_window(self, at: datetime) -> None:
        """Give people the whole time again, from `at`."""
        self.row.window_opened_at = at
        self.row.decide_by = self.window.deadline(at=at)

    def end(self, outcome: Outcome, *, at: datetime, cause: str, told: str) -> None:
        """Close without a decision of people: expired, withdrawn or superseded."""
        self.void_decision(at=at)
        self.move(ProposalState(outcome.value), at=at, cause=cause)
        record(
            ProposalDecided(
                proposal_id=self.row.id,
                outcome=outcome.value,
                basis="",
                code=cause,
                agent_message=told,
                revision_no=self.row.revision_no,
                digest=self.digest,
            ),
            actor=self.actor,
        )

    def approve(self, places: Iterable[Place], *, at: datetime) -> None:
        """Settle as approved; the time to execute starts now and is never extended."""
        assignment = [
            {"block": place.block, "person": str(place.person_id), "group": place.group}
            for place in places
        ]
        self._decide(Outcome.APPROVED, assignment, at=at)
        self.row.execute_by = at + timedelta(seconds=self.requirement.execute_s)
        self.move(ProposalState.APPROVED, at=at)
        self._tell(Outcome.APPROVED, code="", told="", assignment=assignment)

    def reject(self, vote: Vote, *, at: datetime) -> None:
        assignment = [{"block": 0, "person": str(vote.person_id), "group": ""}]
        self._decide(Outcome.REJECTED, assignment, at=at)
        self.move(ProposalState.REJECTED, at=at, cause=vote.reason_code)
        told = vote.agent_message or vote.note
        self._tell(Outcome.REJECTED, code=vote.reason_code, told=told, assignment=assignment)

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

    # -- rules that need the rows ----------------------------------------------------------------

    def settle_clock(self, *, at: datetime) -> bool:
        """Let a deadline that has passed take effect; returns whether the proposal expired.

        Every command on a proposal calls it first, with the time read after the lock.
        """
        if self.state in DECIDABLE and self.window.is_over(at=at):
            self.end(Outcome.EXPIRED, at=at, cause="decide_by", told=_NOBODY_DECIDED)
            return True
        if self.state is not ProposalState.APPROVED or not self._approval_is_over(at):
            return False
        if self._lapsed_under_a_stop():
            # Nobody let it lapse: it goes back to people, who vote anew.
            self.void_votes(self.votes, cause="lapsed", at=at)
            self.start_window(at)
            self.reopen("lapsed", at=at)
            return False
        self.end(Outcome.EXPIRED, at=at, cause="execute_by", told=_NOT_RUN_IN_TIME)
        return True

    def tally(self, *, at: datetime) -> None:
        """Decide if the votes suffice."""
        rejects = [vote for vote in self.votes if vote.choice == Choice.REJECT.value]
        if len(rejects) >= policies.DENY_THRESHOLD:
            self.reject(rejects[-1], at=at)
            return
        places = self.assignment()
        if places is not None and self.state is ProposalState.OPEN:
            self.approve(places, at=at)

    def assignment(self) -> tuple[Place, ...] | None:
        """Return who fills which place now, or None while one stays empty."""
        return policies.assignment(self.requirement, self.approvers())

    def approvers(self) -> list[Voter]:
        """Return those whose approval counts: still active, entitled and outside the chain."""
        voters = self.voters()
        cast = [vote.person_id for vote in self.votes if vote.choice == Choice.APPROVE.value]
        found = [voters[person] for person in cast if person in voters]
        return [
            voter
            for voter in found
            if policies.who_refusal(voter, self.requirement, self.principals) is None
        ]

    def _approval_is_over(self, at: datetime) -> bool:
        return self.row.execute_by is not None and at >= self.row.execute_by

    def _lapsed_under_a_stop(self) -> bool:
        open_since = [freeze.since for freeze in self.freezes if freeze.until is None]
        return bool(open_since and self.row.execute_by and min(open_since) < self.row.execute_by)

    def _decide(
        self, outcome: Outcome, assignment: list[dict[str, object]], *, at: datetime
    ) -> None:
        Decision.objects.create(
            tenant_id=self.row.tenant_id,
            proposal=self.row,
            revision=self.revision,
            digest=self.revision.digest,
            outcome=outcome.value,
            basis=Basis.PEOPLE.value,
            assignment=assignment,
            decided_at=at,
            decide_by=self.window.deadline(at=at),
        )

    def _tell(
        self, outcome: Outcome, *, code: str, told: str, assignment: list[dict[str, object]]
    ) -> None:
        execute_by = self.row.execute_by
        record(
            ProposalDecided(
                proposal_id=self.row.id,
                outcome=outcome.value,
                basis=Basis.PEOPLE.value,
                code=code,
                agent_message=told,
                revision_no=self.row.revision_no,
                digest=self.digest,
                assignment=tuple(
                    f"{place['block']} {place['person']} {place['group']}".strip()
                    for place in assignment
                ),
                execute_by=execute_by.isoformat() if execute_by else "",
            ),
            actor=self.actor,
        )


# Columns of a proposal that may change at all; the role of the application has no right on others.
_MUTABLE = (
    "state",
    "revision_no",
    "refresh_count",
    "window_opened_at",
    "decide_by",
    "execute_by",
    "moved_at",
    "close_cause",
    "unfillable_since",
    "observed_before",
    "row_version",
)
_NOBODY_DECIDED = "Nobody decided in time, so the change was not made."
_NOT_RUN_IN_TIME = "The approval ran out before the change could be made; it was not made."


def lock(*, actor: Actor, proposal_id: UUID, skip_locked: bool = False) -> Desk | None:
    """Lock a proposal and read what belongs to it.

    Returns:
        None only with `skip_locked`: somebody else has it.

    Raises:
        NotFound: there is no such proposal in the actor's tenant.
    """
    row = Proposal.objects.select_for_update(skip_locked=skip_locked).filter(pk=proposal_id).first()
    if row is None:
        if skip_locked:
            return None
        raise NotFound("There is no such proposal here; look at the list of reviews.")
    # All of these belong to the locked row, so they are read after the lock and cannot move.
    revision = Revision.objects.get(proposal=row, no=row.revision_no)
    return Desk(
        actor=actor,
        row=row,
        revision=revision,
        requirement=RequirementRow.objects.get(proposal=row).card(),
        principals=tuple(
            principal.card()
            for principal in PrincipalRow.objects.filter(proposal=row).order_by("id")
        ),
        freezes=list(Freeze.objects.filter(proposal=row).order_by("since", "id")),
        votes=list(
            Vote.objects.filter(revision=revision, voided_at__isnull=True).order_by("cast_at", "id")
        ),
    )


def must_lock(*, actor: Actor, proposal_id: UUID) -> Desk:
    """Lock a proposal, waiting for whoever has it."""
    desk = lock(actor=actor, proposal_id=proposal_id)
    if desk is None:
        raise NotFound("There is no such proposal here; look at the list of reviews.")
    return desk


def settled_by(desk: Desk) -> str:
    """Return who settled the proposal and when, as a sentence; "" while nobody has."""
    if desk.state in DECIDABLE:
        return ""
    decision = (
        Decision.objects.filter(proposal=desk.row, voided_at__isnull=True)
        .order_by("-decided_at")
        .first()
    )
    if decision is None:
        return f"This proposal was {desk.state.value} at {clock_text(desk.row.moved_at)}."
    people = [place["person"] for place in decision.assignment]
    names = list(
        Vote.objects.filter(revision_id=decision.revision_id, person_id__in=people)
        .order_by("cast_at")
        .values_list("person_label", flat=True)
    )
    who = " and ".join(dict.fromkeys(names))
    return f"This was {decision.outcome} by {who} at {clock_text(decision.decided_at)}."


def clock_text(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def expired() -> ProposalExpired:
    return ProposalExpired("The time for this is over and nothing ran; ask for a new proposal.")


def kept(refusal: ConsoleError, _as: type[R]) -> R:
    """Return a refusal that `@command` raises after the commit: what was noticed is kept."""
    return cast("R", refusal)
