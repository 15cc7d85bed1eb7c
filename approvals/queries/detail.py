"""One proposal as one reader may see it."""

from dataclasses import replace
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from approvals import diffs, policies
from approvals.cards import (
    ClockCard,
    DecisionCard,
    HistoryLine,
    ProposalDetail,
    ProposalPage,
    ReviewerLine,
    VoteCard,
    Voter,
)
from approvals.cards.reviewing import GlassCard
from approvals.events import PROPOSAL
from approvals.models import (
    Decision,
    Dispatch,
    Freeze,
    PrincipalRow,
    Proposal,
    RequirementRow,
    Revision,
    StandingUse,
    Vote,
)
from approvals.policies import planning
from approvals.queries.breaking import glass_of, uses_of
from approvals.queries.changes import drift_lines
from approvals.queries.checks import origin_of, planting_of, reveal_of
from approvals.queries.clocks import clock_card, extend_refusal
from approvals.queries.deciders import deciders_of
from approvals.queries.editing import seen_row
from approvals.queries.evidence import evidence_of
from approvals.queries.hearing import count_people
from approvals.queries.people import as_voter, seen_by, voters_on
from approvals.queries.plans import plan_of_row
from approvals.queries.standing import words_of
from approvals.queries.thread import thread_of
from approvals.states import DECIDABLE, Basis, Choice, Outcome, ProposalState
from audit.cards import EntryCard
from audit.queries import events_of
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError, NotFound
from console.kernel.transactions import query

_MOST_EVENTS: Final = 200
_DECIDED: Final = "proposal.decided"


@query
def proposal(*, actor: Actor, proposal_id: UUID) -> ProposalDetail:
    """Return all that the page of a proposal shows to this reader.

    While votes are hidden from the reader, nothing in the answer depends on them.

    Raises:
        NotFound: there is none in the reader's tenant, or of no tool that the reader may see.
    """
    return _Reading(actor, seen_row(actor, proposal_id)).detail()


@query
def proposal_page(*, actor: Actor, proposal_id: UUID) -> ProposalPage:
    """Return a proposal with all that stands around it: one transaction, and nothing read twice.

    Raises:
        NotFound: as for `proposal`.
    """
    row = seen_row(actor, proposal_id)
    read = _Reading(actor, row)
    detail = read.detail()
    return ProposalPage(
        detail=detail,
        clock=read.clock(),
        evidence=evidence_of(row, seen_by(actor), detail.diff, at=read.at),
        thread=thread_of(row),
    )


