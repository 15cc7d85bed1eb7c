"""A small world for the runtime's tests: the shop, an agent on it, scripts, votes and the relay."""

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connections

from agents.cards import FrameCard
from agents.conversations import commands as conversations
from agents.conversations import queries as transcripts
from agents.llm import door
from agents.llm.scripted import Reply, Scripted, Use
from agents.models import Conversation, Run, ToolCall
from agents.runtime import commands, engine
from agents.runtime.engine import Progress
from agents.showcase.retail import queries as shelves
from agents.showcase.retail import state
from agents.showcase.retail.events import ShopChanged, ShopSeeded
from agents.showcase.retail.queries import TABLES
from agents.tools import registry
from approvals import commands as approvals
from approvals import diffs
from approvals import queries as desk
from approvals.cards import ProposalCard
from approvals.states import Choice
from audit.commands import record
from console.kernel import relay
from console.kernel.actors import Actor, ActorKind
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant
from tests.cast import Cast

SOFIA = "sofia_rossi_8776"
SOFIA_MAIL = "sofia.rossi2645@example.com"
PENDING = "#W5918442"
DELIVERED = "#W8535951"
CARD = "credit_card_5051208"
ETHAN = "ethan_lopez_6291"  # two payment methods
ETHANS = "#W6779827"
CUSTOMERS = (SOFIA, ETHAN, "mei_ahmed_5058")


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """The receipt of a message that has its run."""

    conversation_id: UUID
    run_id: UUID
    seq: int
    repeated: bool
    notice: str


@dataclass(slots=True)
class World:
    """One tenant with the shop and its agent; everything commits for real."""

    cast: Cast
    agent: str = "support"

    @property
    def tenant_id(self) -> UUID:
        return self.cast.tenant_id

    @property
    def visitor(self) -> Actor:
        return Actor(
            tenant_id=self.tenant_id, kind=ActorKind.KEY, id="widget:shop", label="Shop widget"
        )

    def say(
        self,
        text: str,
        *,
        conversation_id: UUID | None = None,
        customer: str = "",
        client_id: str = "",
        end_user: str = "visitor-1",
    ) -> Said:
        made = conversations.receive_message(
            actor=self.visitor,
            conversation_id=conversation_id,
            agent_slug=self.agent,
            client_id=client_id or str(uuid7()),
            text=text,
            channel="widget",
            end_user=end_user,
            customer=customer,
        )
        assert made.run_id is not None
        return Said(
            conversation_id=made.conversation_id,
            run_id=made.run_id,
            seq=made.seq,
            repeated=made.repeated,
            notice=made.notice,
        )

    def advance(self, run_id: UUID, *, worker: str = "") -> Progress:
        return engine.advance(tenant_id=self.tenant_id, run_id=run_id, worker=worker)

    def answering(self, *replies: Reply) -> AbstractContextManager[Any]:
        return door.answering(Scripted(replies))

    def run(self, run_id: UUID) -> Run:
        with in_tenant(self.tenant_id, read_only=True):
            return Run.objects.get(pk=run_id)

    def calls(self, run_id: UUID) -> list[ToolCall]:
        with in_tenant(self.tenant_id, read_only=True):
            rows = ToolCall.objects.filter(run_id=run_id).order_by("step_seq", "index")
            return list(rows)

    def conversation(self, conversation_id: UUID) -> Conversation:
        with in_tenant(self.tenant_id, read_only=True):
            return Conversation.objects.get(pk=conversation_id)

    def frames(self, conversation_id: UUID) -> list[FrameCard]:
        return transcripts.transcript(actor=self.visitor, conversation_id=conversation_id)

    def kinds(self, conversation_id: UUID) -> list[str]:
        return [frame.kind for frame in self.frames(conversation_id)]

    def vote(self, proposal_id: UUID | None, choice: Choice = Choice.APPROVE) -> None:
        """Have Ruth vote, and Ines too while it is still open."""
        assert proposal_id is not None
        for person in (self.cast.ruth, self.cast.ines):
            detail = desk.proposal(actor=person, proposal_id=proposal_id)
            if detail.card.state.value != "open":
                return
            approvals.serve_parts(
                actor=person,
                proposal_id=proposal_id,
                revision_no=detail.card.revision_no,
                parts=[part.name for part in diffs.parts_of(detail.diff)],
            )
            approvals.cast_vote(
                actor=person,
                proposal_id=proposal_id,
                revision_no=detail.card.revision_no,
                seen_digest=detail.card.digest,
                choice=choice,
                reason_code="against_policy" if choice is Choice.REJECT else "",
                note="Too soon." if choice is Choice.REJECT else "",
                agent_message="Offer a return instead." if choice is Choice.REJECT else "",
            )

    def card(self, call: ToolCall) -> ProposalCard:
        """Return the proposal of a call, as Ruth sees it."""
        return desk.proposal(actor=self.cast.ruth, proposal_id=proposal_of(call)).card

    def relay(self) -> None:
        """Deliver what left with the commits, as pulse does."""
        relay.relay_all(tenant_id=self.tenant_id)

    def wake(self, run_id: UUID) -> None:
        commands.wake_decided(actor=self.cast.system)
        assert self.run(run_id).state == "queued"

    def order(self, order_id: str, customer: str) -> Mapping[str, Any]:
        return shelves.order_details(actor=self.visitor, order_id=order_id, customer=customer)


