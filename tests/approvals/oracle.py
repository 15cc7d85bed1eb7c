"""What the design says of one proposal, in the plainest way; it shares no code with the product.

Times are whole minutes, counted one by one.
"""

from copy import copy
from dataclasses import dataclass, field
from typing import Any

from tests.approvals.oracle_people import Ballot, People

WINDOW = {1: 60, 2: 240}
EXECUTE = {1: 15, 2: 10}
MOST_REFRESHES = 3
LIVE = {"open", "approved", "stale"}
UNDECIDED = {"open", "stale"}


@dataclass
class Oracle(People):
    """One proposal, the people who may vote, and which rules speak."""

    strict: bool = False  # the rule that asks for finance is active
    denies: bool = False  # the rule that forbids it is active
    fallback: str = "refuse"  # what happens when nobody decides
    state: str = "open"
    basis: str = "people"  # on whose word it was approved last
    stands: bool = True  # whoever decided alone has not lost the right to since
    ended_by: str = ""  # the clock that ran out
    since: dict[str, int] = field(default_factory=dict)  # open freezes
    held: set[int] = field(default_factory=set)  # minutes of freezes that are over
    pauses: list[tuple[int, int]] = field(default_factory=list)  # of questions: from, until
    window_from: int = 0
    window: int = 0  # minutes that people have
    approved_at: int = 0
    revision: int = 1
    seen: int = 0  # version of the target in the current revision
    refreshes: int = 0
    ran: int = 0

    def __post_init__(self) -> None:
        self.finance = self.strict
        self.only_finance = self.strict and self.tier == 1
        self.window = WINDOW[self.tier]
        if self.strict:
            self.fallback = "refuse"  # of two rules the stricter word counts
        if self.denies:
            self.move("blocked")

    # -- time ------------------------------------------------------------------------------------

    def is_held(self, minute: int) -> bool:
        return (
            minute in self.held
            or any(minute >= start for start in self.since.values())
            or any(start <= minute < end for start, end in self.pauses)
        )

    def left(self) -> int:
        used = sum(not self.is_held(minute) for minute in range(self.window_from, self.now))
        return self.window - used

    def still(self) -> int:
        """Return for how many minutes a question holds the clock from now on."""
        return max((end - self.now for start, end in self.pauses if start <= self.now), default=0)

    def execute_by(self) -> int:
        return self.approved_at + EXECUTE[self.tier]

    def start_window(self) -> None:
        self.window_from, self.window = self.now, WINDOW[self.tier]

    def settle(self) -> bool:
        """Let deadlines take effect; returns whether it expired just now."""
        if self.state in UNDECIDED and self.left() <= 0:
            return self.fall_back()
        if self.state != "approved" or self.now < self.execute_by():
            return False
        if any(start < self.execute_by() for start in self.since.values()):
            self.votes = {}
            self.start_window()
            self.move("open", "proposal.reopened")
            return False
        self.ended_by = "execute"
        self.move("expired")
        return True

    def fall_back(self) -> bool:
        """Do what the rules say for nobody having decided; returns whether it expired."""
        said = self.fallback
        if said == "escalate":
            self.start_window()
            self.fallback = "refuse"
            self.told.append("proposal.widened")
            return False
        if (said, self.tier, self.state) == ("approve", 1, "open"):
            self.approve("timeout_rule")
            return False
        self.ended_by = "decide"
        self.move("expired")
        return True

    def move(self, state: str, event: str = "proposal.decided") -> None:
        self.state = state
        self.told.append(event)

    def approve(self, basis: str) -> None:
        self.basis, self.approved_at = basis, self.now
        self.move("approved")

    # -- acts: each returns "ok" or the code of the refusal --------------------------------------

    def vote(self, who: str, choice: str, giver: str = "") -> str:
        """Vote in one's own place, or in that of `giver`."""
        if self.votes.get(who) == choice and self.voted_as(who) == giver:
            return "same"
        if self.settle():
            return "proposal.expired"
        decided = self.state not in UNDECIDED or (self.state == "stale" and choice == "approve")
        refusals = {
            "vote.principal": self.is_one_with_an_editor(who, self.now),
            "vote.not_eligible": not self.is_reviewer(who),
            "vote.not_in_place": not self.may_as(who, giver),
            "proposal.decided": decided,
            "proposal.frozen": choice == "approve" and bool(self.since),
            "vote.duplicate": who in self.votes,
        }
        code = next((code for code, applies in refusals.items() if applies), "ok")
        if code == "ok":
            self.votes[who] = choice
            self.ballots[who] = Ballot(self.now, self.lent_to(who) if giver else None)
            self.decide()
        return code

    def voted_as(self, who: str) -> str:
        loan = self.ballots[who].loan
        return loan.giver if loan else ""

    def decide(self) -> None:
        if "reject" in self.votes.values():
            self.move("rejected")
        elif self.state == "open" and self.is_enough(finance=self.finance):
            self.approve("people")

    def unvote(self, who: str) -> str:
        if self.settle():
            return "proposal.expired"
        if self.state not in LIVE:
            return "proposal.decided"
        if who not in self.votes:
            return "vote.none"
        del self.votes[who]
        if self.state == "approved" and self.basis == "people":
            self.move("open", "proposal.reopened")
            if not self.settle():
                self.decide()
        return "ok"

    def edit(self, who: str, *, version: int, changed: bool) -> str:
        before = self.kept()
        if (code := self.may_change(who)) != "ok":
            return code
        if self.settle():
            return "proposal.expired"
        if self.state not in LIVE:
            return "proposal.decided"
        if not changed:
            return "edit.unchanged"
        if self.denies:
            return self.undone(before, "policy.denied")
        if self.state == "approved":
            self.start_window()
            self.move("open", "proposal.reopened")
        self.editors.add(who)
        self.revise(version)
        return "ok"

    def may_change(self, who: str) -> str:
        if self.is_beside_an_editor(who, self.now):
            return "vote.principal"
        return "ok" if self.is_reviewer(who) else "vote.not_eligible"

    def refresh(self, *, version: int) -> str:
        before = self.kept()
        if self.settle():
            return "proposal.expired"
        if self.state != "stale":
            return "proposal.not_stale"
        if self.refreshes == MOST_REFRESHES:
            return self.undone(before, "proposal.refresh_spent")
        if self.denies:
            return self.undone(before, "policy.denied")
        self.refreshes += 1
        self.revise(version)
        return "ok"

    def revise(self, version: int) -> None:
        self.votes = {}
        self.revision += 1
        self.seen = version
        self.hear_rules()
        self.move("open", "proposal.revised")

    def hear_rules(self) -> None:
        """Ask for what the rules ask by now on top of what was asked."""
        self.finance |= self.strict
        if self.strict:
            self.fallback = "refuse"

    def claim(self, *, version: int) -> str:
        if self.ran:
            return "dispatch.duplicate"
        if self.settle():
            return "proposal.expired"
        if self.state != "approved" or self.since:
            return "proposal.frozen" if self.state == "approved" else f"proposal.{self.state}"
        if version != self.seen:
            self.start_window()
            self.move("stale", "proposal.staled")
            return "proposal.stale"
        return self.claim_what_stands()

    def claim_what_stands(self) -> str:
        """Ask people's rights and the rules once more."""
        if self.lost_authority():
            return "proposal.reopened"
        if self.denies:
            self.move("blocked")
            return "policy.denied"
        if self.asks_more():
            return "proposal.reopened"
        self.ran = 1
        self.move("dispatched", "proposal.dispatched")
        return "ok"

    def lost_authority(self) -> bool:
        """Take it back to people if without those who may not vote any more it is not enough."""
        if self.basis != "people":
            return self.lost_right()
        gone = [who for who in self.votes if self.counted(who) is None]
        if self.is_enough(finance=self.finance):
            for who in gone:
                if self.ballots[who].loan is not None:
                    del self.votes[who]
            return False
        if not gone:
            return False
        self.votes = {who: said for who, said in self.votes.items() if who not in gone}
        self.move("open", "proposal.reopened")
        self.settle()
        return True

    def lost_right(self) -> bool:
        """Take it back to people if whoever decided alone has lost the right to."""
        if self.basis != "break_glass" or self.stands:
            return False
        self.move("open", "proposal.reopened")
        self.settle()
        return True

    def asks_more(self) -> bool:
        """Take it back to people if what is asked now is not met."""
        if self.basis == "break_glass":
            return False
        met = self.finance or not self.strict  # of what no vote carries: nothing new is asked
        if self.basis == "people":
            met = self.is_enough(finance=self.finance or self.strict)
        if not met:
            self.take_to_people()
        return not met

    def take_to_people(self) -> None:
        self.hear_rules()
        self.start_window()
        self.move("open", "proposal.reopened")

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

    # -- refusals that leave nothing behind ------------------------------------------------------

    def kept(self) -> dict[str, Any]:
        shared = {"groups", "loans"}  # what breaks off changes neither
        return {name: copy(value) for name, value in vars(self).items() if name not in shared}

    def undone(self, before: dict[str, Any], code: str) -> str:
        """Forget what was noticed on the way, too: the command broke off."""
        vars(self).update(before)
        return code
