"""A tenant of its own for each replay: shop, agent, two reviewers of two groups."""

from dataclasses import dataclass, replace
from secrets import token_hex
from typing import Final
from uuid import UUID

from django.contrib.auth.hashers import make_password

from agents.runtime import commands as runtime
from agents.showcase.replay.watch import Watch
from agents.showcase.retail import commands as shop
from agents.showcase.retail.tools import DOMAIN
from agents.tools import registry
from console.accounts import commands as accounts
from console.accounts import policies, queries
from console.kernel.actors import Actor, ActorKind, system
from console.kernel.ids import uuid7

AGENT: Final = "retail-replay"
CALLS: Final = 60  # most calls of one task, with room


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where a replay happens, and who is on it."""

    keeper: Actor
    agent: str
    reviewers: tuple[Actor, Actor]
    watch: Watch
    initial: str  # state_sha256 of the untouched shop


def set_up() -> Stage:
    """Make a new tenant with a full shop; nothing of any other tenant is touched."""
    keeper = system("agents.replay", uuid7())
    accounts.create_tenant(
        actor=keeper, slug=f"replay-{keeper.tenant_id.hex[-12:]}", name="Replay of the data set"
    )
    first = _reviewer(keeper, "care", "Customer care")
    second = _reviewer(keeper, "finance", "Finance")
    shop.seed_shop(actor=keeper)
    runtime.register_agent(actor=keeper, slug=AGENT, title="Replay of reference actions")
    runtime.register_agent_version(
        actor=keeper,
        agent=AGENT,
        prompt="No model is asked: the calls come from the data set.",
        tools=[tool.name for tool in registry.every(domain=DOMAIN)],
        model_policy={"provider": "scripted", "model": "reference actions", "max_tokens": 1},
        budgets={"steps": CALLS, "tool_calls": CALLS},
        confirm_tiers=(),
    )
    watch = Watch(keeper)
    return Stage(
        keeper=keeper,
        agent=AGENT,
        reviewers=(first, second),
        watch=watch,
        initial=watch.digest(),
    )


def _reviewer(keeper: Actor, slug: str, title: str) -> Actor:
    """Return a reviewer with a session of their own; nobody can sign in to the account."""
    accounts.create_group(actor=keeper, slug=slug, title=title)
    made = accounts.add_person(
        actor=keeper,
        email=f"replay.{slug}@signalbox.invalid",
        name=f"Replay reviewer ({title})",
        roles=("reviewer",),
        groups=(slug,),
        password_hash=make_password(None),
    )
    reviewer = Actor(
        tenant_id=keeper.tenant_id,
        kind=ActorKind.PERSON,
        id=str(made.person.id),
        label=made.person.name,
        strength="password",
        permissions=policies.permissions_of(made.person.roles),
        groups=frozenset(made.person.groups),
    )
    return _in_session(keeper, reviewer)


def seated(stage: Stage) -> Stage:
    """Return the stage with its reviewers in new sessions, fresh enough for the highest tier."""
    first, second = stage.reviewers
    return replace(
        stage, reviewers=(_in_session(stage.keeper, first), _in_session(stage.keeper, second))
    )


def _in_session(keeper: Actor, reviewer: Actor) -> Actor:
    key = token_hex(32)
    accounts.open_session(
        actor=keeper,
        person_id=UUID(reviewer.id),
        session_key=key,
        address="",
        user_agent="replay",
    )
    return replace(reviewer, session=queries.digest_of(key))
