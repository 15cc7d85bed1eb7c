"""A call whose arguments people changed: what runs, what the model and the customer are told."""

from typing import Any
from uuid import UUID

import pytest

from agents.models import ToolCall
from agents.runtime import following, proposing
from agents.runtime.engine import Progress
from agents.showcase.retail.models import Order
from approvals import commands as approvals
from approvals import diffs
from approvals import queries as desk
from approvals.cards import ProposalCard
from approvals.errors import DoesNotFit
from approvals.kinds import kind_of
from approvals.states import Choice
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError
from console.kernel.transactions import in_tenant
from tests.agents.world import (
    DELIVERED,
    ETHAN,
    ETHANS,
    PENDING,
    SOFIA,
    World,
    calls,
    cancel,
    digest_of,
    says,
    touch,
)

REASON = "no longer needed"


def proposed(world: World, **other: Any) -> tuple[UUID, UUID, ToolCall]:
    """Return (conversation, run, call) of a cancellation that waits for people."""
    said = world.say("Cancel it", customer=other.get("customer", SOFIA))
    with world.answering(calls(cancel(other.get("order", PENDING)))):
        assert world.advance(said.run_id) is Progress.WAITS
    (call,) = world.calls(said.run_id)
    return said.conversation_id, said.run_id, call


def edit(world: World, call: ToolCall, who: Actor | None = None, **changes: Any) -> ProposalCard:
    card = world.card(call)
    return approvals.edit(
        actor=who or world.cast.ruth,
        proposal_id=card.id,
        revision_no=card.revision_no,
        seen_digest=card.digest,
        args={**call.args, "reason": REASON, **changes},
    )


def agree(world: World, call: ToolCall) -> None:
    """Have those vote who did not edit: Ines, and a second reviewer of care."""
    pia = world.cast.add("pia", roles=("reviewer",), groups=("care",))
    for person in (world.cast.ines, pia):
        vote(world, call, person)


def vote(world: World, call: ToolCall, person: Actor, choice: Choice = Choice.APPROVE) -> None:
    detail = desk.proposal(actor=person, proposal_id=world.card(call).id)
    card = detail.card
    if card.state.value != "open":
        return
    parts = [part.name for part in diffs.parts_of(detail.diff)]
    approvals.serve_parts(
        actor=person, proposal_id=card.id, revision_no=card.revision_no, parts=parts
    )
    approvals.cast_vote(
        actor=person,
        proposal_id=card.id,
        revision_no=card.revision_no,
        seen_digest=card.digest,
        choice=choice,
        reason_code="other" if choice is Choice.REJECT else "",
        note="No." if choice is Choice.REJECT else "",
    )


