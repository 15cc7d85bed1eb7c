"""Delegations for tests: lending a place, voting in it, and what asks for one."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from approvals import commands
from approvals.cards import (
    Principal,
    ProposalCard,
)
from approvals.cards.delegating import DelegationCard
from approvals.states import PrincipalRole, ProposalState
from console.accounts import commands as accounts
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError
from tests.accounts.trail import events
from tests.approvals.desk import (
    approve,
    now,
    opened,
)
from tests.approvals.policies.rules import FINANCE, rule, spoken
from tests.cast import Cast

DAY = timedelta(days=1)
FINANCE_TWICE = {"all": [{"slots": [{"groups": ["finance"], "n": 2}]}]}


def lend(giver: Actor, taker: Actor, **other: Any) -> DelegationCard:
    values: dict[str, Any] = {
        "person_id": UUID(taker.id),
        "group": min(giver.groups, default="finance"),
        "until": clock.now() + DAY,
        "reason": "I am away.",
    }
    return commands.delegate(actor=giver, **{**values, **other})


def instead(card: ProposalCard, actor: Actor, of: Actor, **other: Any) -> Any:
    return approve(card, actor, in_place_of=UUID(of.id), **other)


def said_no(code: str, act: Callable[[], Any]) -> ConsoleError:
    with pytest.raises(ConsoleError) as error:
        act()
    assert error.value.code == code, error.value
    return error.value


def happened(cast: Cast, action: str) -> list[dict[str, Any]]:
    return [event for event in events(cast) if event["action"] == action]


def finance(cast: Cast, needs: Any = None) -> ProposalCard:
    """Return a proposal that asks for people of finance."""
    spoken(cast, rule("f", "hold", require=needs or FINANCE))
    return opened(cast)


def state(cast: Cast, card: ProposalCard) -> ProposalState:
    return now(cast, card).card.state


def reviewer(cast: Cast, name: str, *groups: str) -> Actor:
    for group in {*groups} & {"leads", "legal"}:
        accounts.create_group(actor=cast.system, slug=group, title=group)
    return cast.add(name, roles=("reviewer",), groups=groups)


def started(person: Actor) -> Principal:
    return Principal(
        role=PrincipalRole.STARTER,
        actor_kind="person",
        actor_id=person.id,
        label=person.label,
        person_id=UUID(person.id),
    )
