"""The same histories with letters that somebody approves in advance, and takes that back."""

from typing import ClassVar, Final
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from typing_extensions import override

from approvals import commands
from approvals.cards import StandingTerms
from console.kernel import clock
from tests.approvals.askers import Askers
from tests.approvals.machine import PEOPLE
from tests.approvals.oracle_standing import USES
from tests.cast import Cast

ALL_LETTERS: Final = StandingTerms(
    conditions=({"path": "/args/stamps", "op": "le", "value": "9"},),
    free=("/args/to", "/args/address"),
    uses=USES,
    days=30,
)


class Foreseers(Askers):
    """A proposal, and one like it that somebody approved before; one such word at a time."""

    foreseen: ClassVar[UUID | None] = None  # the one that is not revoked

    @override
    @classmethod
    def prepare(cls, cast: Cast) -> None:
        super().prepare(cast)
        cls.foreseen = None

    @override
    def leave(self) -> None:
        super().leave()
        self.standing = self.oracle.over()

    @override
    def teardown(self) -> None:
        super().teardown()
        if hasattr(self, "laws") and self.foreseen is not None:
            self.revoke(self.foreseen)

    @precondition(lambda self: self.oracle.state in {"approved", "dispatched"})
    @rule(who=PEOPLE, voter=st.booleans())
    def make_standing(self, who: str, *, voter: bool) -> None:
        oracle = self.oracle
        if voter and oracle.votes:
            who = next(iter(oracle.votes))
        if self.foreseen is not None and oracle.mine is None:
            return  # there is one already, and this would be a second
        expected = oracle.make_standing(who)

        def made() -> None:
            card = commands.make_standing(
                actor=self.actor(who),
                proposal_id=self.card.id,
                revision_no=self.card.revision_no,
                seen_digest=self.card.digest,
                terms=ALL_LETTERS,
                reason="They all need stamps.",
            )
            type(self).foreseen = card.id

        self.does(expected, made)
        if expected == "ok":
            self.outcomes["foreseen"] += 1

    @precondition(lambda self: self.oracle.state == "open" and self.oracle.tier == 1)
    @rule(who=PEOPLE)
    def foresee(self, who: str) -> None:
        """Approve it, all that are like it, and have it run; chance alone rarely does."""
        self.approve(who)
        if self.oracle.state == "approved":
            self.make_standing(who, voter=False)
            self.claim()

    @precondition(lambda self: self.foreseen is not None)
    @rule(by=PEOPLE, often=st.integers(0, 3))
    def revoke_standing(self, by: str, often: int = 0) -> None:
        standing, given = self.oracle.mine or self.standing, self.foreseen
        if often or standing is None or given is None:
            return
        expected = "ok" if by == standing.maker else "standing.not_yours"
        if expected == "ok":
            standing.good = False
        self.does(
            expected,
            lambda: commands.revoke_standing(
                actor=self.actor(by), standing_id=given, reason="Not any more."
            ),
        )
        if expected == "ok":
            type(self).foreseen = None

    def revoke(self, given: UUID) -> None:
        """End it for good, so that it says nothing in another history."""
        with clock.frozen(self.at):
            commands.revoke_standing(actor=self.cast.noor, standing_id=given, reason="Over.")
        type(self).foreseen = None