class TestEditedCall:
    def test_runs_what_people_made_of_it(self, world: World) -> None:
        conversation, run, call = proposed(world)
        edit(world, call)
        agree(world, call)
        world.relay()
        with world.answering(says("It is cancelled.")) as model:
            assert world.advance(run) is Progress.ENDED
            result = model.asked[-1].turns[-1].results[0]

        order = world.order(PENDING, SOFIA)
        assert (order["status"], order["cancel_reason"]) == ("cancelled", REASON)
        (call,) = world.calls(run)
        assert (call.state, call.args["reason"]) == ("succeeded", "ordered by mistake")
        assert call.effective_args == {"order_id": PENDING, "reason": REASON}
        assert result.content["note"] == (
            "A person changed reason from ordered by mistake to no longer needed before it ran; "
            "do not repeat the original call."
        )
        assert result.content["ran_with"] == call.effective_args
        texts = [frame.text for frame in world.frames(conversation)]
        assert any(text.startswith("Our team changed what was asked for") for text in texts)

    def test_follows_without_the_fact(self, world: World) -> None:
        """Nothing was relayed: the run looks for itself, so a lost nudge loses no edit."""
        _conversation, run, call = proposed(world)
        edit(world, call)
        agree(world, call)
        world.wake(run)
        with world.answering(says("It is cancelled.")):
            assert world.advance(run) is Progress.ENDED
        assert world.order(PENDING, SOFIA)["cancel_reason"] == REASON

    def test_does_not_retry_the_original(self, world: World) -> None:
        """Regression: langchain-ai/langchain#33787, the agent sent it again."""
        _conversation, run, call = proposed(world)
        edit(world, call)
        agree(world, call)
        world.relay()
        with world.answering(calls(cancel()), says("Done.")) as model:
            assert world.advance(run) is Progress.ENDED
            answer = model.asked[-1].turns[-1].results[0]

        first, again = world.calls(run)
        assert (first.state, again.state, again.error_code) == (
            "succeeded",
            "failed",
            "call.edited",
        )
        assert again.proposal_id is None
        assert "Do not repeat the original" in answer.content["error"]["message"]

    def test_goes_back_to_people_when_it_was_approved(self, world: World) -> None:
        _conversation, run, call = proposed(world)
        world.vote(call.proposal_id)
        made = edit(world, call, world.cast.add("pia", roles=("reviewer",), groups=("care",)))
        assert made.state.value == "open"
        world.relay()
        with world.answering():
            assert world.advance(run) is Progress.WAITS
        (call,) = world.calls(run)
        assert (call.state, digest_of(call)) == ("waiting_approval", made.digest)
        assert world.order(PENDING, SOFIA)["status"] == "pending"

    def test_never_runs_the_old_arguments_in_a_race(
        self, world: World, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Edited and agreed to between the run's look at its proposal and its claim."""
        _conversation, run, call = proposed(world)
        other = world.cast.add("otto", roles=("reviewer",), groups=("care",))
        world.vote(call.proposal_id)
        world.relay()
        look = proposing.decided
        looked: list[int] = []

        def then_edited(**values: Any) -> Any:
            found = look(**values)
            if not looked:
                looked.append(1)
                edit(world, call, other)
                agree(world, call)
            return found

        monkeypatch.setattr(proposing, "decided", then_edited)
        with world.answering(says("Done.")):
            assert world.advance(run) is Progress.WAITS
            assert world.order(PENDING, SOFIA)["status"] == "pending"
            assert world.card(call).state.value == "approved"
            assert world.run(run).state == "queued"
            assert world.advance(run) is Progress.ENDED
        assert world.order(PENDING, SOFIA)["cancel_reason"] == REASON

    def test_is_shown_on_the_run_s_page(self, world: World) -> None:
        _conversation, run, call = proposed(world)
        edit(world, call)
        world.relay()
        (call,) = world.calls(run)
        assert digest_of(call) == world.card(call).digest
        assert call.title == world.card(call).title == f"Cancel order {PENDING}: {REASON}"
        page = world.cast.client("omar").get(f"/runs/{run}/").content.decode()
        assert "A person changed reason from ordered by mistake to no longer needed" in page

    def test_survives_an_edit_and_a_rejection(self, world: World) -> None:
        _conversation, run, call = proposed(world)
        edit(world, call)
        vote(world, call, world.cast.ines, Choice.REJECT)
        world.relay()
        with world.answering(says("It was declined.")):
            assert world.advance(run) is Progress.ENDED
        (call,) = world.calls(run)
        assert call.state == "denied"
        assert "before it was decided" in following.note_of(call)


class TestNoteOf:
    def test_names_a_few_changes_and_cuts_long_values(self) -> None:
        call = ToolCall(
            state="succeeded",
            args={"a": "x" * 90, "b": 1, "c": 1, "d": 1, "e": 1, "f": {"g": 1}},
            effective_args={"a": "y", "b": 2, "c": 2, "d": 2, "e": 2, "f": {"g": 2}},
        )
        said = following.note_of(call)
        assert said.startswith(f"A person changed a from {'x' * 59}… to y, b from 1 to 2, ")
        assert "2 more before it ran" in said

    def test_says_nothing_of_other_calls(self) -> None:
        assert following.note_of(ToolCall(args={"a": 1})) == ""


class TestKind:
    def content(self, world: World, call: ToolCall, **args: Any) -> Any:
        kind = kind_of("tool_call")
        assert kind is not None
        with in_tenant(world.tenant_id):
            return kind.content(
                actor=world.cast.system,
                subject=world.card(call).subject,
                tool=call.tool,
                args={**call.args, **args},
            )

    def test_gives_the_schema_of_the_contract(self, world: World) -> None:
        kind = kind_of("tool_call")
        assert kind is not None
        schema = kind.schema(actor=world.cast.system, tool="cancel_pending_order")
        assert schema["properties"]["reason"]["enum"] == ["no longer needed", "ordered by mistake"]

    def test_plans_what_other_arguments_would_do_now(self, world: World) -> None:
        _conversation, _run, call = proposed(world)
        found = self.content(world, call, reason=REASON)
        assert found.after["orders"][PENDING]["cancel_reason"] == REASON

    @pytest.mark.parametrize(
        ("args", "pointer"),
        [({"reason": "because"}, "/reason"), ({"order_id": 7}, "/order_id"), ({"x": 1}, "/x")],
    )
    def test_refuses_what_does_not_fit(
        self, world: World, args: dict[str, Any], pointer: str
    ) -> None:
        _conversation, _run, call = proposed(world)
        with pytest.raises(DoesNotFit) as refused:
            self.content(world, call, **args)
        assert list(refused.value.details["fields"]) == [pointer]  # type: ignore[call-overload]

    def test_keeps_the_customer_of_the_conversation(self, world: World) -> None:
        """An edit cannot reach another customer's record, whoever makes it."""
        _conversation, _run, call = proposed(world)
        with pytest.raises(ConsoleError):
            edit(world, call, order_id=ETHANS)
        with pytest.raises(ConsoleError):
            edit(world, call, order_id=DELIVERED)
        assert world.card(call).revision_no == 1


class TestDrift:
    def test_waits_for_a_person_once_a_look_found_it(self, world: World) -> None:
        _conversation, run, call = proposed(world, customer=ETHAN, order=ETHANS)
        move(world, ETHANS)
        assert approvals.probe(actor=world.cast.system, proposal_id=world.card(call).id, every_s=0)
        world.relay()
        with world.answering():
            assert world.run(run).state == "waiting_approval"
        card = world.card(call)
        assert card.state.value == "stale"

        approvals.rebase(
            actor=world.cast.ruth, proposal_id=card.id, revision_no=1, seen_digest=card.digest
        )
        world.relay()
        (call,) = world.calls(run)
        assert digest_of(call) == world.card(call).digest
        world.vote(call.proposal_id)
        world.relay()
        with world.answering(says("Cancelled.")):
            assert world.advance(run) is Progress.ENDED
        assert world.order(ETHANS, ETHAN)["status"] == "cancelled"

    def test_goes_back_to_the_agent(self, world: World) -> None:
        _conversation, run, call = proposed(world)
        move(world, PENDING)
        approvals.probe(actor=world.cast.system, proposal_id=world.card(call).id, every_s=0)
        card = world.card(call)
        approvals.hand_back(
            actor=world.cast.ruth, proposal_id=card.id, revision_no=1, seen_digest=card.digest
        )
        world.relay()
        with world.answering(says("Let me look again.")):
            assert world.advance(run) is Progress.ENDED
        (call,) = world.calls(run)
        assert (call.state, call.error_code) == ("withdrawn", "approval.handed_back")


def move(world: World, order_id: str) -> None:
    with in_tenant(world.tenant_id):
        touch(Order.objects.get(order_id=order_id), world.cast.system)
