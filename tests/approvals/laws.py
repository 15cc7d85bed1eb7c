"""The invariants I1 to I12 of one proposal, read from the tables alone, whatever an oracle says."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations, pairwise
from typing import Any, Final
from uuid import UUID

from django.db import connection

from approvals.models import (
    Decision,
    Delegation,
    Dispatch,
    PrincipalRow,
    Proposal,
    RequirementRow,
    Revision,
    StandingUse,
    Vote,
)
from approvals.states import Basis
from console.kernel.transactions import in_tenant

ENDED: Final = {"dispatched", "rejected", "expired", "withdrawn", "superseded", "blocked"}
MOVES: Final = {
    "proposal.decided",
    "proposal.staled",
    "proposal.reopened",
    "proposal.revised",
    "proposal.dispatched",
}
LENDING: Final = {"delegation.made", "delegation.ended"}
LONGEST_LOAN: Final = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the tables say of one proposal."""

    row: Proposal
    revision: Revision
    votes: list[Vote]


class Laws:
    """What was seen of one proposal so far; `hold` compares it with what is there now.

    Args:
        since: from when on delegations have a part in it.
    """

    def __init__(self, tenant_id: UUID, proposal_id: UUID, *, since: datetime) -> None:
        self.tenant_id = tenant_id
        self.id = proposal_id
        self.since = since
        self.state = "open"
        self.asked: list[tuple[int, int]] = []  # people and blocks of each requirement
        self.trail = self._newest_event()

    def hold(self, *, told: Sequence[str]) -> Seen:
        """Check every law, and that the trail got exactly the moves that were told, in order."""
        with in_tenant(self.tenant_id):
            row = Proposal.objects.get(pk=self.id)
            revision = Revision.objects.get(proposal=row, no=row.revision_no)
            votes = list(Vote.objects.filter(proposal=row))
            decisions = list(Decision.objects.filter(proposal=row))
            dispatches = list(Dispatch.objects.filter(proposal=row))
            self._only_what_was_agreed(row, revision, decisions, dispatches)
            self._ends_are_final(row, dispatches)
            self._voters_are_people_outside_the_chain(row, revision, votes)
            self._times(votes, decisions, dispatches)
            self._never_loosened(row)
            loans = list(Delegation.objects.filter(made_at__gte=self.since))
            self._one_loan_at_a_time(loans)
            self._a_say_is_moved_and_never_added(loans, votes, decisions, dispatches)
            assert self._new_moves() == list(told)
        self.state = row.state
        return Seen(row=row, revision=revision, votes=votes)

    def _only_what_was_agreed(
        self,
        row: Proposal,
        revision: Revision,
        decisions: list[Decision],
        dispatches: list[Dispatch],
    ) -> None:
        """I1 and I2: at most one dispatch, of the content that an approval binds."""
        active = [one for one in decisions if one.voided_at is None]
        assert len(active) == int(row.state in {"approved", "rejected", "dispatched"})
        assert len(dispatches) == int(row.state == "dispatched")
        for one in dispatches:
            (decision,) = active
            assert (one.decision_id, decision.outcome) == (decision.pk, "approved")
            assert bytes(one.digest) == bytes(decision.digest) == bytes(revision.digest)
            assert bytes(one.observed_digest) == bytes(one.digest)
        for made in decisions:
            self._on_somebodys_word(row, made)

    def _on_somebodys_word(self, row: Proposal, decision: Decision) -> None:
        """I1: people whose votes fill places, or one standing approval that spoke for this."""
        uses = StandingUse.objects.filter(proposal=row).select_related("standing")
        if decision.basis == Basis.PEOPLE.value:
            assert decision.assignment
        if decision.basis == Basis.STANDING.value:
            (use,) = uses
            given = use.standing
            behind = PrincipalRow.objects.filter(proposal=row, person_id=given.maker_id)
            assert not behind.exists()
            assert (row.tier, row.tool, row.agent_id) == (1, given.tool, given.agent_id)
            assert decision.revision.contract_hash == given.contract_hash
            spent = StandingUse.objects.filter(standing=given).count()
            assert given.uses - given.uses_left == spent
            assert use.used_at < given.ends_at

    def _ends_are_final(self, row: Proposal, dispatches: list[Dispatch]) -> None:
        """I3 and I8: what ended stays, and only what was dispatched ran."""
        if self.state in ENDED:
            assert row.state == self.state
        if row.state in ENDED - {"dispatched"}:
            assert dispatches == []

    def _voters_are_people_outside_the_chain(
        self, row: Proposal, revision: Revision, votes: list[Vote]
    ) -> None:
        """I4, I5 and I9: different people and sessions, none behind the request, on this digest."""
        chain = PrincipalRow.objects.filter(proposal=row, person_id__isnull=False)
        behind = set(chain.values_list("person_id", flat=True))
        active = [vote for vote in votes if vote.voided_at is None]
        assert not behind & {vote.person_id for vote in active}
        assert len({vote.person_id for vote in active}) == len(active)
        assert len({vote.session for vote in active}) == len(active)
        assert {vote.revision_id for vote in active} <= {revision.pk}
        assert {bytes(vote.digest) for vote in active} <= {bytes(revision.digest)}

    def _times(
        self, votes: list[Vote], decisions: list[Decision], dispatches: list[Dispatch]
    ) -> None:
        """I7: nothing late counts."""
        assert all(one.decided_at < one.decide_by for one in decisions)
        assert all(one.claimed_at < one.execute_by for one in dispatches)
        for decision in decisions:
            for place in decision.assignment:
                mine = [vote.cast_at for vote in votes if str(vote.person_id) == place["person"]]
                assert min(mine) <= decision.decided_at

    def _never_loosened(self, row: Proposal) -> None:
        """I10: what was asked stays asked."""
        rows = RequirementRow.objects.filter(proposal=row).order_by("no")
        asked = [(one.people, len(one.blocks)) for one in rows]
        assert asked[: len(self.asked)] == self.asked
        assert all(
            before[0] <= after[0] and before[1] <= after[1] for before, after in pairwise(asked)
        )
        self.asked = asked

    def _one_loan_at_a_time(self, loans: list[Delegation]) -> None:
        """One level, one at a time, 14 days, and never to oneself."""
        for one in loans:
            assert one.from_person_id != one.to_person_id
            assert one.made_at < one.until <= one.made_at + LONGEST_LOAN
        for one, other in combinations(sorted(loans, key=lambda loan: loan.created_at), 2):
            apart = {one.from_person_id, one.to_person_id}.isdisjoint(
                {other.from_person_id, other.to_person_id}
            )
            assert apart or _over(one) <= other.made_at

    def _a_say_is_moved_and_never_added(
        self,
        loans: list[Delegation],
        votes: list[Vote],
        decisions: list[Decision],
        dispatches: list[Dispatch],
    ) -> None:
        """I5: a vote fills what was lent to its voter; two who are joined fill one place."""
        lent = {loan.pk: loan for loan in loans}
        for vote in votes:
            if vote.delegation_id is not None:
                loan = lent[vote.delegation_id]
                assert vote.person_id == loan.to_person_id
                assert loan.made_at <= vote.cast_at < loan.until
                assert vote.cast_at <= _over(loan)
        ran = {one.decision_id: one for one in dispatches}
        for decision in decisions:
            if decision.basis == Basis.PEOPLE.value and decision.outcome == "approved":
                behind = _behind(decision, votes)
                before = [loan for loan in loans if loan.created_at < decision.created_at]
                self._joined_fill_one_place(decision, behind, before)
                self._places_were_lent(decision, behind, lent, ran.get(decision.pk))

    def _joined_fill_one_place(
        self, decision: Decision, behind: Mapping[str, Vote], loans: list[Delegation]
    ) -> None:
        for one, other in combinations(decision.assignment, 2):
            pair = {one["person"], other["person"]}
            times = [behind[person].cast_at for person in pair]
            assert one["block"] != other["block"] or not any(
                {str(loan.from_person_id), str(loan.to_person_id)} == pair
                and loan.made_at <= at < _over(loan)
                for loan in loans
                for at in times
            )

    def _places_were_lent(
        self,
        decision: Decision,
        behind: Mapping[str, Vote],
        lent: Mapping[UUID, Delegation],
        dispatch: Dispatch | None,
    ) -> None:
        """A vote counts for the group of its delegation; nothing runs on what a person ended."""
        for place in decision.assignment:
            vote = behind[place["person"]]
            if vote.delegation_id is None:
                continue
            loan = lent[vote.delegation_id]
            assert place["group"] in {loan.group, "*"}
            if dispatch is not None and vote.voided_at is None and loan.ended_at is not None:
                assert dispatch.claimed_at <= loan.ended_at

    # -- I6: the trail ---------------------------------------------------------------------------

    def _newest_event(self) -> int:
        with in_tenant(self.tenant_id), connection.cursor() as cursor:
            cursor.execute("SELECT coalesce(max(id), 0) FROM audit_event")
            return int(cursor.fetchone()[0])

    def _new_moves(self) -> list[str]:
        """Return the moves of this proposal that were recorded since the last look."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id, envelope FROM audit_event WHERE id > %s ORDER BY id", [self.trail]
            )
            rows = cursor.fetchall()
        found: list[dict[str, Any]] = [json.loads(bytes(envelope)) for _, envelope in rows]
        self.trail = max([self.trail, *(number for number, _ in rows)])
        return [
            one["action"]
            for one in found
            if one["action"] in LENDING
            or (one["action"] in MOVES and one["target"]["id"] == str(self.id))
        ]


def _behind(decision: Decision, votes: list[Vote]) -> dict[str, Vote]:
    """Return the votes that a decision saw, by person; of several of one person the last."""
    return {
        str(vote.person_id): vote
        for vote in sorted(votes, key=lambda vote: vote.created_at)
        if vote.revision_id == decision.revision_id and vote.created_at <= decision.created_at
    }


def _over(loan: Delegation) -> datetime:
    return loan.until if loan.ended_at is None else loan.ended_at
