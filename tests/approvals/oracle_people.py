"""Who may say what about one proposal, for `oracle.py`: people, and places that are lent.

People are seated by trying all of them, and who counts as one person is found by merging two at a
time.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations, permutations

LONGEST_LOAN = 14 * 24 * 60


@dataclass
class Loan:
    """The place of one person in one group, lent to another from one minute to another."""

    giver: str
    taker: str
    group: str
    since: int
    until: int
    ended: int | None = None  # by a person
    on_record: bool = False  # that it ran out

    @property
    def people(self) -> set[str]:
        return {self.giver, self.taker}

    def lasts(self, minute: int) -> bool:
        return self.since <= minute < (self.until if self.ended is None else self.ended)

    def is_overdue(self, minute: int) -> bool:
        """Say whether it ran out and nobody put that on record yet."""
        return self.ended is None and not self.on_record and self.until <= minute


@dataclass(frozen=True)
class Ballot:
    """When somebody voted, and in whose place if not in their own."""

    minute: int
    loan: Loan | None


@dataclass
class People:
    """The people who may vote, and what is asked of them."""

    tier: int
    groups: dict[str, set[str] | None]  # of each person; None: no reviewer at present
    now: int = 0
    finance: bool = False  # its requirement has the strict rule's place
    only_finance: bool = False  # and no other: that place alone fills what tier 1 asks
    votes: dict[str, str] = field(default_factory=dict)
    ballots: dict[str, Ballot] = field(default_factory=dict)  # the last one of each person
    loans: list[Loan] = field(default_factory=list)
    editors: set[str] = field(default_factory=set)
    told: list[str] = field(default_factory=list)  # events of moves, in order

    # -- people ----------------------------------------------------------------------------------

    def asks(self, groups: set[str] | None) -> bool:
        """Say whether a reviewer of these groups is asked; None is no reviewer."""
        if groups is None:
            return False
        if self.only_finance:
            return "finance" in groups
        return self.tier == 1 or bool(groups)

    def is_one_with_an_editor(self, who: str, minute: int) -> bool:
        return who in self.editors or self.is_beside_an_editor(who, minute)

    def is_beside_an_editor(self, who: str, minute: int) -> bool:
        """Only a reviewer counts as one with another: who has no say has none to share."""
        beside = any(self.are_one(who, editor, minute) for editor in self.editors)
        return beside and self.groups[who] is not None

    def are_one(self, one: str, other: str, minute: int) -> bool:
        return any(loan.people == {one, other} and loan.lasts(minute) for loan in self.loans)

    def lent_to(self, who: str) -> Loan | None:
        """Return what somebody lends this person now and could fill themselves, if it is asked."""
        for loan in self.loans:
            theirs = self.groups[loan.giver] or set()
            if loan.taker == who and loan.lasts(self.now) and loan.group in theirs:
                return loan if self.asks({loan.group}) else None
        return None

    def may_vote(self, who: str) -> bool:
        return not self.is_one_with_an_editor(who, self.now) and self.is_reviewer(who)

    def is_reviewer(self, who: str) -> bool:
        own = self.groups[who]
        return own is not None and (self.asks(own) or self.lent_to(who) is not None)

    def may_as(self, who: str, giver: str) -> bool:
        """Say whether somebody may vote in the place of `giver`, or in their own ("")."""
        loan = self.lent_to(who)
        if not giver:
            return self.asks(self.groups[who]) or loan is None
        return loan is not None and loan.giver == giver

    def counted(self, who: str) -> set[str] | None:
        """Return for which groups the vote of this person counts now; None: it does not."""
        ballot, groups = self.ballots[who], self.groups[who]
        if groups is None or self.is_one_with_an_editor(who, ballot.minute):
            return None
        if ballot.loan is not None:
            loan = ballot.loan
            lost = loan.ended is not None or loan.group not in (self.groups[loan.giver] or ())
            groups = None if lost else {loan.group}
        return groups if self.asks(groups) else None

    def is_enough(self, *, finance: bool) -> bool:
        """Say whether those who approved fill the places, and one of finance if that is asked."""

        def joined(one: str, other: str) -> bool:
            return any(self.are_one(one, other, self.ballots[who].minute) for who in (one, other))

        return self.fills(self.able(), joined, finance=finance)

    def able(self) -> dict[str, set[str]]:
        """Return whose approvals count now, and for which groups."""
        found = {who: self.counted(who) for who in self.approvers()}
        return {who: groups for who, groups in found.items() if groups is not None}

    def waits_as_two_are_one(self) -> bool:
        """Say whether the approvals would fill the places if nobody counted as one with another."""
        return self.fills(self.able(), lambda _one, _other: False, finance=self.finance)

    def is_filled(self) -> bool:
        """Say whether all who may vote now could fill the places."""
        able = {who: self.groups[who] or set() for who in self.groups if self.may_vote(who)}
        return self.fills(
            able, lambda one, other: self.are_one(one, other, self.now), finance=self.finance
        )

    def fills(
        self,
        able: Mapping[str, set[str]],
        joined: Callable[[str, str], bool],
        *,
        finance: bool,
    ) -> bool:
        seats = merged(able, joined)
        if finance and not any("finance" in groups for groups in seats):
            return False
        return bool(seats) if self.tier == 1 else any(self.pairs(seats))

    def pairs(self, seats: list[set[str]]) -> Iterator[bool]:
        """Try every two people, each for every group of theirs."""
        for one, other in permutations(seats, 2):
            yield any(mine != theirs for mine in one for theirs in other)

    def approvers(self) -> list[str]:
        return [who for who, choice in self.votes.items() if choice == "approve"]

    # -- places that are lent: each returns "ok" or the code of the refusal ----------------------

    def lend(self, giver: str, taker: str, group: str, *, minutes: int) -> str:
        taken = any(loan.lasts(self.now) and loan.people & {giver, taker} for loan in self.loans)
        refusals = {
            "delegation.own": giver == taker,
            "delegation.not_eligible": group not in (self.groups[giver] or ())
            or self.groups[taker] is None,
            "invalid": not 0 < minutes <= LONGEST_LOAN,
            "delegation.taken": taken,
        }
        code = next((code for code, applies in refusals.items() if applies), "ok")
        if code == "ok":
            self.loans.append(Loan(giver, taker, group, self.now, self.now + minutes))
            self.told.append("delegation.made")
        return code

    def end_loan(self, loan: Loan, by: str) -> str:
        if by not in loan.people:
            return "delegation.not_yours"
        if not loan.lasts(self.now):
            return "delegation.over"
        loan.ended = self.now
        self.told.append("delegation.ended")
        return "ok"

    def put_on_record(self) -> int:
        """Put on record which loans ran out; returns how many."""
        over = [loan for loan in self.loans if loan.is_overdue(self.now)]
        for loan in over:
            loan.on_record = True
            self.told.append("delegation.ended")
        return len(over)


def merged(able: Mapping[str, set[str]], joined: Callable[[str, str], bool]) -> list[set[str]]:
    """Return the groups of each person, where those who count as one are one."""
    seats = [({who}, groups) for who, groups in able.items()]
    while pair := next(
        (
            (one, other)
            for one, other in combinations(seats, 2)
            if any(joined(mine, theirs) for mine in one[0] for theirs in other[0])
        ),
        None,
    ):
        one, other = pair
        seats = [seat for seat in seats if seat not in pair] + [
            (one[0] | other[0], one[1] | other[1])
        ]
    return [groups for _, groups in seats]
