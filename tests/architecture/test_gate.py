"""The gate walk: every registered tool, called by a model that does what it likes.

A read runs at once and changes nothing. A write changes nothing until the very call was agreed to
and dispatched: it opens one proposal, and a rejection leaves every record as it was. What is no
tool is refused. `test_machines` walks the addresses for programs, `tests/agents/test_gate.py` the
code for other callers; here the runtime itself is walked.
"""

from collections.abc import Mapping
from typing import Any, Final

import pytest

from agents.llm.scripted import Use
from agents.models import ToolCall
from agents.runtime.engine import Progress
from agents.showcase.retail import queries as shelves
from agents.tools import registry
from agents.tools.contracts import Tool
from approvals.models import Dispatch, Proposal
from approvals.states import Choice, ProposalState
from console.kernel.transactions import in_tenant
from tests.agents.world import (
    CARD,
    DELIVERED,
    ETHAN,
    ETHANS,
    PENDING,
    SOFIA,
    SOFIA_MAIL,
    World,
    calls,
    make_world,
    says,
)
from tests.architecture.doors import POSTS
from tests.architecture.routes import ROUTES
from tests.architecture.test_machines import MACHINES_MAY
from tests.architecture.watch import Watch
from tests.cast import Cast

DOMAIN: Final = "retail"  # what the product comes with; tests register tools of their own
TOOLS: Final = registry.every(domain=DOMAIN)
WRITES: Final = [tool for tool in TOOLS if tool.writes]
READS: Final = [tool for tool in TOOLS if not tool.writes]
ADDRESS: Final = {
    "address1": "1 New Road", "address2": "", "city": "Austin", "state": "TX", "country": "USA",
    "zip": "78701",
}  # fmt: skip
# Who calls and with what; a tool without an entry fails, so that none is left out of the walk.
CALLS: Final[dict[str, tuple[str, Mapping[str, Any]]]] = {
    "calculate": (SOFIA, {"expression": "1 + 1"}),
    "find_user_id_by_email": (SOFIA, {"email": SOFIA_MAIL}),
    "find_user_id_by_name_zip": (
        SOFIA, {"first_name": "Sofia", "last_name": "Rossi", "zip": "78784"}
    ),
    "get_item_details": (SOFIA, {"item_id": "@item"}),
    "get_order_details": (SOFIA, {"order_id": PENDING}),
    "get_product_details": (SOFIA, {"product_id": "@product"}),
    "get_user_details": (SOFIA, {"user_id": SOFIA}),
    "list_all_product_types": (SOFIA, {}),
    "transfer_to_human_agents": (SOFIA, {"summary": "She asked for a person."}),
    "cancel_pending_order": (SOFIA, {"order_id": PENDING, "reason": "ordered by mistake"}),
    "exchange_delivered_order_items": (
        SOFIA,
        {"order_id": DELIVERED, "item_ids": ["@item"], "new_item_ids": ["@other"],
         "payment_method_id": CARD},
    ),
    "modify_pending_order_address": (SOFIA, {"order_id": PENDING, **ADDRESS}),
    "modify_pending_order_items": (
        SOFIA,
        {"order_id": PENDING, "item_ids": ["@pending item"], "new_item_ids": ["@pending other"],
         "payment_method_id": CARD},
    ),
    "modify_pending_order_payment": (
        ETHAN, {"order_id": ETHANS, "payment_method_id": "credit_card_9789590"}
    ),
    "modify_user_address": (SOFIA, {"user_id": SOFIA, **ADDRESS}),
    "return_delivered_order_items": (
        SOFIA, {"order_id": DELIVERED, "item_ids": ["@item"], "payment_method_id": CARD}
    ),
}  # fmt: skip
# What in the API of approvals can write, and whose act it is; test_machines shows that a key with
# every right gets none of the first, and its own list says why it gets the others.
ONE: Final = "proposals/<uuid:proposal_id>"
ACTS_OF_PEOPLE: Final[dict[str, str]] = {
    "POST batches": "votes on several proposals, each one on its own digest",
    "POST dispatches/<uuid:dispatch_id>/reconcile": "somebody looked whether it happened",
    "POST attention/checks": "whether checks are planted; nothing of one ever runs",
    "POST policies": "a draft of rules; it speaks only after two people agreed",
    "POST break-glass-grants": "an administrator, of somebody else",
    "DELETE break-glass-grants/<uuid:grant_id>": "an administrator",
    "POST delegations": "a reviewer, of their own place",
    "DELETE delegations/<uuid:delegation_id>": "one of its two people, or who leads",
    "POST proposals/<uuid:proposal_id>/break-glass": "a person with a right that was lent",
    "POST review-tasks/<uuid:task_id>/close": "a reviewer; nothing runs by it",
    "POST policies/replays/<uuid:replay_id>/cancel": "a question about the past; nothing follows",
    "POST policies/versions/<uuid:version_id>/activation": "asks two people whether it may speak",
    "POST policies/versions/<uuid:version_id>/retirement": "asks two people whether it may stop",
    "POST policies/versions/<uuid:version_id>/discard": "of a draft, which never spoke",
    "POST policies/versions/<uuid:version_id>/shadow": "what it says there is only counted",
    "POST policies/versions/<uuid:version_id>/replays": "a question about the past, as above",
    "POST policies/versions/<uuid:version_id>/simulate": "writes nothing; the body is the call",
    "POST standing-approvals": "more requests like one that this person approved",
    "POST standing-approvals/<uuid:standing_id>/revoke": "takes such a word back",
    f"POST {ONE}/claim": "a reviewer reserves it, which decides nothing",
    f"DELETE {ONE}/claim": "a reviewer gives it back",
    f"POST {ONE}/extend": "a reviewer takes more time, with a reason",
    f"POST {ONE}/revisions": "a person's edit voids the votes; a key revises what it asked for",
    f"POST {ONE}/comments": "a question or a note, which decides nothing",
    f"POST {ONE}/comments/<uuid:comment_id>/answer": "whoever proposed it answers; so does a key",
    f"POST {ONE}/refresh": "a reviewer puts the same call before people again, on the new target",
    f"POST {ONE}/hand-back": "a reviewer lets the agent look again; the request is over",
    f"POST {ONE}/withdraw": "who started it takes it back; a key what it asked for",
    f"POST {ONE}/sealed/erase": "asks two people whether hidden values may go",
    f"POST {ONE}/votes": "a vote",
    f"POST {ONE}/votes/challenges": "what a passkey signs for a vote",
    f"DELETE {ONE}/votes/mine": "one's own vote",
}
API: Final = "api/v1/approvals/"
SHOP: Final = "retail_"  # the tables whose rows a tool could change


