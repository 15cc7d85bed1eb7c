"""The same histories with questions, more time, targets that are handed back, and broken glass."""

from contextlib import suppress
from typing import Any, ClassVar, Final
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from typing_extensions import override

from approvals import commands
from approvals.states import Choice, CommentKind
from console.kernel import clock
from console.kernel.errors import ConsoleError
from console.kernel.ids import uuid7
from tests.approvals import glass
from tests.approvals.desk import agent, vote
from tests.approvals.lenders import Lenders
from tests.approvals.machine import PEOPLE
from tests.approvals.oracle import LIVE, UNDECIDED
from tests.approvals.stage import GROUPS
from tests.cast import Cast

ASKING: Final = st.sampled_from([CommentKind.QUESTION, CommentKind.REQUEST_CHANGES])


class Askers(Lenders):
    """A proposal, people who ask about it, and some who may decide it alone."""

    # Reviews of what somebody decided alone that nobody has closed, of all histories.
    reviews: ClassVar[dict[str, UUID]]

    @override
    @classmethod
    def prepare(cls, cast: Cast) -> None:
        super().prepare(cast)
        cls.reviews = {}

    @override
    def open(self, tier: int, fallback: str) -> None:
        self.asked: list[UUID] = []  # questions that wait
        self.lent: dict[str, UUID] = {}  # the right to break glass
        self.mine: dict[str, UUID] = {}  # reviews of this proposal
        super().open(tier, fallback)
        self.oracle.barred = set(self.reviews)

    @override
    def leave(self) -> None:
        for who in list(self.oracle.grants):
            if self.oracle.may_break(who):
                self.take_glass(who)
        for about in self.mine:
            self.have_reviewed(about)
        super().leave()

    def have_reviewed(self, about: str) -> None:
        """Have anybody who can look at what somebody decided alone, so that they may again."""
        for by in GROUPS:
            with suppress(ConsoleError), clock.frozen(self.at):
                glass.close(self.mine[about], self.actor(by))
                self.reviews.pop(about, None)

    # -- questions -------------------------------------------------------------------------------

    @precondition(lambda self: self.oracle.state in LIVE)
    @rule(who=PEOPLE, kind=ASKING, pause=st.booleans())
    def ask(self, who: str, kind: CommentKind, *, pause: bool) -> None:
        expected = self.oracle.ask(who, pause=pause)
        if self.oracle.still() > 0:
            self.outcomes["paused"] += 1

        def said() -> None:
            card = commands.ask(
                actor=self.actor(who),
                proposal_id=self.card.id,
                kind=kind,
                text=f"Why two stamps? {uuid7()}",  # the same words again were no new question
                pause=pause,
            )
            self.asked.append(card.id)

        self.does(expected, said, once=False)

    @precondition(lambda self: self.asked)
    @rule()
    def answer(self) -> None:
        asked = self.asked.pop(0)
        self.oracle.answer()
        self.does(
            "ok",
            lambda: commands.answer(actor=agent(self.cast), comment_id=asked, text="It is heavy."),
        )

    @precondition(lambda self: self.asked)
    @rule(change=st.booleans())
    def revise_when_asked(self, *, change: bool) -> None:
        stamps = self.stamps % 9 + 1 if change else self.stamps
        asked, digest, args = self.asked[0], self.card.digest, self.args(stamps=stamps)
        expected = self.oracle.revise_when_asked(version=self.target, changed=change)
        self.does(
            expected,
            lambda: commands.revise_when_asked(
                actor=agent(self.cast), comment_id=asked, seen_digest=digest, args=args, text="So."
            ),
        )
        if expected == "ok":
            self.asked.pop(0)
            self.stamps = stamps

    @precondition(lambda self: self.oracle.revision > 1)
    @rule(who=PEOPLE)
    def approve_what_was_before(self, who: str) -> None:
        oracle = self.oracle
        if oracle.state != "open" or oracle.left() <= 0 or who in oracle.votes:
            return
        if not oracle.may_vote(who):
            return
        self.does("proposal.stale", lambda: vote(self.first, self.actor(who), Choice.APPROVE))

    # -- time, and a target that changed ---------------------------------------------------------

    @precondition(lambda self: self.oracle.state in UNDECIDED)
    @rule(who=PEOPLE)
    def extend(self, who: str) -> None:
        expected = self.oracle.extend(who)
        self.does(
            expected,
            lambda: commands.extend(
                actor=self.actor(who), proposal_id=self.card.id, reason="More time."
            ),
            once=False,
        )

    @precondition(lambda self: self.oracle.state == "stale")
    @rule(who=PEOPLE, back=st.booleans())
    def look_at_what_changed(self, who: str, *, back: bool) -> None:
        seen: dict[str, Any] = {
            "proposal_id": self.card.id,
            "revision_no": self.card.revision_no,
            "seen_digest": self.card.digest,
        }
        if back:
            expected = self.oracle.hand_back(who)
            self.does(expected, lambda: commands.hand_back(actor=self.actor(who), **seen))
        else:
            expected = self.oracle.rebase(who, version=self.target)
            self.does(expected, lambda: commands.rebase(actor=self.actor(who), **seen))
        if expected == "ok":
            self.outcomes["handed back" if back else "rebased"] += 1

    # -- glass -----------------------------------------------------------------------------------

    @rule(who=PEOPLE, minutes=st.sampled_from([5, 60]), often=st.integers(0, 2))
    def lend_glass(self, who: str, minutes: int, often: int = 0) -> None:
        if often:
            return
        expected = self.oracle.lend_glass(who, minutes=minutes)

        def lent() -> None:
            self.lent[who] = glass.lend(self.cast, self.actor(who), minutes=minutes).id

        self.does(expected, lent)

    @precondition(lambda self: self.lent)
    @rule(who=PEOPLE, often=st.integers(0, 2))
    def take_glass(self, who: str, often: int = 0) -> None:
        if often or who not in self.lent:
            return
        expected = self.oracle.take_glass(who)
        grant = self.lent[who]
        self.does(
            expected,
            lambda: commands.revoke_break_glass(actor=self.cast.noor, grant_id=grant),
        )

    @precondition(lambda self: self.lent and self.oracle.state in UNDECIDED)
    @rule(who=PEOPLE, anybody=st.booleans())
    def break_glass(self, who: str, *, anybody: bool) -> None:
        if not anybody:  # mostly somebody who may
            who = next(iter(self.lent))
        expected = self.oracle.break_glass(who)
        actor = self.actor(who)

        def broken() -> Any:
            receipt = glass.use(self.shown(who), actor)
            self.mine[who] = self.reviews[who] = receipt.task_id
            return receipt

        self.does(expected, broken)
        if expected == "ok":
            self.outcomes["broke glass"] += 1

    @precondition(lambda self: self.mine)
    @rule(by=PEOPLE)
    def close_the_review(self, by: str) -> None:
        about, task = next(iter(self.mine.items()))
        expected = self.oracle.close(by, about)
        self.does(expected, lambda: glass.close(task, self.actor(by)))
        if expected == "ok":
            del self.reviews[about]
