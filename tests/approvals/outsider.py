"""An agent that runs elsewhere, for tests: a key, a registered tool, and what it sends."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rest_framework.test import APIClient

from approvals import commands, queries
from approvals.cards import ExternalCall, ProposalCard
from approvals.commands import external_tools
from approvals.states import Choice, ProposalState
from console.accounts import commands as accounts
from console.kernel.actors import Actor, ActorKind, Link
from console.kernel.ids import uuid7
from tests.approvals.desk import now, shown, vote
from tests.cast import HOST, Cast, make_cast

BASE = "/api/v1/approvals"
TOOL = "crm.update_phone"
SUMMARY = "Changes the phone of a customer."
ARGS = {"customer": "c-17", "phone": "+1 555 0100"}
BEFORE = {"customer": {"c-17": {"phone": "+1 555 0199", "name": "Ada"}}}
AFTER = {"customer": {"c-17": {"phone": "+1 555 0100", "name": "Ada"}}}
CONTRACT = "update_phone(customer, phone): sets the number and nothing else."


@dataclass(frozen=True, slots=True, kw_only=True)
class Outsider:
    """A program with a key of its own."""

    cast: Cast
    client: APIClient
    key_id: UUID
    secret: str

    def post(self, path: str, body: dict[str, Any], **headers: str) -> Any:
        return self.client.post(f"{BASE}/{path}", body, format="json", headers=headers)

    def propose(self, **other: Any) -> Any:
        """Ask for the change; a value of None leaves a field out."""
        headers = {"Idempotency-Key": other.pop("key")} if "key" in other else {}
        return self.post("proposals", asked(**other), **headers)

    def opened(self, **other: Any) -> dict[str, Any]:
        answer = self.propose(**other)
        assert answer.status_code == 201, answer.content
        found: dict[str, Any] = answer.json()
        return found

    def approved(self, **other: Any) -> dict[str, Any]:
        found = self.opened(**other)
        decide(self.cast, found, Choice.APPROVE)
        return found

    def dispatch(self, found: dict[str, Any], **other: Any) -> Any:
        values = {"call_key": str(uuid7()), "args": ARGS, "before": BEFORE, "contract": CONTRACT}
        return self.post(f"proposals/{found['id']}/dispatch", {**values, **other})

    def wait(self, found: dict[str, Any], **query: Any) -> Any:
        return self.client.get(f"{BASE}/proposals/{found['id']}/wait", query)


def asked(**other: Any) -> dict[str, Any]:
    values = {
        "subject": str(uuid7()),
        "tool": TOOL,
        "tier": 1,
        "title": "Change the phone of customer c-17",
        "args": ARGS,
        "before": BEFORE,
        "after": AFTER,
        "contract": CONTRACT,
        "why": "The customer wrote from a new number.",
    }
    return {name: value for name, value in {**values, **other}.items() if value is not None}


def outsider(cast: Cast, *scopes: str) -> Outsider:
    """Return another program, whose key Noor made."""
    made = accounts.create_key(
        actor=cast.noor, name=f"crm {uuid7()}", scopes=scopes or ("approvals.propose",), days=1
    )
    client = APIClient(SERVER_NAME=HOST)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {made.secret}")
    return Outsider(cast=cast, client=client, key_id=made.key.id, secret=made.secret)


def with_tool(schema: Mapping[str, Any] | None = None) -> Cast:
    """Return a cast whose tenant registered the tool for one person while it was being founded."""
    return make_cast(
        lambda cast: external_tools.enter(
            cast.system,
            {"name": TOOL, "tier": 1, "summary": SUMMARY, "schema": schema},
            by=cast.system.label,
        )
    )


def registered(cast: Cast, name: str = TOOL, *, tier: int = 1) -> UUID:
    """Register a tool as Noor does, and have two people agree where it takes them."""
    made = commands.add_external_tool(actor=cast.noor, name=name, tier=tier, summary=SUMMARY)
    if made.tool is not None:
        return made.tool.id
    assert agreed(cast, made.waiting).state is ProposalState.DISPATCHED
    return next(one.id for one in queries.external_tools(actor=cast.noor) if one.name == name)


def agreed(cast: Cast, card: ProposalCard | None) -> ProposalCard:
    """Have Ruth and Ines agree to a change of the gate, and what follows happen."""
    assert card is not None
    for person in (cast.ruth, cast.ines):
        vote(shown(card, person), person, Choice.APPROVE)
    commands.carry_out(actor=cast.system, proposal_id=card.id)
    return now(cast, card).card


def asked_by_key(cast: Cast) -> tuple[ProposalCard, Actor]:
    """Have a key that Noor issued ask for a change, past the API; return it and the key."""
    tool = f"crm.{uuid7().hex[-12:]}"
    commands.add_external_tool(actor=cast.noor, name=tool, tier=2, summary=SUMMARY)
    key = Actor(
        tenant_id=cast.tenant_id,
        kind=ActorKind.KEY,
        id=str(uuid7()),
        label="crm",
        permissions=frozenset({"approvals.propose"}),
        via=(Link(kind="person", id=cast.noor.id, label=cast.noor.label),),
    )
    call = ExternalCall(**{**asked(tool=tool, tier=2), "subject": uuid7()})
    found = commands.propose(actor=key, call=call)
    return now(cast, named(found.id)).card, key


def card_of(cast: Cast, found: dict[str, Any]) -> ProposalCard:
    return now(cast, proposal(found)).card


@dataclass(frozen=True, slots=True)
class Named:
    """What `desk` needs of a proposal: its id."""

    id: UUID


def named(proposal_id: UUID) -> Any:
    return Named(proposal_id)


def proposal(found: dict[str, Any]) -> Any:
    return named(UUID(found["id"]))


def decide(cast: Cast, found: dict[str, Any], choice: Choice, **other: Any) -> None:
    """Have as many people as it needs say the same."""
    card = card_of(cast, found)
    for person in (cast.ruth, cast.ines)[: card.needs]:
        vote(shown(card, person), person, choice, **other)
