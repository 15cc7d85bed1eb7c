"""The invariants I1 to I12 of one proposal, read from the tables alone, whatever an oracle says."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import combinations, pairwise
from typing import Any, Final
from uuid import UUID

from tests.approvals import tables
from tests.approvals.tables import Row, Tables

ENDED: Final = {"dispatched", "rejected", "expired", "withdrawn", "superseded", "blocked"}
UNDECIDED_END: Final = {"expired", "withdrawn", "superseded", "blocked"}
MOVES: Final = {
    "proposal.decided",
    "proposal.staled",
    "proposal.reopened",
    "proposal.revised",
    "proposal.widened",
    "proposal.dispatched",
}
LENDING: Final = {"delegation.made", "delegation.ended"}
# What else is told of a proposal: `_each_row_was_told` counts it against the rows.
TOLD: Final = {
    "proposal.opened", "proposal.extended", "proposal.reminded", "proposal.unfillable",
    "proposal.fillable", "proposal.frozen", "proposal.thawed", "proposal.asked",
    "proposal.answered", "proposal.noted", "proposal.break_glass", "break_glass.refused",
    "review_task.opened", "review_task.closed", "vote.cast", "vote.voided", "vote.refused",
}  # fmt: skip
LONGEST_LOAN: Final = timedelta(days=14)


class Laws:
    """What was seen of one proposal so far; `hold` compares it with what is there now.

    Args:
        since: from when on delegations have a part in it.
    """

    def __init__(self, tenant_id: UUID, proposal_id: UUID, *, since: datetime, trail: int) -> None:
        self.tenant_id = tenant_id
        self.id = proposal_id
        self.since = since
        self.state = ""
        self.asked: list[tuple[int, int]] = []  # people and blocks of each requirement
        self.trail = trail
        self.told: Counter[str] = Counter()  # of this proposal so far

    def hold(self, *, told: Sequence[str]) -> Tables:
        """Check every law, and that the trail got exactly the moves that were told, in order."""
        seen = tables.look(self.tenant_id, self.id, since=self.since, trail=self.trail)
        rows = seen.rows
        self._only_what_was_agreed(seen)
        self._ends_are_final(seen)
        self._voters_are_people_outside_the_chain(seen)
        self._times(rows)
        self._never_loosened(rows.requirements)
        self._one_loan_at_a_time(rows.loans)
        self._a_say_is_moved_and_never_added(rows)
        assert self._new_moves(seen.events) == list(told)
        self._each_row_was_told(seen)
        self.state = seen.proposal.state
        return seen

    def _only_what_was_agreed(self, seen: Tables) -> None:
        """I1 and I2: at most one dispatch, of the content that an approval binds."""
        rows, state = seen.rows, seen.proposal.state
        active = [one for one in rows.decisions if one.voided_at is None]
        assert len(active) == int(state in {"approved", "rejected", "dispatched"})
        assert len(rows.dispatches) == int(state == "dispatched")
        for one in rows.dispatches:
            (decision,) = active
            assert (one.decision_id, decision.outcome) == (decision.id, "approved")
            assert one.digest == decision.digest == seen.revision.digest == one.observed
        for made in rows.decisions:
            self._on_somebodys_word(seen, made)

    def _on_somebodys_word(self, seen: Tables, decision: Row) -> None:
        """I1: people whose votes fill places, one standing approval, one broken glass, a rule."""
        rows = seen.rows
        assert decision.outcome == "approved" or decision.basis == "people"
        glass = [one for one in rows.glass if one.decision_id == decision.id]
        assert len(glass) == int(decision.basis == "break_glass")
        match decision.basis:
            case "people":
                assert decision.assignment
            case "standing":
                (use,) = rows.uses
                assert use.maker_id not in {one.person_id for one in rows.principals}
                assert (seen.proposal.tier, seen.proposal.tool) == (1, use.tool)
                assert (use.tier, use.agent_id) == (1, seen.proposal.agent_id)
                assert {one.contract_hash for one in rows.revisions} == {use.contract_hash}
                assert use.gone == use.used
                assert use.used_at < use.ends_at
            case "break_glass":
                self._broken_by_right(glass[0], decision, rows)
            case "timeout_rule":
                assert seen.proposal.tier == 1
                assert "approve" in {one.on_expiry for one in rows.requirements}
                assert decision.decided_at >= decision.decide_by
            case other:
                raise AssertionError(other)

    def _broken_by_right(self, use: Row, decision: Row, rows: Row) -> None:
        """One person outside the chain, whom somebody else had lent it, and who is looked at."""
        assert use.digest == decision.digest
        before = {one.person_id for one in rows.principals if one.role != "editor"}
        assert use.person_id not in before | {use.granted_by_id, use.closed_by_id}
        assert use.granted_at <= use.used_at < use.expires_at
        assert use.revoked_at is None or use.used_at <= use.revoked_at
        assert sum(one.kind == "break_glass" for one in rows.tasks) == len(rows.glass)
        for one in rows.dispatches:
            if one.decision_id == decision.id and use.revoked_at is not None:
                assert one.claimed_at <= use.revoked_at

    def _ends_are_final(self, seen: Tables) -> None:
        """I3 and I8: what ended stays, and only what was dispatched ran."""
        state = seen.proposal.state
        if self.state in ENDED:
            assert state == self.state
        if state in ENDED - {"dispatched"}:
            assert seen.rows.dispatches == []

    def _voters_are_people_outside_the_chain(self, seen: Tables) -> None:
        """I4, I5 and I9: different people and sessions, none behind the request, on this digest."""
        behind = {one.person_id for one in seen.rows.principals}
        active = [vote for vote in seen.votes if vote.voided_at is None]
        assert not behind & {vote.person_id for vote in active}
        assert len({vote.person_id for vote in active}) == len(active)
        assert len({vote.session for vote in active}) == len(active)
        assert {vote.revision_id for vote in active} <= {seen.revision.id}
        assert {vote.digest for vote in active} <= {seen.revision.digest}

    def _times(self, rows: Row) -> None:
        """I7: nothing late counts."""
        in_time = [one for one in rows.decisions if one.basis != "timeout_rule"]
        assert all(one.decided_at < one.decide_by for one in in_time)
        assert all(one.claimed_at < one.execute_by for one in rows.dispatches)
        for decision in rows.decisions:
            for place in decision.assignment:
                mine = [vote.cast_at for vote in rows.votes if vote.person_id == place.person]
                assert min(mine) <= decision.decided_at

    def _never_loosened(self, requirements: list[Row]) -> None:
        """I10: what was asked stays asked."""
        asked = [(one.people, one.blocks) for one in requirements]
        assert asked[: len(self.asked)] == self.asked
        assert all(
            before[0] <= after[0] and before[1] <= after[1] for before, after in pairwise(asked)
        )
        self.asked = asked

    def _one_loan_at_a_time(self, loans: list[Row]) -> None:
        """One level, one at a time, 14 days, and never to oneself."""
        for one in loans:
            assert one.from_person_id != one.to_person_id
            assert one.made_at < one.until <= one.made_at + LONGEST_LOAN
        for one, other in combinations(loans, 2):
            apart = {one.from_person_id, one.to_person_id}.isdisjoint(
                {other.from_person_id, other.to_person_id}
            )
            assert apart or _over(one) <= other.made_at

    def _a_say_is_moved_and_never_added(self, rows: Row) -> None:
        """I5: a vote fills what was lent to its voter; two who are joined fill one place."""
        lent = {loan.id: loan for loan in rows.loans}
        for vote in rows.votes:
            if vote.delegation_id is not None:
                loan = lent[vote.delegation_id]
                assert vote.person_id == loan.to_person_id
                assert loan.made_at <= vote.cast_at < loan.until
                assert vote.cast_at <= _over(loan)
        ran = {one.decision_id: one for one in rows.dispatches}
        for decision in rows.decisions:
            if decision.basis == "people" and decision.outcome == "approved":
                behind = _behind(decision, rows.votes)
                before = [loan for loan in rows.loans if loan.created_at < decision.created_at]
                self._joined_fill_one_place(decision, behind, before)
                self._places_were_lent(decision, behind, lent, ran.get(decision.id))

    def _joined_fill_one_place(
        self, decision: Row, behind: Mapping[str, Row], loans: list[Row]
    ) -> None:
        for one, other in combinations(decision.assignment, 2):
            pair = {one.person, other.person}
            times = [behind[person].cast_at for person in pair]
            assert one.block != other.block or not any(
                {loan.from_person_id, loan.to_person_id} == pair
                and loan.made_at <= at < _over(loan)
                for loan in loans
                for at in times
            )

    def _places_were_lent(
        self,
        decision: Row,
        behind: Mapping[str, Row],
        lent: Mapping[str, Row],
        dispatch: Row | None,
    ) -> None:
        """A vote counts for the group of its delegation; nothing runs on what a person ended."""
        for place in decision.assignment:
            vote = behind[place.person]
            if vote.delegation_id is None:
                continue
            loan = lent[vote.delegation_id]
            assert place.group in {loan.group, "*"}
            if dispatch is not None and vote.voided_at is None and loan.ended_at is not None:
                assert dispatch.claimed_at <= loan.ended_at

    # -- I6: the trail ---------------------------------------------------------------------------

    def _new_moves(self, events: list[Row]) -> list[str]:
        """Return the moves of this proposal that were recorded since the last look."""
        self.trail = max([self.trail, *(one.id for one in events)])
        mine = [one.action for one in events if one.target == str(self.id)]
        self.told.update(mine)
        assert set(mine) <= MOVES | TOLD
        return [
            one.action
            for one in events
            if one.action in LENDING or (one.action in MOVES and one.target == str(self.id))
        ]

    def _each_row_was_told(self, seen: Tables) -> None:
        """I6: as many events of each kind as rows that they are about, from the birth on."""
        rows, told, row = seen.rows, self.told, seen.proposal
        ended = int(row.state in UNDECIDED_END)
        stops = [one for one in rows.freezes if one.cause != "question"]
        expected = {
            "proposal.revised": len(rows.revisions) - 1,
            "proposal.decided": len(rows.decisions) + ended,
            "proposal.dispatched": len(rows.dispatches),
            "proposal.widened": _count(rows.requirements, "cause", {"widened", "escalated"}),
            "proposal.extended": row.extensions,
            "proposal.frozen": len(rows.freezes),
            "proposal.asked": _count(rows.comments, "kind", {"question", "request_changes"}),
            "proposal.answered": _count(rows.comments, "kind", {"answer"}),
            "proposal.noted": _count(rows.comments, "kind", {"note"}),
            "proposal.break_glass": len(rows.glass),
            "review_task.opened": len(rows.tasks),
            "review_task.closed": sum(one.closed_at is not None for one in rows.tasks),
            "vote.cast": len(rows.votes),
            "vote.voided": sum(one.voided_at is not None for one in rows.votes),
        }
        assert {name: told[name] for name in expected} == expected
        assert told["proposal.opened"] <= 1
        void = sum(one.voided_at is not None for one in rows.decisions)
        back = told["proposal.reopened"] + told["proposal.staled"]
        assert void in {back, back + ended}
        flags = told["proposal.unfillable"] - told["proposal.fillable"]
        assert flags == int(row.unfillable_since is not None)
        thawed = sum(one.until is not None for one in stops)
        assert thawed <= told["proposal.thawed"] <= thawed + len(rows.freezes) - len(stops)


def _count(rows: Iterable[Row], column: str, words: set[Any]) -> int:
    return sum(getattr(one, column) in words for one in rows)


def _behind(decision: Row, votes: list[Row]) -> dict[str, Row]:
    """Return the votes that a decision saw, by person; of several of one person the last."""
    return {
        vote.person_id: vote
        for vote in votes  # in the order in which they came
        if vote.revision_id == decision.revision_id and vote.created_at <= decision.created_at
    }


def _over(loan: Row) -> datetime:
    found: datetime = loan.until if loan.ended_at is None else loan.ended_at
    return found
