"""The same histories where the power fails, answers get lost, and what was done is done again."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, NoReturn

from django.db import connection
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from typing_extensions import override

from approvals import commands
from approvals.states import Choice, CommentKind
from console.kernel import clock
from console.kernel.errors import ConsoleError
from console.kernel.ids import uuid7
from console.kernel.transactions import after_commit, in_tenant
from tests.approvals import glass, letters
from tests.approvals.desk import agent, pulse, vote
from tests.approvals.foreseers import Foreseers
from tests.approvals.machine import PEOPLE
from tests.approvals.oracle import LIVE

BEFORE_THE_COMMIT: Final = 0
# What is done while the power fails.
ACTS: Final = st.sampled_from(
    ["approve", "reject", "take back", "edit", "refresh", "claim", "withdraw", "pulse", "ask",
     "extend", "freeze", "glass"]
)  # fmt: skip


class Broken(BaseException):
    """The power fails; nothing on the way catches that."""


class _Power:
    """Fails at the n-th statement; there is no statement 0."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(
        self, run: Callable[..., Any], sql: str, params: Any, many: Any, context: Any
    ) -> Any:
        self.left -= 1
        if self.left == 0:
            raise Broken
        return run(sql, params, many, context)


class Breakers(Foreseers):
    """A proposal, and a product that is never sure of what comes next."""

    deaf = False  # the next answer gets lost

    @rule(who=PEOPLE, what=ACTS, at=st.sampled_from([BEFORE_THE_COMMIT, 3, 6, 9, 12, 15, 20, 30]))
    def crash(self, who: str, what: str, at: int = BEFORE_THE_COMMIT) -> None:
        """Break a transaction off at one of its statements, or before its commit: it never was."""
        with suppress(Broken), clock.frozen(self.at):
            self.break_off(self.act(who, what), at)
        self.outcomes["crashed"] += 1
        self.look()

    def break_off(self, act: Callable[[], Any], at: int) -> NoReturn:
        with in_tenant(self.cast.tenant_id), connection.execute_wrapper(_Power(at)):
            with suppress(ConsoleError):
                act()
            raise Broken

    @precondition(lambda self: self.last is not None)
    @rule()
    def do_it_again(self) -> None:
        """I12: what was just done, done again, changes nothing; some of it is refused by now."""
        act, before = self.last, self.tables.text
        assert act is not None
        with clock.frozen(self.at), suppress(ConsoleError):
            act()
        self.look()
        assert self.tables.text == before
        self.outcomes["done again"] += 1

    @precondition(lambda self: not self.deaf and self.oracle.state in LIVE)
    @rule()
    def lose_the_next_answer(self) -> None:
        """Break off right after the next commit: nobody is told, and whoever asked asks again."""
        self.deaf = True

    @override
    def answer_to(self, act: Callable[[], Any], expected: str) -> str:
        if not self.deaf or expected != "ok":
            return super().answer_to(act, expected)
        self.deaf = False
        with suppress(Broken), in_tenant(self.cast.tenant_id):
            after_commit(_break)
            act()
            self.outcomes["answer lost"] += 1
        return "ok"  # if it was not, the tables will tell

    @override
    def does(self, expected: str, act: Callable[[], Any], *, once: bool = True) -> None:
        lost = self.deaf and expected == "ok"
        super().does(expected, act, once=once)
        if lost and once:
            self.do_it_again()

    def act(self, who: str, what: str) -> Callable[[], Any]:
        actor = self.actor(who)
        about: dict[str, Any] = {"proposal_id": self.card.id}
        acts: dict[str, Callable[[], Any]] = {
            "approve": lambda: vote(self.card, actor, Choice.APPROVE),
            "reject": lambda: vote(self.card, actor, Choice.REJECT),
            "take back": lambda: commands.withdraw_vote(actor=actor, **about),
            "edit": lambda: letters.edit(self.card, actor, args=self.args(stamps=1)),
            "refresh": lambda: commands.refresh(
                actor=agent(self.cast), content=self.content(), **about
            ),
            "claim": lambda: self.dispatch(uuid7()),
            "withdraw": lambda: commands.withdraw(actor=self.cast.omar, cause="run ended", **about),
            "pulse": lambda: commands.settle_due(actor=pulse(self.cast)),
            "ask": lambda: commands.ask(
                actor=actor, kind=CommentKind.QUESTION, text="Why?", pause=True, **about
            ),
            "extend": lambda: commands.extend(actor=actor, reason="More time.", **about),
            "freeze": lambda: commands.freeze(
                actor=self.cast.omar, proposal_ids=[self.card.id], cause="c", since=self.at
            ),
            "glass": lambda: glass.use(self.card, actor),
        }
        return acts[what]


def _break() -> NoReturn:
    raise Broken
