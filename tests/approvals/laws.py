"""The invariants I1 to I12 of one proposal, read from the tables alone, whatever an oracle says."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from django.db import connection

from approvals.models import (
    Decision,
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


@dataclass(frozen=True, slots=True)
class Seen:
    """What the tables say of one proposal."""

    row: Proposal
    revision: Revision
    votes: list[Vote]


class Laws:
    """What was seen of one proposal so far; `hold` compares it with what is there now."""

    def __init__(self, tenant_id: UUID, proposal_id: UUID) -> None:
        self.tenant_id = tenant_id
        self.id = proposal_id
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
            if one["action"] in MOVES and one["target"]["id"] == str(self.id)
        ]
