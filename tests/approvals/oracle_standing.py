"""The oracle's word on standing approvals: what one person said yes to in advance."""

from dataclasses import dataclass, field

from typing_extensions import override

from tests.approvals.oracle_asking import Asked
from tests.approvals.oracle_people import Ballot

USES = 3


@dataclass
class Standing:
    """Letters like one that somebody approved; it outlives the proposal that it came from."""

    maker: str
    vote: Ballot  # which carries it
    uses: int = USES
    good: bool = True  # not revoked, and the vote that carries it counts


@dataclass
class Foreseen(Asked):
    """One proposal for which a standing approval may speak, and from which one may come."""

    standing: Standing | None = None  # of an earlier proposal
    mine: Standing | None = None  # that came from this one
    bases: set[str] = field(default_factory=set)  # on whose word it was ever approved

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        before = self.standing
        speaks = self.state == "open" and self.tier == 1 and before is not None and before.uses > 0
        if before is not None and speaks and self.holds_good(finance=self.finance):
            before.uses -= 1
            self.approve("standing")

    @override
    def approve(self, basis: str) -> None:
        self.bases.add(basis)
        super().approve(basis)

    def holds_good(self, *, finance: bool) -> bool:
        """Say whether its maker could give all that is asked, alone and in their own place."""
        if self.standing is None or not self.standing.good:
            return False
        maker = self.standing.maker
        barred = self.is_one_with_an_editor(maker, self.now) or not self.is_reviewer(maker)
        own = {maker: self.groups[maker] or set()}
        return not barred and self.fills(own, lambda _one, _other: False, finance=finance)

    @override
    def refresh(self, *, version: int) -> str:
        code = super().refresh(version=version)
        if code == "ok" and self.bases == {"standing"} and self.holds_good(finance=self.finance):
            self.approve("standing")
        return code

    @override
    def asks_more(self) -> bool:
        if self.basis != "standing":
            return super().asks_more()
        if self.holds_good(finance=self.finance or self.strict):
            return False
        self.take_to_people()
        return True

    def make_standing(self, who: str) -> str:
        if self.settle():
            return "proposal.expired"
        approved = self.votes.get(who) == "approve"
        refusals = {
            "vote.principal": self.is_one_with_an_editor(who, self.now),
            "vote.not_eligible": not self.is_reviewer(who),
            "standing.not_allowed": self.tier != 1,
            "standing.not_approved": not approved,
            "vote.not_in_place": approved and self.ballots[who].loan is not None,
            "proposal.decided": self.state not in {"approved", "dispatched"},
            "standing.taken": approved and self.carries_one(who),
        }
        code = next((code for code, applies in refusals.items() if applies), "ok")
        if code == "ok":
            self.mine = Standing(who, self.ballots[who])
        return code

    def carries_one(self, who: str) -> bool:
        """Say whether the vote of this person carries a standing approval."""
        mine = self.mine
        return mine is not None and mine.good and mine.vote is self.ballots[who]

    def over(self) -> Standing | None:
        """Return the standing approval for what comes next, at the end of this proposal."""
        mine = self.mine
        if mine is None:
            return self.standing
        counts = self.votes.get(mine.maker) == "approve" and self.carries_one(mine.maker)
        mine.good &= counts
        return mine
