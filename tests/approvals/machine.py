"""Random histories on real PostgreSQL against an oracle that shares no code with the product.

One proposal at a time, and everything that people, runs, stops, rules, roles and time do to it,
with transactions that break off. After every act the state agrees with the oracle, all laws hold,
and the trail has exactly the moves that the oracle made. `lenders.py`, `askers.py` and
`breakers.py` add to what is played.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    precondition,
    rule,
)
from typing_extensions import override

from approvals import commands
from approvals.cards import ProposalCard
from approvals.states import Choice
from console.kernel import clock
from console.kernel.errors import ConsoleError
from console.kernel.ids import uuid7
from tests.approvals import letters, tables
from tests.approvals.desk import agent, pulse, shown, vote
from tests.approvals.laws import Laws
from tests.approvals.oracle import LIVE, UNDECIDED
from tests.approvals.oracle_standing import Foreseen, Standing
from tests.approvals.rulings import FALLBACKS
from tests.approvals.stage import EVER, GROUPS, Stage

PEOPLE: Final = st.sampled_from(sorted(GROUPS))
MOVABLE: Final = st.sampled_from(["peer", "both"])  # the other two agree to policies
DEADLINES: Final = {"decide", "execute"}


class Machine(Stage):
    """One proposal; `cast` and `latest` are set by the test, for all histories.

    Each proposal begins after all that was before: who counts as one person follows from the times
    of delegations, and those of earlier histories stay in the table. All of them are to come, as
    the database sees it, which knows no vote by a delegation that is over by its own clock.
    """

    last: Callable[[], Any] | None  # what was done last, if nothing has happened since

    @initialize(
        tier=st.sampled_from([1, 2]),
        speaks=st.sampled_from(["as before", "as before", "", "finance"]),
        fallback=st.sampled_from(FALLBACKS),
    )
    def begin(self, tier: int, speaks: str, fallback: str) -> None:
        self.prove_anew()
        for who in ("peer", "both"):
            self.set_roles(who, GROUPS[who])
        # One that forbids everything lets little happen.
        self.let_rule_speak("" if self.speaks == "deny" else speaks)
        self.groups: dict[str, set[str] | None] = {who: set(of) for who, of in GROUPS.items()}
        self.standing: Standing | None = None  # what somebody agreed to in advance
        self.open(tier, fallback)

    @precondition(lambda self: self.oracle.state not in LIVE)
    @rule(
        tier=st.sampled_from([1, 2]), fallback=st.sampled_from(FALLBACKS), often=st.integers(0, 2)
    )
    def begin_anew(self, tier: int, fallback: str, often: int) -> None:
        if often == 0:  # what ended is to stay as it is, for some time at least
            self.leave()
            self.open(tier, fallback)

    def open(self, tier: int, fallback: str) -> None:
        self.oracle = Foreseen(
            tier=tier,
            groups=self.groups,
            strict=self.speaks == "finance",
            denies=self.speaks == "deny",
            fallback=fallback,
            standing=self.standing,
        )
        self.last = None
        self.read: set[tuple[int, str]] = set()  # revisions, and who was shown them
        self.target = 0  # version of what the proposal would change
        self.stamps = 2
        self.key = uuid7()
        # What people reject once is not asked for again.
        self.to = {"to": uuid7().hex, "address": {"city": fallback}}
        self.start = type(self).latest
        trail = tables.newest_event(self.cast.tenant_id)
        args = self.args(stamps=2)
        with clock.frozen(self.start):
            card = letters.opened(self.cast, tier=tier, target={"version": 0}, args=args)
        self.first = self.card = card
        self.laws = Laws(self.cast.tenant_id, card.id, since=self.start, trail=trail)
        self.look()

    def leave(self) -> None:
        """Let nothing of this proposal reach into the time of the next one."""
        with clock.frozen(self.at):
            commands.withdraw(actor=self.cast.omar, proposal_id=self.card.id, cause="run ended")
        type(self).latest = self.at + timedelta(minutes=1)

    @override
    def teardown(self) -> None:
        if hasattr(self, "laws"):
            self.leave()

    # -- time ------------------------------------------------------------------------------------

    @rule(minutes=st.sampled_from([1, 4, 9, 20]))
    def wait(self, minutes: int) -> None:
        self.oracle.now += minutes
        self.look()

    @precondition(lambda self: self.oracle.state in LIVE)
    @rule(just_before=st.booleans(), often=st.integers(0, 3))
    def wait_for_the_deadline(self, often: int, *, just_before: bool) -> None:
        oracle = self.oracle
        if often and oracle.fallback not in {"escalate", "approve"}:
            return  # else most histories would end here
        left = oracle.left()
        if oracle.state == "approved":
            left = oracle.execute_by() - oracle.now
        oracle.now += max(0, left - just_before)
        self.look()

    @rule()
    def pulse(self) -> None:
        self.oracle.settle()
        self.does("ok", lambda: commands.settle_due(actor=pulse(self.cast)))

    # -- votes -----------------------------------------------------------------------------------

    @rule(who=PEOPLE)
    def approve(self, who: str) -> None:
        expected = self.unless_unseen(who, self.oracle.vote(who, "approve"))
        actor = self.actor(who)
        self.does(expected, lambda: vote(self.shown(who), actor, Choice.APPROVE))

    @precondition(lambda self: self.oracle.state == "open")
    @rule(first=st.sampled_from(["ruth", "both"]))
    def agree(self, first: str) -> None:
        for who in (first, "ines"):
            self.approve(who)

    @rule(who=PEOPLE, sure=st.integers(0, 3))
    def reject(self, who: str, sure: int) -> None:
        if sure:  # else most histories would end here
            return
        expected = self.oracle.vote(who, "reject")
        self.does(expected, lambda: vote(self.card, self.actor(who), Choice.REJECT))

    @rule(who=PEOPLE)
    def take_back(self, who: str) -> None:
        expected = self.oracle.unvote(who)
        self.does(
            expected,
            lambda: commands.withdraw_vote(actor=self.actor(who), proposal_id=self.card.id),
        )

    # -- content ---------------------------------------------------------------------------------

    @rule()
    def drift(self) -> None:
        self.target += 1
        letters.DRAWER[self.card.subject.id]["version"] = self.target
        self.look()

    @rule(who=PEOPLE, change=st.booleans())
    def edit(self, who: str, *, change: bool) -> None:
        stamps = self.stamps % 9 + 1 if change else self.stamps
        expected = self.oracle.edit(who, version=self.target, changed=change)
        args = self.args(stamps=stamps)
        self.does(expected, lambda: letters.edit(self.card, self.actor(who), args=args))
        if expected == "ok":
            self.stamps = stamps

    @rule()
    def refresh(self) -> None:
        expected = self.oracle.refresh(version=self.target)
        self.does(
            expected,
            lambda: commands.refresh(
                actor=agent(self.cast), proposal_id=self.card.id, content=self.content()
            ),
        )

    @rule()
    def claim(self) -> None:
        expected = self.oracle.claim(version=self.target)
        key = uuid7() if expected == "dispatch.duplicate" else self.key
        self.does(expected, lambda: self.dispatch(key))
        if expected == "ok":
            self.key = self.taken

    @precondition(lambda self: self.oracle.state == "approved")
    @rule()
    def run(self) -> None:
        self.claim()

    @precondition(lambda self: self.oracle.ran)
    @rule()
    def claim_again_with_the_same_key(self) -> None:
        late = self.oracle.now >= self.oracle.execute_by()
        self.does("dispatch.late" if late else "same", lambda: self.dispatch(self.key))

    @rule()
    def end_the_run(self) -> None:
        if self.oracle.now < 30:  # else few would come far
            return
        self.oracle.end_the_run()
        self.does(
            "ok",
            lambda: commands.withdraw(
                actor=self.cast.omar, proposal_id=self.card.id, cause="run ended"
            ),
        )

    # -- stops, rules and roles ------------------------------------------------------------------

    @rule(cause=st.sampled_from("ab"), lag=st.sampled_from([0, 0, 1, 10]))
    def freeze(self, cause: str, lag: int) -> None:
        self.oracle.freeze(cause, lag=lag)
        since = self.at - timedelta(minutes=lag)
        self.does(
            "ok",
            lambda: commands.freeze(
                actor=self.cast.omar, proposal_ids=[self.card.id], cause=cause, since=since
            ),
        )

    @precondition(lambda self: self.oracle.since)
    @rule(cause=st.sampled_from("ab"))
    def thaw(self, cause: str) -> None:
        self.oracle.thaw(cause)
        self.does(
            "ok",
            lambda: commands.thaw(actor=self.cast.omar, proposal_ids=[self.card.id], cause=cause),
        )

    @rule(speaks=st.sampled_from(["", "finance", "deny"]), often=st.integers(0, 2))
    def change_the_policy(self, speaks: str, often: int = 0) -> None:
        if often == 0:
            self.let_rule_speak(speaks)
            self.oracle.strict, self.oracle.denies = speaks == "finance", speaks == "deny"
            self.look()

    @rule(who=MOVABLE, profile=st.sampled_from(["full", "groupless", "no reviewer"]))
    def change_roles(self, who: str, profile: str) -> None:
        groups = {"full": GROUPS[who], "groupless": set(), "no reviewer": None}[profile]
        if self.oracle.groups[who] == groups:
            return
        self.oracle.groups[who] = groups
        self.look_for_dead_ends()
        with clock.frozen(self.at):
            self.set_roles(who, groups)
        self.look()

    # -- parts -----------------------------------------------------------------------------------

    @property
    def at(self) -> datetime:
        return self.start + timedelta(minutes=self.oracle.now)

    def content(self) -> Any:
        return letters.letter(self.card.subject.id, self.args(stamps=self.stamps))

    def args(self, **more: Any) -> dict[str, Any]:
        return {**self.to, **more}

    def shown(self, who: str) -> ProposalCard:
        """Have somebody look at it, whom it was not shown before."""
        if (self.card.revision_no, who) not in self.read:
            shown(self.card, self.actor(who))
            if self.tables.proposal.state in UNDECIDED:  # else nobody keeps that it was shown
                self.read.add((self.card.revision_no, who))
        return self.card

    def unless_unseen(self, who: str, expected: str) -> str:
        """Return what a vote is refused for: an approval that lapses just now was on no page.

        Nobody keeps what is shown of an approved proposal, and it is the vote that notices.
        """
        was_decided = self.tables.proposal.state not in UNDECIDED
        unseen = was_decided and (self.card.revision_no, who) not in self.read
        return "vote.not_fully_shown" if unseen and expected == "proposal.frozen" else expected

    def dispatch(self, key: Any) -> Any:
        self.taken = key
        return commands.claim_dispatch(
            actor=agent(self.cast), proposal_id=self.card.id, call_key=key, content=self.content()
        )

    def look_for_dead_ends(self) -> None:
        """Let the oracle do what follows when who may vote has just changed."""
        if self.oracle.state in UNDECIDED and self.oracle.is_filled() == self.flagged():
            self.oracle.settle()  # whoever sets or clears a flag looks at its clock first

    def flagged(self) -> bool:
        """Say whether it was a dead end when it was looked at last."""
        return self.tables.proposal.unfillable_since is not None

    def does(self, expected: str, act: Callable[[], Any], *, once: bool = True) -> None:
        """Run it at the machine's time; its answer and all that follows are as expected.

        Args:
            once: the same again is the same act, and not another one.
        """
        with clock.frozen(self.at):
            said = self.answer_to(act, expected)
        self.outcomes[said] += 1
        assert said == expected, f"{said}, not {expected}"
        self.look()
        self.last = act if once else None

    def answer_to(self, act: Callable[[], Any], expected: str) -> str:
        try:
            got = act()
        except ConsoleError as refusal:
            return refusal.code
        return "same" if getattr(got, "repeated", False) else getattr(got, "code", "ok")

    def look(self) -> None:
        """Compare everything with the oracle, and check the laws."""
        oracle, self.last = self.oracle, None
        self.tables = seen = self.laws.hold(told=oracle.told)
        row = seen.proposal
        self.card = replace(self.card, revision_no=row.revision_no, digest=seen.revision.digest)
        self.outcomes.update({"acts": 1, **dict.fromkeys(oracle.told, 1)})
        oracle.told = []
        self.outcomes[f"state {oracle.state}"] += 1
        self.outcomes[oracle.basis] += 1
        assert (row.state, row.revision_no) == (oracle.state, oracle.revision)
        votes = {one.person_label.lower(): one.choice for one in seen.votes if not one.voided_at}
        assert votes == oracle.votes
        assert self.awake() == self.deadline()
        if oracle.state == "open":
            # Two people whose loan just ran out are two again, which pulse will notice.
            overdue = any(loan.is_overdue(oracle.now) for loan in oracle.loans)
            assert self.flagged() != oracle.is_filled() or (self.flagged() and overdue)

    def awake(self) -> dict[str, datetime]:
        """Return when pulse is going to look at it, by the tables."""
        laid = [one for one in self.tables.rows.timers if one.kind in DEADLINES and not one.done_at]
        return {one.kind: one.due_at for one in laid if one.due_at and one.due_at > EVER}

    def deadline(self) -> dict[str, datetime]:
        """Return when pulse has to look at it, by counting minutes."""
        oracle = self.oracle
        if oracle.state == "approved":
            return {"execute": self.start + timedelta(minutes=oracle.execute_by())}
        if oracle.state in UNDECIDED and not oracle.since:
            minutes = oracle.left() + max(0, oracle.still())
            return {"decide": self.at + timedelta(minutes=minutes)}
        return {}