def proposal_of(call: ToolCall) -> UUID:
    assert call.proposal_id is not None
    return call.proposal_id


def digest_of(call: ToolCall) -> str:
    assert call.digest is not None
    return bytes(call.digest).hex()


def open_small_shop(actor: Actor) -> None:
    """Fill the shop with the records of three customers: all of it costs a second a test."""
    whole = state.initial()
    orders = {key: row for key, row in whole["orders"].items() if row["user_id"] in CUSTOMERS}
    wanted = {item["product_id"] for row in orders.values() for item in row["items"]}
    kept = {
        "users": {key: whole["users"][key] for key in CUSTOMERS},
        "orders": orders,
        "products": {key: whole["products"][key] for key in wanted},
    }
    with in_tenant(actor.tenant_id):
        for kind, (model, _) in TABLES.items():
            rows = [
                model(tenant_id=actor.tenant_id, **model.values(r)) for r in kept[kind].values()
            ]
            model.objects.bulk_create(rows)
        seeded = ShopSeeded(digest="", products=len(wanted), customers=3, orders=len(orders))
        record(seeded, actor=actor)


def touch(order: Any, actor: Actor) -> None:
    """Change an order by hand, so that what was planned on it does not stand any more."""
    order.payment_history = [*order.payment_history, {**order.payment_history[0]}]
    order.save()
    record(ShopChanged(change_id=uuid7(), records=(order.order_id,), fields=("x",)), actor=actor)


def in_background(act: Callable[[], object]) -> threading.Thread:
    """Start a worker's thread that gives its database connections back."""

    def work() -> None:
        try:
            act()
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def make_world(cast: Cast, *, confirm_tiers: tuple[int, ...] = (), **budgets: int) -> World:
    open_small_shop(cast.system)
    commands.register_agent(actor=cast.system, slug="support", title="Meridian support")
    commands.register_agent_version(
        actor=cast.system,
        agent="support",
        prompt="Help the customers of the shop.",
        tools=[tool.name for tool in registry.every(domain="retail")],
        model_policy={"provider": "rules", "model": "rules"},
        budgets=budgets,
        confirm_tiers=confirm_tiers,
    )
    return World(cast)


def cancel(order_id: str = PENDING) -> Use:
    return Use(
        name="cancel_pending_order", args={"order_id": order_id, "reason": "ordered by mistake"}
    )


def calls(*uses: Use) -> Reply:
    return Reply(calls=uses)


def says(*text: str) -> Reply:
    return Reply(text=text)
