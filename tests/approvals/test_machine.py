"""Random histories on real PostgreSQL against an oracle that shares no code with the product.

The oracle counts minutes one by one, and seats people by trying all of them.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from approvals import commands, queries
from approvals.models import Decision, Dispatch, Vote
from console.kernel import clock
from console.kernel.errors import ConsoleError
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant
from tests.approvals.desk import AFTER, agent, approve, content, opened, pulse, reject
from tests.cast import Cast

GROUPS = {"ruth": {"care"}, "ines": {"finance"}, "peer": {"care"}, "both": {"care", "finance"}}
WINDOW = {1: 60, 2: 240}
EXECUTE = {1: 15, 2: 10}
SEEDS = 12
ACTS = 28
MANY = 10  # what ends a history for good comes late in it
LATE = {"reject", "end_the_run"}
OFTEN = {
    "wait": 3,
    "wait_for_the_deadline": 1,
    "approve": 7,
    "reject": 2,
    "approve_what_was_before": 1,
    "take_back": 2,
    "claim": 4,
    "refresh": 3,
    "freeze": 3,
    "thaw": 4,
    "pulse": 1,
    "end_the_run": 1,
}
REACHED = {
    "ok",
    "same",
    "proposal.expired",
    "proposal.decided",
    "proposal.frozen",
    "proposal.stale",
    "proposal.not_stale",
    "vote.none",
    "dispatch.duplicate",
    "state open",
    "state approved",
    "state stale",
    "state expired",
    "state rejected",
    "state dispatched",
    "state withdrawn",
}


@dataclass
class Oracle:
    """What the design says, in the plainest way. Times are whole minutes."""

    tier: int
    now: int = 0
    state: str = "open"
    votes: dict[str, str] = field(default_factory=dict)
    since: dict[str, int] = field(default_factory=dict)  # open freezes
    held: set[int] = field(default_factory=set)  # minutes of freezes that are over
    window_from: int = 0
    approved_at: int = 0
    revision: int = 1
    version: int = 0  # of the target, as the current revision has it
    refreshes: int = 0
    ran: int = 0

    @property
    def live(self) -> bool:
        return self.state in {"open", "approved", "stale"}

    def is_held(self, minute: int) -> bool:
        return minute in self.held or any(minute >= start for start in self.since.values())

    def left(self) -> int:
        used = sum(not self.is_held(minute) for minute in range(self.window_from, self.now))
        return WINDOW[self.tier] - used

    def touch(self) -> None:
        """Let deadlines take effect."""
        if self.state in {"open", "stale"} and self.left() <= 0:
            self.state = "expired"
        execute_by = self.approved_at + EXECUTE[self.tier]
        if self.state == "approved" and self.now >= execute_by:
            if any(start < execute_by for start in self.since.values()):
                self.state, self.votes, self.window_from = "open", {}, self.now
            else:
                self.state = "expired"

    def is_enough(self) -> bool:
        yes = [GROUPS[who] for who, choice in self.votes.items() if choice == "approve"]
        if self.tier == 1:
            return bool(yes)
        return any(
            g != h
            for n, one in enumerate(yes)
            for other in yes[n + 1 :]
            for g in one
            for h in other
        )

    def vote(self, who: str, choice: str) -> str:
        if self.votes.get(who) == choice:
            return "same"
        before = self.state
        self.touch()
        if self.state == "expired" and before != "expired":
            return "proposal.expired"
        if self.state not in {"open", "stale"} or (self.state == "stale" and choice == "approve"):
            return "proposal.decided"
        if choice == "approve" and self.since:
            return "proposal.frozen"
        if who in self.votes:
            return "vote.duplicate"
        self.votes[who] = choice
        self.decide()
        return "ok"

    def decide(self) -> None:
        if "reject" in self.votes.values():
            self.state = "rejected"
        elif self.state == "open" and self.is_enough():
            self.state, self.approved_at = "approved", self.now

    def unvote(self, who: str) -> str:
        before = self.state
        self.touch()
        if self.state == "expired" and before != "expired":
            return "proposal.expired"
        if not self.live:
            return "proposal.decided"
        if who not in self.votes:
            return "vote.none"
        del self.votes[who]
        if self.state == "approved":
            self.state = "open"
            self.touch()
            if self.state == "open":
                self.decide()
        return "ok"

    def claim(self, *, version: int) -> str:
        if self.ran:
            return "dispatch.duplicate"
        before = self.state
        self.touch()
        if self.state == "expired" and before != "expired":
            return "proposal.expired"
        if self.state != "approved":
            return f"proposal.{self.state}"
        if self.since:
            return "proposal.frozen"
        if version != self.version:
            self.state, self.window_from = "stale", self.now
            return "proposal.stale"
        self.state, self.ran = "dispatched", 1
        return "ok"

    def refresh(self, *, version: int) -> str:
        before = self.state
        self.touch()
        if self.state == "expired" and before != "expired":
            return "proposal.expired"
        if self.state != "stale":
            return "proposal.not_stale"
        if self.refreshes == 3:
            return "proposal.refresh_spent"
        self.state, self.votes, self.version = "open", {}, version
        self.refreshes += 1
        self.revision += 1
        return "ok"

    def freeze(self, cause: str, lag: int) -> None:
        if self.live and cause not in self.since:
            self.since[cause] = self.now - lag
            self.touch()

    def thaw(self, cause: str) -> None:
        if cause in self.since:
            self.touch()
            self.held |= set(range(self.since.pop(cause), self.now))


class Desk:
    """One proposal and everything that people, runs, stops and time do to it.

    Driven by dice, not by Hypothesis: that likes to repeat itself and to leave acts out of whole
    histories, so that few of a modest number would come as far as a dispatch.
    """

    def __init__(self, cast: Cast, seed: int, outcomes: Counter[str]) -> None:
        self.cast = cast
        self.outcomes = outcomes
        self.dice = Random(seed)  # noqa: S311 - of a test
        self.acts: list[str] = []
        tier = self.dice.choice([1, 2])
        self.start = datetime.fromisoformat("2026-11-20T12:00:00+00:00")
        self.oracle = Oracle(tier=tier)
        self.steps = 0
        with clock.frozen(self.at):
            self.card = self.shown = opened(self.cast, tier=tier, before=self.image(0))

    @property
    def at(self) -> datetime:
        return self.start + timedelta(minutes=self.oracle.now)

    def image(self, version: int) -> dict[str, Any]:
        return {"orders": {"#W1": {"status": "pending", "version": version}}}

    def outcome(self, act: Callable[[], Any]) -> str:
        """Run it at the machine's time; return "ok" or the code of the refusal."""
        with clock.frozen(self.at):
            try:
                got = act()
            except ConsoleError as refusal:
                said = refusal.code
            else:
                said = "same" if getattr(got, "repeated", False) else getattr(got, "code", "ok")
        self.outcomes[said] += 1
        self.steps += 1
        return said

    def act(self) -> None:
        (name,) = self.dice.choices(list(OFTEN), list(OFTEN.values()))
        if name in LATE and self.steps < MANY:
            name = "wait"
        values = {
            "who": self.dice.choice(sorted(GROUPS)),
            "cause": self.dice.choice("ab"),
            "number": self.dice.randrange(4),
        }
        self.acts.append(f"{name} {values}")
        method = getattr(self, name)
        wanted = method.__code__.co_varnames[1 : method.__code__.co_argcount]
        method(**{name: values[name] for name in wanted})
        self.agrees_with_the_oracle()
        self.keeps_the_laws()

    def wait(self, number: int) -> None:
        self.oracle.now += (1, 4, 9, 20)[number]

    def wait_for_the_deadline(self, number: int) -> None:
        left = self.oracle.left()
        if self.oracle.state == "approved":
            left = self.oracle.approved_at + EXECUTE[self.oracle.tier] - self.oracle.now
        self.oracle.now += max(0, left - (number > 0))

    def approve(self, who: str) -> None:
        expected = self.oracle.vote(who, "approve")
        assert self.outcome(lambda: approve(self.shown, self.cast.members[who].actor)) == expected

    def reject(self, who: str) -> None:
        expected = self.oracle.vote(who, "reject")
        assert self.outcome(lambda: reject(self.shown, self.cast.members[who].actor)) == expected

    def approve_what_was_before(self, who: str) -> None:
        oracle = self.oracle
        if oracle.revision == 1 or oracle.state != "open" or oracle.left() <= 0:
            return
        if who in oracle.votes:
            return
        actor = self.cast.members[who].actor
        assert self.outcome(lambda: approve(self.card, actor)) == "proposal.stale"

    def take_back(self, who: str) -> None:
        actor = self.cast.members[who].actor
        got = self.outcome(lambda: commands.withdraw_vote(actor=actor, proposal_id=self.card.id))
        assert got == self.oracle.unvote(who)

    def claim(self, number: int) -> None:
        version = self.oracle.version + int(number > 0 and self.steps < MANY)
        got = self.outcome(
            lambda: commands.claim_dispatch(
                actor=agent(self.cast),
                proposal_id=self.card.id,
                call_key=uuid7(),
                content=content(before=self.image(version), after=AFTER),
            )
        )
        assert got == self.oracle.claim(version=version)

    def refresh(self) -> None:
        version = self.oracle.version + 1
        got = self.outcome(
            lambda: commands.refresh(
                actor=agent(self.cast),
                proposal_id=self.card.id,
                content=content(before=self.image(version)),
            )
        )
        assert got == self.oracle.refresh(version=version)

    def freeze(self, cause: str, number: int) -> None:
        lag = (0, 0, 1, 10)[number]
        self.oracle.freeze(cause, lag)
        since = self.at - timedelta(minutes=lag)
        self.outcome(
            lambda: commands.freeze(
                actor=self.cast.omar, proposal_ids=[self.card.id], cause=cause, since=since
            )
        )

    def thaw(self, cause: str) -> None:
        self.oracle.thaw(cause)
        self.outcome(
            lambda: commands.thaw(actor=self.cast.omar, proposal_ids=[self.card.id], cause=cause)
        )

    def pulse(self) -> None:
        self.oracle.touch()
        self.outcome(lambda: commands.settle_due(actor=pulse(self.cast)))

    def end_the_run(self) -> None:
        self.oracle.touch()
        if self.oracle.live:
            self.oracle.state = "withdrawn"
        self.outcome(
            lambda: commands.withdraw(
                actor=self.cast.omar, proposal_id=self.card.id, cause="run ended"
            )
        )

    def agrees_with_the_oracle(self) -> None:
        with clock.frozen(self.at):
            detail = queries.proposal(actor=self.cast.system, proposal_id=self.card.id)
        self.shown = detail.card  # what the next voter has on screen
        oracle = self.oracle
        self.outcomes[f"state {oracle.state}"] += 1
        assert detail.card.state.value == oracle.state
        assert detail.card.revision_no == oracle.revision
        cast_votes = {
            line.name.lower(): line.vote.choice.value for line in detail.reviewers if line.vote
        }
        assert cast_votes == oracle.votes
        if oracle.state == "approved":
            execute_by = oracle.approved_at + EXECUTE[oracle.tier]
            assert detail.card.execute_by == self.start + timedelta(minutes=execute_by)
        if oracle.state in {"open", "stale"} and not oracle.since:
            # Minutes that were held between now and the window's end cannot be: they are past.
            ends = self.at + timedelta(minutes=oracle.left())
            assert detail.card.decide_by == ends

    def keeps_the_laws(self) -> None:
        with in_tenant(self.cast.tenant_id):
            decisions = Decision.objects.filter(proposal_id=self.card.id, voided_at=None)
            settled = self.oracle.state in {"approved", "rejected", "dispatched"}
            assert decisions.count() == int(settled)
            assert Dispatch.objects.filter(proposal_id=self.card.id).count() == self.oracle.ran
            for row in Decision.objects.filter(proposal_id=self.card.id):
                assert row.decided_at < row.decide_by
            active = Vote.objects.filter(proposal_id=self.card.id, voided_at=None)
            sessions = list(active.values_list("session", flat=True))
            assert len(sessions) == len(set(sessions))


class TestRandomHistories:
    def test_agree_with_the_oracle(self, cast: Cast) -> None:
        for who in ("peer", "both"):
            cast.add(who, roles=("reviewer",), groups=tuple(sorted(GROUPS[who])))
        outcomes: Counter[str] = Counter()
        for seed in range(SEEDS):
            desk = Desk(cast, seed, outcomes)
            try:
                for _ in range(ACTS):
                    desk.act()
            except AssertionError as error:
                error.add_note("\n".join([f"seed {seed}", *desk.acts]))
                raise
        # A machine that never gets anywhere agrees with every oracle.
        assert REACHED - set(outcomes) == set()