@pytest.fixture
def world(cast: Cast) -> World:
    return make_world(cast)


def called(world: World, tool: Tool) -> tuple[ToolCall, Progress]:
    """Have the model call a tool, well formed, and take it as far as it gets without people."""
    customer, args = CALLS[tool.name]
    said = world.say("Do it", customer=customer)
    use = Use(name=tool.name, args=filled(world, dict(args)))
    with world.answering(calls(use), says("Done.")):
        progress = world.advance(said.run_id)
    (call,) = world.calls(said.run_id)
    return call, progress


def filled(world: World, args: dict[str, Any]) -> dict[str, Any]:
    """Put real records in the place of their names."""
    names = {"@product": first_item(world, DELIVERED)["product_id"]}
    for prefix, order_id in (("@", DELIVERED), ("@pending ", PENDING)):
        item = first_item(world, order_id)
        names[f"{prefix}item"] = item["item_id"]
        names[f"{prefix}other"] = other_item(world, item)
    return {
        name: [names.get(one, one) for one in value] if isinstance(value, list)
        else names.get(value, value)
        for name, value in args.items()
    }  # fmt: skip


def first_item(world: World, order_id: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = world.order(order_id, SOFIA)["items"][0]
    return found


def other_item(world: World, item: Mapping[str, Any]) -> str:
    """Return another variant of the same product that is there to be had."""
    found = shelves.product_details(actor=world.visitor, product_id=item["product_id"])
    variants: dict[str, Any] = found["variants"]
    return next(key for key, one in variants.items() if one["available"] and key != item["item_id"])


def shop(world: World) -> dict[str, tuple[int, str]]:
    rows = Watch(world.cast).rows()
    return {name: found for name, found in rows.items() if name.startswith(SHOP)}


def dispatches(world: World) -> int:
    with in_tenant(world.tenant_id, read_only=True):
        return Dispatch.objects.count()


def proposals(world: World) -> list[Proposal]:
    with in_tenant(world.tenant_id, read_only=True):
        return list(Proposal.objects.all())


class TestEveryTool:
    def test_is_walked(self) -> None:
        assert set(CALLS) == {tool.name for tool in TOOLS}
        assert len(WRITES) == 7

    @pytest.mark.parametrize("tool", registry.every(), ids=lambda tool: tool.name)
    def test_has_a_tier_that_fits_its_effect(self, tool: Tool) -> None:
        assert tool.tier in {0, 1, 2}
        assert tool.writes is (tool.tier > 0)

    def test_has_records_that_are_looked_at(self, world: World) -> None:
        """Nothing changed would say little if nothing were there."""
        tables = shop(world)
        assert {"retail_order", "retail_product", "retail_customer"} == set(tables)
        assert all(count for count, _digest in tables.values())


class TestEveryRead:
    def test_runs_without_people_and_changes_nothing(self, world: World) -> None:
        before = shop(world)
        found = {tool.name: called(world, tool)[0] for tool in READS}
        assert {name: call.state for name, call in found.items()} == {
            tool.name: "succeeded" for tool in READS
        }
        assert (proposals(world), shop(world)) == ([], before)


class TestEveryWrite:
    @pytest.mark.parametrize("tool", WRITES, ids=lambda tool: tool.name)
    def test_changes_nothing_until_people_said_yes(self, world: World, tool: Tool) -> None:
        before = shop(world)
        call, progress = called(world, tool)

        (proposal,) = proposals(world)
        assert (call.state, progress) == ("waiting_approval", Progress.WAITS), call.error_code
        assert (call.proposal_id, proposal.state) == (proposal.pk, ProposalState.OPEN)
        assert (proposal.tool, proposal.tier, proposal.needs) == (tool.name, tool.tier, tool.tier)
        assert (dispatches(world), shop(world)) == (0, before)

        world.vote(proposal.pk)
        assert (dispatches(world), shop(world)) == (0, before)  # a vote itself runs nothing
        world.relay()
        with world.answering(says("Done.")):
            assert world.advance(call.run_id) is Progress.ENDED
        assert dispatches(world) == 1
        assert shop(world) != before

    def test_changes_nothing_when_they_said_no(self, world: World) -> None:
        before = shop(world)
        for tool in WRITES:
            call, _progress = called(world, tool)
            world.vote(call.proposal_id, Choice.REJECT)
            world.relay()
            with world.answering(says("Declined.")):
                assert world.advance(call.run_id) is Progress.ENDED
            assert world.calls(call.run_id)[0].state == "denied", tool.name
        assert (dispatches(world), shop(world)) == (0, before)
        assert {one.state for one in proposals(world)} == {ProposalState.REJECTED}


class TestNoTool:
    def test_is_refused_and_asks_nobody(self, world: World) -> None:
        before = shop(world)
        for name in ("delete_user", "CANCEL_PENDING_ORDER", "cancel_pending_order ", "__init__"):
            said = world.say("Do it", customer=SOFIA)
            use = Use(name=name, args={"order_id": PENDING, "reason": "ordered by mistake"})
            with world.answering(calls(use), says("Sorry.")):
                world.advance(said.run_id)
            (call,) = world.calls(said.run_id)
            assert (call.state, call.error_code) == ("rejected_by_contract", "tool.unknown"), name
        assert (proposals(world), shop(world)) == ([], before)


class TestEveryAddress:
    def test_that_can_write_is_an_act_of_people_or_one_that_programs_may(self) -> None:
        writing = {
            f"{method.upper()} {route.path.removeprefix(API)}"
            for route in ROUTES
            if route.path.startswith(API) and route.api is not None
            for method in ("post", "put", "patch", "delete")
            if hasattr(route.api, method)
        }
        programs = {f"POST {path.removeprefix(API)}" for path in MACHINES_MAY}
        assert writing == set(ACTS_OF_PEOPLE) | programs
        assert all({**ACTS_OF_PEOPLE, **MACHINES_MAY}.values())

    def test_of_a_page_that_can_write_is_a_form(self) -> None:
        """A program is nobody on a page; that each of them is a form, `test_bad_input` holds."""
        pages = {route.key for route in ROUTES if route.path.startswith("reviews/")}
        forms = {key for key in POSTS if key.startswith("approvals:")}
        assert forms <= pages
        assert "approvals:vote" in forms
