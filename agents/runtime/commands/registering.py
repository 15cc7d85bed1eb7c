"""Agents and their versions: a name with an owner, and what the agent is from now on.

Which tools an agent has, and whose it is, is part of the gate: a rule may let an agent's calls run,
and an owner votes on none of them. So no person and no key registers either. They come with the
installation, as the code of the tools does: from whoever deploys it.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from django.conf import settings

from agents.cards import AgentCard
from agents.errors import UnknownAgent
from agents.events import AgentRegistered, AgentVersionRegistered
from agents.models import Agent, AgentVersion, Tool, ToolContract
from agents.tools import registry
from audit.commands import record
from console.kernel import canonical
from console.kernel.actors import Actor, ActorKind
from console.kernel.errors import NotAllowed
from console.kernel.transactions import command

BUDGETS: Final[Mapping[str, int]] = {
    "steps": 24,
    "tool_calls": 40,
    "retries": 10,
    "active_ms": 300_000,
    "tokens": 200_000,
}


@command
def register_agent(
    *, actor: Actor, slug: str, title: str, owner: UUID | None = None, owner_label: str = ""
) -> UUID:
    """Give an agent its name and owner; one that exists keeps what it has. Returns its id.

    Raises:
        NotAllowed: somebody asks who is not the installation.
    """
    _require_installation(actor)
    agent, created = Agent.objects.get_or_create(
        tenant_id=actor.tenant_id,
        slug=slug,
        defaults={"title": title, "owner": owner, "owner_label": owner_label},
    )
    if created:
        event = AgentRegistered(agent_id=agent.pk, slug=slug, title=title, owner_label=owner_label)
        record(event, actor=actor)
    return agent.pk


@command
def register_agent_version(  # noqa: PLR0913 - the parts of a version
    *,
    actor: Actor,
    agent: str,
    prompt: str,
    tools: Iterable[str],
    model_policy: Mapping[str, Any] | None = None,
    budgets: Mapping[str, int] | None = None,
    confirm_tiers: Iterable[int] = (1, 2),
    plan_writes: bool = False,
) -> AgentCard:
    """Register what an agent is from now on; the same content again gives the version there is.

    Args:
        tools: names of registered contracts; their hashes are pinned.
        model_policy: provider ("auto" takes a language model if one is set up), model, max_tokens.
        confirm_tiers: tiers of writes that the end user is asked about before people are.
        plan_writes: whether several writes of one answer are put before people as one plan.

    Raises:
        NotAllowed: somebody asks who is not the installation.
        UnknownAgent: there is no agent of that slug.
        UnknownTool: a name is not registered.
    """
    _require_installation(actor)
    owner = Agent.objects.select_for_update().filter(slug=agent).first()
    if owner is None:
        raise UnknownAgent("There is no such agent; register its name first.", agent=agent[:60])
    contracts = [registry.get(name) for name in sorted(set(tools))]
    content: dict[str, Any] = {
        "prompt": prompt,
        "model_policy": dict(model_policy or default_policy()),
        "tools": {tool.name: tool.hash for tool in contracts},
        "budgets": {**BUDGETS, **(budgets or {})},
        "guardrails": {},
        "scopes": sorted({scope for tool in contracts for scope in tool.scopes}),
        "escalation": {
            "confirm_tiers": sorted(set(confirm_tiers)),
            # Left out where it is not asked for: versions of before keep their hashes.
            **({"plan_writes": True} if plan_writes else {}),
        },
    }
    digest = canonical.digest(content)
    known = AgentVersion.objects.filter(agent=owner, content_hash=digest).first()
    if known is None:
        known = _add_version(actor, owner, content, digest)
    return AgentCard(
        id=owner.pk,
        slug=owner.slug,
        title=owner.title,
        version_id=known.pk,
        number=known.number,
        content_hash=digest.hex(),
    )


def _require_installation(actor: Actor) -> None:
    if actor.kind is not ActorKind.SYSTEM:
        raise NotAllowed(
            "Agents and their versions come with the installation; ask whoever deploys it."
        )


def default_policy() -> dict[str, Any]:
    return {"provider": "auto", "model": settings.MODEL_NAME, "max_tokens": 1024}


def _add_version(
    actor: Actor, agent: Agent, content: dict[str, Any], digest: bytes
) -> AgentVersion:
    newest = agent.versions.order_by("-number").values_list("number", flat=True).first()
    version = AgentVersion.objects.create(
        tenant_id=actor.tenant_id,
        agent=agent,
        number=(newest or 0) + 1,
        content_hash=digest,
        **content,
    )
    for name in content["tools"]:
        _keep_contract(actor, name)
    record(
        AgentVersionRegistered(
            agent_id=agent.pk,
            version_id=version.pk,
            number=version.number,
            content_hash=digest.hex(),
            tools=tuple(content["tools"]),
        ),
        actor=actor,
    )
    return version


def _keep_contract(actor: Actor, name: str) -> None:
    tool = registry.get(name)
    Tool.objects.get_or_create(tenant_id=actor.tenant_id, name=name, defaults={"title": tool.title})
    ToolContract.objects.get_or_create(
        tenant_id=actor.tenant_id,
        name=name,
        hash=bytes.fromhex(tool.hash),
        defaults={"body": tool.body},
    )
