"""Pulse and workers are killed with SIGKILL while they do what nobody asked for by a request.

Afterwards a deadline, a stop, the end of a run, what was agreed to about rules, places that were
lent and questions that nobody answered are there as a whole or not at all; whoever comes next does
what is left, and coming once more changes nothing.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final
from uuid import UUID

import pytest

from approvals import commands
from approvals.states import CommentKind
from console.accounts import commands as accounts
from console.accounts.states import Strength
from console.kernel import clock
from console.kernel.ids import uuid7
from tests.approvals import letters
from tests.approvals.desk import approve, opened
from tests.approvals.lent import lend
from tests.approvals.policies.rules import body, rule
from tests.cast import Cast
from tests.crashes import worker
from tests.crashes.conftest import Processes
from tests.crashes.killing import Point
from tests.crashes.test_web_killed import LAST, added, kept

MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is due about a proposal, and when it is looked at."""

    name: str
    tenant: UUID
    proposal: UUID
    at: datetime

    def killed(self, processes: Processes, point: Point) -> bool:
        return processes.killed(
            "duty",
            tenant=str(self.tenant),
            proposal=str(self.proposal),
            name=self.name,
            at=self.at.isoformat(),
            point=point,
        )

    def do(self, *, later: timedelta = MINUTE) -> None:
        """Do it as the next one who comes, whom no lease of the dead keeps away any more."""
        with clock.frozen(self.at + later):
            worker.DUTIES[self.name](self.tenant, self.proposal)


def due(cast: Cast, name: str, proposal: UUID, *, after: timedelta = timedelta()) -> Due:
    return Due(name=name, tenant=cast.tenant_id, proposal=proposal, at=clock.now() + after)


def deadline(cast: Cast) -> Due:
    """Let the time to decide run out on one vote of two."""
    card = opened(cast, tier=2)
    approve(card, cast.ruth)
    return due(cast, "deadline", card.id, after=timedelta(hours=5))


def stop(cast: Cast) -> Due:
    return due(cast, "freeze", letters.opened(cast).id)


def release(cast: Cast) -> Due:
    card = letters.opened(cast)
    commands.freeze(
        actor=cast.system, proposal_ids=[card.id], cause="a stop", since=clock.now() - MINUTE
    )
    return due(cast, "thaw", card.id)


def end_of_a_run(cast: Cast) -> Due:
    """Withdraw what people approved: the decision counts no more."""
    card = opened(cast)
    approve(card, cast.ruth)
    return due(cast, "withdraw", card.id)


def agreed_rules(cast: Cast) -> Due:
    """Activate a policy that two people agreed to: hand-over, change and outcome are one."""
    for person in (cast.ruth, cast.ines):
        accounts.renew_proof(actor=person, by=Strength.PASSWORD)
    other = body(rule("a", "hold", match={"tool": "none.*"}), name=f"p{uuid7().hex[-12:]}")
    version = commands.add_version(actor=cast.noor, body=other)
    card = commands.propose_activation(actor=cast.noor, version_id=version.id)
    for person in (cast.ruth, cast.ines):
        approve(card, person)
    return due(cast, "carry out", card.id)


def lent_place(cast: Cast) -> Due:
    """Let a place that was lent run out."""
    later = clock.now() + MINUTE
    name = f"t{uuid7().hex[-12:]}"
    giver = cast.add(f"g{name}", roles=("reviewer",), groups=("care",))
    taker = cast.add(name, roles=("reviewer",))
    lend(giver, taker, until=later)
    return due(cast, "delegations", opened(cast).id, after=2 * MINUTE)


def unanswered(cast: Cast) -> Due:
    """Give a question up after half an hour."""
    card = letters.opened(cast)
    commands.ask(
        actor=cast.ruth, proposal_id=card.id, kind=CommentKind.QUESTION, text="Why?", pause=True
    )
    return due(cast, "answers", card.id, after=31 * MINUTE)


CASES: Final[dict[Callable[[Cast], Due], Iterable[Point]]] = {
    deadline: count(1),  # each of them
    stop: ("INSERT approvals_freeze", "UPDATE approvals_timer", *LAST),
    release: ("UPDATE approvals_freeze", *LAST),
    end_of_a_run: ("UPDATE approvals_decision", "UPDATE approvals_proposal", *LAST),
    agreed_rules: ("INSERT approvals_dispatch", "UPDATE approvals_policyversion", *LAST),
    lent_place: ("INSERT audit_event", *LAST),
    unanswered: ("INSERT approvals_comment", *LAST),
}


class TestKilledAtEachWrite:
    @pytest.mark.parametrize("prepare", CASES, ids=lambda prepare: prepare.__name__)
    def test_leaves_all_of_it_or_nothing(
        self, cast: Cast, processes: Processes, prepare: Callable[[Cast], Due]
    ) -> None:
        unharmed, before = prepare(cast), kept(cast)
        unharmed.do()
        whole = added(cast, before)
        assert whole

        found: list[dict[str, Any]] = []
        for point in CASES[prepare]:
            one, before = prepare(cast), kept(cast)
            if not one.killed(processes, point):
                break
            found.append(added(cast, before))
            for often in (1, 2):
                one.do(later=often * MINUTE)
                assert added(cast, before) == whole, point
        none, all_of_it = found.count({}), found.count(whole)
        assert found == [{}] * none + [whole] * all_of_it
        assert min(none, all_of_it) > 0
