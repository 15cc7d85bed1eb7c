"""The same histories with places that people lend each other for a time, end, and vote in."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from typing_extensions import override

from approvals import commands
from approvals.states import Choice
from tests.approvals.desk import pulse, vote
from tests.approvals.machine import PEOPLE, Machine
from tests.approvals.oracle_people import LONGEST_LOAN, Loan
from tests.approvals.stage import GROUPS

LENT_FOR: Final = st.sampled_from(
    [5, 30, 30, 30, 120, 120, 120, LONGEST_LOAN, LONGEST_LOAN, 0, LONGEST_LOAN + 1]
)
# Who lends what to whom: mostly what can be lent, to somebody else.
FITTING: Final = st.sampled_from(
    [
        (giver, taker, group)
        for giver, groups in sorted(GROUPS.items())
        for group in sorted(groups)
        for taker in sorted(GROUPS)
        if taker != giver
    ]
)
LOANS: Final = st.one_of(
    FITTING,
    st.tuples(PEOPLE, PEOPLE, st.sampled_from(["care", "finance"])),
)


class Lenders(Machine):
    """A proposal, and people who stand in for each other meanwhile."""

    ids: dict[int, UUID]  # of the product, by the place in the oracle's list

    @override
    def open(self, tier: int, fallback: str) -> None:
        self.ids = {}
        super().open(tier, fallback)

    @override
    def leave(self) -> None:
        for number, loan in enumerate(self.oracle.loans):
            if loan.lasts(self.oracle.now):
                self.end(number, loan, loan.giver)
        if any(loan.is_overdue(self.oracle.now) for loan in self.oracle.loans):
            self.put_on_record()
        super().leave()

    @override
    def look(self) -> None:
        super().look()
        if self.oracle.state == "open" and self.oracle.waits_as_two_are_one():
            self.outcomes["two are one"] += 1

    # -- lending and ending ----------------------------------------------------------------------

    @rule(loan=LOANS, minutes=LENT_FOR)
    def lend(self, loan: tuple[str, str, str], minutes: int) -> None:
        giver, taker, group = loan
        expected = self.oracle.lend(giver, taker, group, minutes=minutes)
        if expected == "ok":
            self.outcomes["lent"] += 1
            self.look_for_dead_ends()
        until = self.at + timedelta(minutes=minutes)

        def made() -> None:
            card = commands.delegate(
                actor=self.actor(giver),
                person_id=UUID(self.actor(taker).id),
                group=group,
                until=until,
                reason="Away.",
            )
            self.ids[len(self.oracle.loans) - 1] = card.id

        self.does(expected, made)

    @precondition(lambda self: self.oracle.loans)
    @rule(by=PEOPLE, sure=st.integers(0, 1))
    def end_the_last(self, by: str, sure: int) -> None:
        number = len(self.oracle.loans) - 1
        loan = self.oracle.loans[number]
        self.end(number, loan, by if sure else loan.taker)

    def end(self, number: int, loan: Loan, by: str) -> None:
        expected = self.oracle.end_loan(loan, by)
        if expected == "ok":
            self.look_for_dead_ends()
        self.does(
            expected,
            lambda: commands.end_delegation(actor=self.actor(by), delegation_id=self.ids[number]),
        )

    @precondition(lambda self: any(loan.is_overdue(self.oracle.now) for loan in self.oracle.loans))
    @rule()
    def put_on_record(self) -> None:
        if self.oracle.put_on_record():
            self.outcomes["ran out"] += 1
            self.look_for_dead_ends()
        self.does("ok", lambda: commands.lapse_delegations(actor=pulse(self.cast)))

    # -- votes in the place of somebody else -----------------------------------------------------

    @precondition(lambda self: self.oracle.loans)
    @rule(choice=st.sampled_from([Choice.APPROVE] * 5 + [Choice.REJECT]))
    def vote_in_the_place_that_was_lent(self, choice: Choice) -> None:
        loan = self.oracle.loans[-1]
        self.vote_instead(loan.taker, loan.giver, choice)

    @rule(who=PEOPLE, giver=PEOPLE, often=st.integers(0, 3))
    def approve_in_any_place(self, who: str, giver: str, often: int) -> None:
        if often == 0:
            self.vote_instead(who, giver, Choice.APPROVE)

    @precondition(lambda self: self.oracle.state == "open")
    @rule(loan=FITTING, instead=st.booleans())
    def lend_and_both_approve(self, loan: tuple[str, str, str], *, instead: bool) -> None:
        """Have giver and taker approve, who are one person meanwhile; chance alone rarely does."""
        giver, taker, _group = loan
        self.lend(loan, 30)
        self.approve(giver)
        if instead:
            self.vote_instead(taker, giver, Choice.APPROVE)
        else:
            self.approve(taker)

    def vote_instead(self, who: str, giver: str, choice: Choice) -> None:
        expected = self.unless_unseen(who, self.oracle.vote(who, choice.value, giver))
        if expected == "ok":
            self.outcomes["voted for another"] += 1
        actor, other = self.actor(who), UUID(self.actor(giver).id)
        self.does(expected, lambda: vote(self.shown(who), actor, choice, in_place_of=other))
