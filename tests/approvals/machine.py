"""Random histories on real PostgreSQL against an oracle that shares no code with the product.

One proposal at a time, and everything that people, runs, stops, rules, roles and time do to it,
with transactions that break off. After every act the state agrees with the oracle, all laws hold,
and the trail has exactly the moves that the oracle made.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)
from typing_extensions import override

from approvals import commands
from approvals.models import Proposal, Timer
from approvals.states import Choice
from console.accounts import commands as accounts
from console.accounts.states import Strength
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant
from tests.approvals import letters
from tests.approvals.desk import agent, pulse, shown, vote
from tests.approvals.laws import Laws
from tests.approvals.oracle import LIVE, UNDECIDED, Oracle
from tests.approvals.policies.rules import FINANCE, silenced, spoken
from tests.approvals.policies.rules import rule as policy_rule
from tests.cast import Cast

EVER: Final = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
GROUPS: Final = {"ruth": {"care"}, "ines": {"finance"}, "peer": {"care"},
                 "both": {"care", "finance"}}  # fmt: skip
PEOPLE: Final = st.sampled_from(sorted(GROUPS))
MOVABLE: Final = st.sampled_from(["peer", "both"])  # the other two agree to policies
STRICT: Final = policy_rule("finance-too", "hold", match={"tool": letters.TOOL}, require=FINANCE)


class _Broken(Exception):
    """The power fails before the commit."""


class Machine(RuleBasedStateMachine):
    """One proposal; `cast` and `latest` are set by the test, for all histories.

    Each proposal begins after all that was before: who counts as one person follows from the times
    of delegations, and those of earlier histories stay in the table. All of them are to come, as
    the database sees it, which knows no vote by a delegation that is over by its own clock.
    """

    cast: ClassVar[Cast]
    latest: ClassVar[datetime]  # what was played so far is before it
    outcomes: ClassVar[Counter[str]]
    strict: ClassVar[Any] = None  # the active version of the strict rule

    @initialize(tier=st.sampled_from([1, 2]), strict=st.booleans())
    def begin(self, tier: int, *, strict: bool) -> None:
        for who in GROUPS:
            accounts.renew_proof(actor=self.actor(who), by=Strength.PASSWORD)
        for who in ("peer", "both"):
            self.set_roles(who, GROUPS[who])
        self.let_rule_speak(on=strict)
        self.groups: dict[str, set[str] | None] = {who: set(of) for who, of in GROUPS.items()}
        self.open(tier, strict=strict)

    @precondition(lambda self: self.oracle.state not in LIVE)
    @rule(tier=st.sampled_from([1, 2]), often=st.integers(0, 2))
    def begin_anew(self, tier: int, often: int) -> None:
        if often == 0:  # what ended is to stay as it is, for some time at least
            self.leave()
            self.open(tier, strict=self.oracle.strict)
            self.look()

    def open(self, tier: int, *, strict: bool) -> None:
        self.oracle = Oracle(tier=tier, groups=self.groups, strict=strict)
        self.target = 0  # version of what the proposal would change
        self.stamps = 2
        self.key = uuid7()
        self.to = uuid7().hex  # what people reject once is not asked for again
        self.start = type(self).latest
        with clock.frozen(self.start):
            card = letters.opened(
                self.cast, tier=tier, target={"version": 0}, args={"to": self.to, "stamps": 2}
            )
        self.first = self.card = card
        self.laws = Laws(self.cast.tenant_id, card.id, since=self.start)

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
        if often:  # else most histories would end here
            return
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
        expected = self.oracle.vote(who, "approve")
        actor = self.actor(who)
        self.does(expected, lambda: vote(shown(self.card, actor), actor, Choice.APPROVE))

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

    @precondition(lambda self: self.oracle.revision > 1)
    @rule(who=PEOPLE)
    def approve_what_was_before(self, who: str) -> None:
        oracle = self.oracle
        if oracle.state != "open" or oracle.left() <= 0 or who in oracle.votes:
            return
        if not oracle.may_vote(who):
            return
        self.does("proposal.stale", lambda: vote(self.first, self.actor(who), Choice.APPROVE))

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
        args = {"to": self.to, "stamps": stamps}
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
        self.does(expected, lambda: self.dispatch(uuid7() if self.oracle.ran else self.key))
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

    @rule(on=st.booleans(), often=st.integers(0, 2))
    def change_the_policy(self, often: int, *, on: bool) -> None:
        if often == 0:
            self.let_rule_speak(on=on)
            self.oracle.strict = on
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

    # -- crashes ---------------------------------------------------------------------------------

    @rule(who=PEOPLE, what=st.sampled_from(["vote", "edit", "claim", "withdraw", "pulse"]))
    def crash(self, who: str, what: str) -> None:
        """Break a transaction off before its commit: nothing of it is there."""
        acts: dict[str, Callable[[], Any]] = {
            "vote": lambda: vote(self.card, self.actor(who), Choice.REJECT),
            "edit": lambda: letters.edit(
                self.card, self.actor(who), args={"to": "Noa", "stamps": 1}
            ),
            "claim": lambda: self.dispatch(uuid7()),
            "withdraw": lambda: commands.withdraw(
                actor=self.cast.omar, proposal_id=self.card.id, cause="run ended"
            ),
            "pulse": lambda: commands.settle(actor=pulse(self.cast), proposal_id=self.card.id),
        }
        with clock.frozen(self.at), suppress(_Broken), in_tenant(self.cast.tenant_id):
            with suppress(ConsoleError):
                acts[what]()
            raise _Broken
        self.outcomes["crashed"] += 1
        self.look()

    # -- parts -----------------------------------------------------------------------------------

    @property
    def at(self) -> datetime:
        return self.start + timedelta(minutes=self.oracle.now)

    def actor(self, who: str) -> Actor:
        return self.cast.members[who].actor

    def content(self) -> Any:
        return letters.letter(self.card.subject.id, {"to": self.to, "stamps": self.stamps})

    def dispatch(self, key: Any) -> Any:
        self.taken = key
        return commands.claim_dispatch(
            actor=agent(self.cast), proposal_id=self.card.id, call_key=key, content=self.content()
        )

    def set_roles(self, who: str, groups: set[str] | None) -> None:
        accounts.set_membership(
            actor=self.cast.system,
            person_id=self.cast.members[who].id,
            roles=["auditor"] if groups is None else ["reviewer"],
            groups=groups or (),
            active=True,
        )

    def let_rule_speak(self, *, on: bool) -> None:
        cls = type(self)
        if on and cls.strict is None:
            cls.strict = spoken(self.cast, STRICT)
        if not on and cls.strict is not None:
            silenced(self.cast, cls.strict)
            cls.strict = None

    def look_for_dead_ends(self) -> None:
        """Let the oracle do what follows when who may vote has just changed."""
        if self.oracle.state in UNDECIDED and self.oracle.is_filled() == self.flagged():
            self.oracle.settle()  # whoever sets or clears a flag looks at its clock first

    def flagged(self) -> bool:
        with in_tenant(self.cast.tenant_id, read_only=True):
            row = Proposal.objects.get(pk=self.card.id)
        return row.unfillable_since is not None

    def does(self, expected: str, act: Callable[[], Any]) -> None:
        """Run it at the machine's time; its answer and all that follows are as expected."""
        with clock.frozen(self.at):
            try:
                got = act()
            except ConsoleError as refusal:
                said = refusal.code
            else:
                said = "same" if getattr(got, "repeated", False) else getattr(got, "code", "ok")
        self.outcomes[said] += 1
        assert said == expected
        self.look()

    def look(self) -> None:
        """Compare everything with the oracle, and check the laws."""
        oracle = self.oracle
        with in_tenant(self.cast.tenant_id, read_only=True):
            seen = self.laws.hold(told=oracle.told)
            row = seen.row
            self.card = row.card(revision=seen.revision, needs=row.needs, frozen=False)
            awake = Timer.objects.filter(proposal=row, done_at=None, due_at__gt=EVER)
            deadlines = awake.filter(kind__in=["decide", "execute"])
            dated = dict(deadlines.values_list("kind", "due_at"))
        oracle.told = []
        self.outcomes["acts"] += 1
        self.outcomes[f"state {oracle.state}"] += 1
        assert (row.state, row.revision_no) == (oracle.state, oracle.revision)
        votes = {one.person_label.lower(): one.choice for one in seen.votes if not one.voided_at}
        assert votes == oracle.votes
        assert dated == self.deadline()
        if oracle.state == "open":
            flagged = row.unfillable_since is not None
            # Two people whose loan just ran out are two again, which pulse will notice.
            overdue = any(loan.is_overdue(oracle.now) for loan in oracle.loans)
            assert flagged != oracle.is_filled() or (flagged and overdue)

    def deadline(self) -> dict[str, datetime]:
        """Return when pulse has to look at it, by counting minutes."""
        oracle = self.oracle
        if oracle.state == "approved":
            return {"execute": self.start + timedelta(minutes=oracle.execute_by())}
        if oracle.state in UNDECIDED and not oracle.since:
            return {"decide": self.at + timedelta(minutes=oracle.left())}
        return {}
