"""What the design says of one proposal, in the plainest way; it shares no code with the product.

Times are whole minutes, counted one by one; people are seated by trying all of them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import permutations

WINDOW = {1: 60, 2: 240}
EXECUTE = {1: 15, 2: 10}
MOST_REFRESHES = 3
LIVE = {"open", "approved", "stale"}
UNDECIDED = {"open", "stale"}


@dataclass
class Oracle:
    """One proposal, the people who may vote, and whether the strict rule speaks."""

    tier: int
    groups: dict[str, set[str] | None]  # of each person; None: no reviewer at present
    strict: bool = False  # the rule that asks for finance is active
    now: int = 0
    state: str = "open"
    finance: bool = False  # its requirement has the strict rule's place
    only_finance: bool = False  # and no other: that place alone fills what tier 1 asks
    votes: dict[str, str] = field(default_factory=dict)
    editors: set[str] = field(default_factory=set)
    since: dict[str, int] = field(default_factory=dict)  # open freezes
    held: set[int] = field(default_factory=set)  # minutes of freezes that are over
    window_from: int = 0
    approved_at: int = 0
    revision: int = 1
    seen: int = 0  # version of the target in the current revision
    refreshes: int = 0
    ran: int = 0
    told: list[str] = field(default_factory=list)  # events of moves, in order

    def __post_init__(self) -> None:
        self.finance = self.strict
        self.only_finance = self.strict and self.tier == 1

    # -- time ------------------------------------------------------------------------------------

    def is_held(self, minute: int) -> bool:
        return minute in self.held or any(minute >= start for start in self.since.values())

    def left(self) -> int:
        used = sum(not self.is_held(minute) for minute in range(self.window_from, self.now))
        return WINDOW[self.tier] - used

    def execute_by(self) -> int:
        return self.approved_at + EXECUTE[self.tier]

    def settle(self) -> bool:
        """Let deadlines take effect; returns whether it expired just now."""
        if self.state in UNDECIDED and self.left() <= 0:
            self.move("expired")
            return True
        if self.state != "approved" or self.now < self.execute_by():
            return False
        if any(start < self.execute_by() for start in self.since.values()):
            self.votes, self.window_from = {}, self.now
            self.move("open", "proposal.reopened")
            return False
        self.move("expired")
        return True

    def move(self, state: str, event: str = "proposal.decided") -> None:
        self.state = state
        self.told.append(event)

    # -- people ----------------------------------------------------------------------------------

    def may_vote(self, who: str) -> bool:
        return who not in self.editors and self.is_reviewer(who)

    def is_reviewer(self, who: str) -> bool:
        groups = self.groups[who]
        if groups is None:
            return False
        if self.only_finance:
            return "finance" in groups
        return self.tier == 1 or bool(groups)

    def is_enough(self, people: Iterable[str], *, finance: bool) -> bool:
        """Say whether these people fill the tier's places, and one of finance if that is asked."""
        able = [self.groups[who] or set() for who in people if self.may_vote(who)]
        if finance and not any("finance" in groups for groups in able):
            return False
        return bool(able) if self.tier == 1 else any(self.pairs(able))

    def pairs(self, able: list[set[str]]) -> Iterator[bool]:
        """Try every two people, each for every group of theirs."""
        for one, other in permutations(able, 2):
            yield any(mine != theirs for mine in one for theirs in other)

    def approvers(self) -> list[str]:
        return [who for who, choice in self.votes.items() if choice == "approve"]

    def is_filled(self) -> bool:
        return self.is_enough(self.groups, finance=self.finance)

    # -- acts: each returns "ok" or the code of the refusal --------------------------------------

    def vote(self, who: str, choice: str) -> str:
        if self.votes.get(who) == choice:
            return "same"
        if self.settle():
            return "proposal.expired"
        decided = self.state not in UNDECIDED or (self.state == "stale" and choice == "approve")
        refusals = {
            "vote.principal": who in self.editors,
            "vote.not_eligible": not self.may_vote(who),
            "proposal.decided": decided,
            "proposal.frozen": choice == "approve" and bool(self.since),
            "vote.duplicate": who in self.votes,
        }
        code = next((code for code, applies in refusals.items() if applies), "ok")
        if code == "ok":
            self.votes[who] = choice
            self.decide()
        return code

    def decide(self) -> None:
        if "reject" in self.votes.values():
            self.move("rejected")
        elif self.state == "open" and self.is_enough(self.approvers(), finance=self.finance):
            self.approved_at = self.now
            self.move("approved")

    def unvote(self, who: str) -> str:
        if self.settle():
            return "proposal.expired"
        if self.state not in LIVE:
            return "proposal.decided"
        if who not in self.votes:
            return "vote.none"
        del self.votes[who]
        if self.state == "approved":
            self.move("open", "proposal.reopened")
            if not self.settle():
                self.decide()
        return "ok"

    def edit(self, who: str, *, version: int, changed: bool) -> str:
        if not self.is_reviewer(who):
            return "vote.not_eligible"
        if self.settle():
            return "proposal.expired"
        if self.state not in LIVE:
            return "proposal.decided"
        if not changed:
            return "edit.unchanged"
        if self.state == "approved":
            self.window_from = self.now
            self.move("open", "proposal.reopened")
        self.editors.add(who)
        self.revise(version)
        return "ok"

    def refresh(self, *, version: int) -> str:
        if self.settle():
            return "proposal.expired"
        if self.state != "stale":
            return "proposal.not_stale"
        if self.refreshes == MOST_REFRESHES:
            return "proposal.refresh_spent"
        self.refreshes += 1
        self.revise(version)
        return "ok"

    def revise(self, version: int) -> None:
        self.votes = {}
        self.revision += 1
        self.seen = version
        self.finance |= self.strict
        self.move("open", "proposal.revised")

    def claim(self, *, version: int) -> str:
        if self.ran:
            return "dispatch.duplicate"
        if self.settle():
            return "proposal.expired"
        if self.state != "approved" or self.since:
            return "proposal.frozen" if self.state == "approved" else f"proposal.{self.state}"
        if version != self.seen:
            self.window_from = self.now
            self.move("stale", "proposal.staled")
            return "proposal.stale"
        if self.lost_authority() or self.asks_more():
            return "proposal.reopened"
        self.ran = 1
        self.move("dispatched", "proposal.dispatched")
        return "ok"

    def lost_authority(self) -> bool:
        """Take it back to people if without those who may not vote any more it is not enough."""
        gone = [who for who in self.votes if not self.may_vote(who)]
        if not gone or self.is_enough(self.approvers(), finance=self.finance):
            return False
        self.votes = {who: said for who, said in self.votes.items() if who not in gone}
        self.move("open", "proposal.reopened")
        self.settle()
        return True

    def asks_more(self) -> bool:
        """Take it back to people if what is asked now is not met."""
        if self.is_enough(self.approvers(), finance=self.finance or self.strict):
            return False
        self.finance |= self.strict
        self.window_from = self.now
        self.move("open", "proposal.reopened")
        return True

    def freeze(self, cause: str, *, lag: int) -> None:
        if self.state in LIVE and cause not in self.since:
            self.since[cause] = self.now - lag
            self.settle()

    def thaw(self, cause: str) -> None:
        if cause in self.since:
            self.settle()
            self.held |= set(range(self.since.pop(cause), self.now))

    def end_the_run(self) -> None:
        self.settle()
        if self.state in LIVE:
            self.move("withdrawn")
