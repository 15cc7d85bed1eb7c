"""Which proposals nobody can complete, however many of those who may vote agree."""

import json
from dataclasses import replace
from typing import Any, Final, TypeAlias
from uuid import UUID

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, Subquery

from approvals import policies
from approvals.cards import Principal
from approvals.models import PrincipalRow, Proposal, RequirementRow
from approvals.queries.people import Voters
from approvals.states import DECIDABLE, PrincipalRole
from console.kernel.actors import Actor
from console.kernel.transactions import query

_Tools: TypeAlias = tuple[UUID | None, ...]  # of a plan, those of all its changes
_BARE: Final = policies.requirement_for(1)


@query
def wrongly_flagged(*, actor: Actor, limit: int) -> tuple[UUID, ...]:
    """Return open proposals that are a dead end and not flagged, or flagged and none, by id.

    Most proposals ask the same of the same people, so few questions answer for all of them.
    """
    asked = RequirementRow.objects.filter(proposal=OuterRef("pk")).order_by("-no")
    steps = Proposal.objects.filter(plan=OuterRef("pk"))
    chain = PrincipalRow.objects.filter(proposal=OuterRef("pk"), person_id__isnull=False)
    rows = (
        Proposal.objects.filter(
            tenant_id=actor.tenant_id,
            plan__isnull=True,  # people decide on the plan
            state__in=[state.value for state in DECIDABLE],
        )
        .annotate(
            blocks=Subquery(asked.values("blocks")[:1]),
            chain=ArraySubquery(chain.order_by("person_id").values("person_id")),
            changes=ArraySubquery(steps.order_by("tool_id").values("tool_id").distinct()),
        )
        .order_by("id")
        .values_list("id", "tool_id", "changes", "unfillable_since", "blocks", "chain")
    )
    answers = _Answers(actor)
    found: list[UUID] = []
    for proposal_id, tool_id, changes, since, blocks, people in rows.iterator():
        tools = tuple(changes) or (tool_id,)
        if answers.can_be_filled(tools, blocks, people) == (since is not None):
            found.append(proposal_id)
        if len(found) == limit:
            break
    return tuple(found)


class _Answers:
    """Answers that were found already, by tool, blocks and chain."""

    def __init__(self, actor: Actor) -> None:
        self._voters = Voters(actor)
        self._known: dict[tuple[_Tools, str, tuple[UUID, ...]], bool] = {}

    def can_be_filled(self, tools: _Tools, blocks: Any, chain: list[UUID]) -> bool:
        key = (tools, json.dumps(blocks, sort_keys=True), tuple(chain))
        if key not in self._known:
            requirement = replace(_BARE, blocks=policies.blocks_from(blocks))
            barred = [_bar(person) for person in chain]
            voters = self._voters.of(tools).values()
            self._known[key] = policies.can_be_filled(requirement, voters, barred)
        return self._known[key]


def _bar(person: UUID) -> Principal:
    return Principal(
        role=PrincipalRole.STARTER,
        actor_kind="person",
        actor_id=str(person),
        label="",
        person_id=person,
    )