class _Reading:
    """What was read of one proposal, and how one reader may see it."""

    def __init__(self, actor: Actor, row: Proposal) -> None:
        self.actor = actor
        self.row = row
        self.at = clock.now()
        self.revision = Revision.objects.get(proposal=row, no=row.revision_no)
        self.asked = list(RequirementRow.objects.filter(proposal=row).order_by("no"))
        self.requirement = self.asked[-1].card()
        self.principals = tuple(
            each.card() for each in PrincipalRow.objects.filter(proposal=row).order_by("id")
        )
        self.freezes = tuple(
            each.card() for each in Freeze.objects.filter(proposal=row).order_by("since", "id")
        )
        self.votes = _votes_of(row)
        self.voters = voters_on(actor=actor, row=row)
        self.mine = [vote for vote in self.votes if str(vote.person_id) == actor.id]
        self.events = events_of(
            actor=actor, target_type=PROPOSAL, target_id=str(row.id), limit=_MOST_EVENTS
        )
        self.blind = self._is_blind()

    def detail(self) -> ProposalDetail:
        content = self.revision.content(self.row.tool)
        active = [vote for vote in self.votes if self._counts(vote)]
        lines = self._lines([] if self.blind else active)
        return ProposalDetail(
            card=self.row.card(
                revision=self.revision,
                needs=self.requirement.people,
                frozen=bool(self.window.causes),
            ),
            facts=self.row.facts(),
            content=content,
            diff=diffs.between(content.before, content.after),
            requirement=self.requirement,
            principals=self.principals,
            reviewers=lines,
            others=tuple(
                vote for vote in active if vote.person_id not in self.voters and not self.blind
            ),
            blind=self.blind,
            given=None if self.blind else _given(active),
            my_vote=next((vote for vote in self.mine if self._counts(vote)), None),
            my_voided=self._voided_of_mine(),
            refusal=self._refusal(),
            approve_refusal=self._approve_refusal(),
            decision=_decision_of(self.row),
            dispatch=_dispatch_of(self.row),
            close_cause=self.row.close_cause,
            frozen_causes=self.window.causes,
            unfillable=not policies.can_be_filled(
                self.requirement, self.voters.values(), self.principals
            ),
            drift=drift_lines(self.row, content),
            glass=self._glass(),
            glass_uses=uses_of(self.row),
            history=self._history(),
            read_at=self.at,
            voter=self.voters.get(UUID(self.actor.id)) if self.actor.is_person else None,
            plan=plan_of_row(self.actor, self.row),
            origin=origin_of(self.row),
            check=reveal_of(self.row),
        )

    def clock(self) -> ClockCard:
        return clock_card(
            self.row,
            asked=self.asked,
            history=self.events,
            window=self.window,
            extend_refusal=extend_refusal(
                self.actor, self.row, self.requirement, self.window, self.principals, self.voters
            ),
            at=self.at,
        )

    @cached_property
    def window(self) -> policies.Window:
        return policies.Window(
            opened_at=self.row.window_opened_at,
            length_s=self.row.window_s,
            freezes=self.freezes,
        )

    @property
    def state(self) -> ProposalState:
        return ProposalState(self.row.state)

    def _counts(self, vote: VoteCard) -> bool:
        return vote.voided_at is None and vote.revision_no == self.row.revision_no

    def _is_blind(self) -> bool:
        """Say whether votes are hidden: from those who may still vote, until their own is in."""
        return (
            self.requirement.blind
            and self.state in DECIDABLE
            and self._who_refusal() is None
            and not any(self._counts(vote) for vote in self.mine)
        )

    def _who_refusal(self) -> ConsoleError | None:
        if not self.actor.is_person:
            return NotFound("Only people vote.")
        voter = as_voter(self.actor, self.voters)
        return policies.who_refusal(voter, self.requirement, self.principals)

    def _refusal(self) -> str:
        """Return why this reader may not vote, in the words of the refusal itself."""
        refusal = self._who_refusal()
        if refusal is None and self.state in DECIDABLE:
            try:
                planning.require_whole(self.row.plan_pos)
                policies.require_in_time(self.window, at=self.at)
            except ConsoleError as late:
                refusal = late
        return refusal.message if refusal else ""

    def _approve_refusal(self) -> str:
        try:
            if self.state in DECIDABLE:
                policies.require_decidable(self.state, Choice.APPROVE, settled_by="")
            policies.require_not_frozen(self.window, Choice.APPROVE)
        except ConsoleError as refusal:
            return refusal.message
        return ""

    def _glass(self) -> GlassCard | None:
        """Return what a holder of the right to break glass may do here; None for anybody else."""
        if self.state not in DECIDABLE:
            return None
        return glass_of(
            self.actor,
            self.row,
            self.requirement,
            self.principals,
            self.voters.values(),
            at=self.at,
        )

    def _lines(self, votes: list[VoteCard]) -> tuple[ReviewerLine, ...]:
        cast = {vote.person_id: vote for vote in votes}
        return tuple(
            ReviewerLine(
                person_id=voter.person_id,
                name=voter.name,
                groups=tuple(sorted(voter.groups)),
                refusal=self._why_not(voter),
                vote=cast.get(voter.person_id),
                in_place_of=f"{voter.lent.name} ({voter.lent.group})" if voter.lent else "",
            )
            for voter in self.voters.values()
        )

    def _why_not(self, voter: Voter) -> str:
        refusal = policies.who_refusal(voter, self.requirement, self.principals)
        if refusal is None:
            return ""
        return policies.about_somebody_else(refusal, self.principals, voter.person_id)

    def _voided_of_mine(self) -> VoteCard | None:
        gone = [v for v in self.mine if v.voided_at and v.void_cause != "withdrawn"]
        return gone[-1] if gone else None

    def _history(self) -> tuple[HistoryLine, ...]:
        lines = planting_of(self.actor, self.row) + [_line(card) for card in self.events]
        lines.sort(key=lambda line: line.at)
        if any(line.action == _DECIDED for line in lines):
            lines = _with_words(self.row, lines)
        if self.blind:
            # An own vote would end the blindness, so whatever is left out is somebody else's.
            lines = [line for line in lines if not line.action.startswith("vote.")]
        return tuple(lines)


def _given(votes: list[VoteCard]) -> int:
    approvals = [vote for vote in votes if vote.choice is Choice.APPROVE]
    return count_people([(vote.person_id, vote.cast_at) for vote in approvals])


def _votes_of(row: Proposal) -> list[VoteCard]:
    votes = Vote.objects.filter(proposal=row).select_related("revision")
    return [vote.card(vote.revision.no) for vote in votes.order_by("cast_at", "id")]


def _decision_of(row: Proposal) -> DecisionCard | None:
    found = (
        Decision.objects.filter(proposal=row, voided_at__isnull=True)
        .select_related("revision")
        .first()
    )
    if found is None:
        return None
    return DecisionCard(
        outcome=Outcome(found.outcome),
        basis=Basis(found.basis),
        revision_no=found.revision.no,
        decided_at=found.decided_at,
        people=deciders_of(found),
        standing=words_of([row.id]).get(row.id) if found.basis == Basis.STANDING.value else None,
    )


def _dispatch_of(row: Proposal) -> Any:
    found = Dispatch.objects.filter(proposal=row).first()
    return found.card() if found else None


def _with_words(row: Proposal, lines: list[HistoryLine]) -> list[HistoryLine]:
    """Say of each decision on whose standing approval it was; each has one event, in this order."""
    use = StandingUse.objects.filter(proposal=row).select_related("standing").first()
    if use is None:
        return lines
    word = f"on the standing approval of {use.standing.maker_label}"
    decided = Decision.objects.filter(proposal=row).order_by("decided_at", "id")
    words = iter([word if one.basis == Basis.STANDING else "" for one in decided])
    return [
        replace(line, word=next(words, "")) if line.action == _DECIDED else line for line in lines
    ]


def _line(card: EntryCard) -> HistoryLine:
    """Return what happened, with its place in the trail once it is sealed."""
    return HistoryLine(
        action=card.action,
        actor_id=card.actor_id,
        who=card.actor_label,
        at=card.received_at,
        index=card.index,
    )
