"""Where random histories are played: one tenant, its people, their rights, and the rules of now."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from hypothesis.stateful import RuleBasedStateMachine

from console.accounts import commands as accounts
from console.accounts.states import Strength
from console.kernel import clock
from console.kernel.actors import Actor
from tests.approvals.policies.rules import silenced, spoken
from tests.approvals.rulings import IF_NOBODY_DECIDES, RULES
from tests.cast import Cast

EVER: Final = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
GROUPS: Final = {"ruth": {"care"}, "ines": {"finance"}, "peer": {"care"},
                 "both": {"care", "finance"}}  # fmt: skip


class Stage(RuleBasedStateMachine):
    """What all histories share; set by the test, before the first."""

    cast: ClassVar[Cast]
    latest: ClassVar[datetime]  # what was played so far is before it
    outcomes: ClassVar[Counter[str]]
    proved_at: ClassVar[datetime]
    speaks: ClassVar[str] = ""  # which of RULES does
    version: ClassVar[Any] = None  # of the policy that it is in
    roles: ClassVar[dict[str, set[str] | None]]  # of those who were changed

    @classmethod
    def prepare(cls, cast: Cast) -> None:
        cls.cast, cls.outcomes, cls.speaks, cls.roles = cast, Counter(), "", {}
        cls.latest = clock.now() + timedelta(days=1)
        cls.proved_at = EVER
        spoken(cast, *IF_NOBODY_DECIDES, name="fallbacks")

    def actor(self, who: str) -> Actor:
        return self.cast.members[who].actor

    def set_roles(self, who: str, groups: set[str] | None) -> None:
        if type(self).roles.get(who, set()) == groups:
            return
        type(self).roles[who] = groups
        accounts.set_membership(
            actor=self.cast.system,
            person_id=self.cast.members[who].id,
            roles=["auditor"] if groups is None else ["reviewer"],
            groups=groups or (),
            active=True,
        )

    def let_rule_speak(self, speaks: str) -> None:
        cls = type(self)
        if speaks in {"as before", cls.speaks}:
            return
        if speaks:  # in place of the one that spoke, if one did
            cls.version = spoken(self.cast, RULES[speaks])
        else:
            silenced(self.cast, cls.version)
        cls.speaks = speaks

    def prove_anew(self) -> None:
        """Have everybody prove who they are, if that is long ago by the clock on the wall."""
        cls = type(self)
        if clock.now() - cls.proved_at > timedelta(minutes=1):
            for actor in (*map(self.actor, GROUPS), self.cast.noor):
                accounts.renew_proof(actor=actor, by=Strength.PASSWORD)
            cls.proved_at = clock.now()
