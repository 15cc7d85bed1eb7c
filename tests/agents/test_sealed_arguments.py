"""Arguments that a contract hides: nobody sees them, exactly they run, and they can be erased."""

from typing import Any

import pytest

from agents.llm.scripted import Use
from agents.models import ToolCall
from agents.runtime import commands
from agents.runtime.engine import Progress
from agents.tools import registry
from approvals import commands as approvals
from approvals import queries as desk
from approvals.cards import NotClaimed, ProposalDetail
from approvals.errors import DoesNotFit
from approvals.errors.sealed import NothingSealed
from approvals.events.sealed import SEALED
from approvals.policies import sealed
from approvals.states import Choice, ProposalState
from tests.accounts.trail import events
from tests.agents import vault
from tests.agents.vault import ARGS, SECRET
from tests.agents.world import SOFIA, World, calls, make_world, proposal_of, says
from tests.approvals.outsider import agreed as two_agree
from tests.approvals.sql import as_owner, refused, run
from tests.cast import Cast

COLUMNS = """
    SELECT table_name, string_agg(format('coalesce(%I::text, '''')', column_name), ' || ')
    FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE table_schema = 'public' AND t.table_type = 'BASE TABLE' GROUP BY table_name ORDER BY 1
"""  # noqa: E501 - one statement
VIEWS = ("", "?view=unified", "?view=side", "?view=raw", "explain/", "edit/")


@pytest.fixture
def world(cast: Cast) -> World:
    vault.register()
    vault.got.clear()
    made = make_world(cast)
    commands.register_agent_version(
        actor=cast.system,
        agent="support",
        prompt="Keep accounts.",
        tools=[tool.name for tool in registry.every(domain=vault.DOMAIN)],
        confirm_tiers=(),
    )
    return made


def asked(world: World, tool: str = "send_account", **args: str) -> ToolCall:
    """Have the agent ask for a write with a hidden argument."""
    said = world.say("Please do it", customer=SOFIA)
    use = Use(name=tool, args={**ARGS, **args})
    with world.answering(calls(use), says("No.")):
        world.advance(said.run_id)
    return world.calls(said.run_id)[0]


def carried(world: World, call: ToolCall) -> tuple[ToolCall, Progress]:
    with world.answering(says("Done.")):
        progress = world.advance(call.run_id)
    return world.calls(call.run_id)[0], progress


def agreed(world: World, call: ToolCall) -> None:
    world.vote(call.proposal_id)
    world.relay()


def detail(world: World, call: ToolCall) -> ProposalDetail:
    return desk.proposal(actor=world.cast.ruth, proposal_id=proposal_of(call))


def page(world: World, call: ToolCall, view: str = "") -> str:
    answer = world.cast.client("ruth").get(f"/reviews/{call.proposal_id}/{view}")
    assert answer.status_code == 200, answer.content.decode()
    return " ".join(answer.content.decode().split())


def erased(world: World, call: ToolCall) -> None:
    """Have the hidden values of a call erased, as Noor asks and two reviewers agree."""
    noor = world.cast.noor
    waiting = approvals.erase_sealed(
        actor=noor, proposal_id=proposal_of(call), reason="Sofia asked for it."
    )
    assert two_agree(world.cast, waiting).state is ProposalState.DISPATCHED


def holding(text: str) -> list[str]:
    """Return the tables that have a text anywhere, as it is or as bytes."""
    like = {"text": f"%{text}%", "bytes": f"%{text.encode().hex()}%"}
    with as_owner() as owner:
        owner.execute("SET row_security = off")
        tables = owner.execute(COLUMNS).fetchall()
        return [
            name
            for name, row in tables
            if owner.execute(
                f"SELECT 1 FROM {name} WHERE {row} LIKE %(text)s OR {row} LIKE %(bytes)s LIMIT 1",
                like,
            ).fetchone()
        ]


class TestHidden:
    def test_stands_in_no_row_no_page_and_no_answer(self, world: World) -> None:
        call = asked(world)
        stand_in = sealed.value_at(call.args, "/account")
        assert sealed.is_sealed(stand_in)
        shown = {view: page(world, call, view) for view in VIEWS}
        address = f"/api/v1/approvals/proposals/{call.proposal_id}"
        for path in ("", "/explain", "/sealed", "/clock"):
            shown[path] = world.cast.api("ruth").get(f"{address}{path}").content.decode()
        shown["run"] = world.cast.client("omar").get(f"/runs/{call.run_id}/").content.decode()
        agreed(world, call)
        call, progress = carried(world, call)
        shown["after"] = page(world, call)

        assert (call.state, progress, vault.got) == ("succeeded", Progress.ENDED, [SECRET])
        found = detail(world, call)
        assert found.content.digest.hex() == found.card.digest
        assert [name for name, text in shown.items() if SECRET in text] == []
        for view in ("", "?view=unified", "?view=side", "?view=raw", ""):
            assert stand_in in shown[view], view
        assert holding(SECRET) == []
        assert "approvals_revision" in holding(stand_in.removeprefix(sealed.MARK))

    def test_reaches_a_tool_of_our_own_in_what_it_writes(self, world: World) -> None:
        call = asked(world, "keep_account")
        agreed(world, call)
        call, _progress = carried(world, call)
        assert (call.state, vault.got) == ("succeeded", [SECRET])
        assert call.after is not None
        assert sealed.is_sealed(call.after["accounts"]["c-1"]["account"])

    def test_decides_about_nothing_that_people_see(self, world: World) -> None:
        call = asked(world, "guess_account")
        assert (call.state, call.error_code, call.proposal_id) == ("failed", "tool.failed", None)

    def test_is_checked_against_the_contract_as_it_is(self, world: World) -> None:
        call = asked(world, account="x" * 41)
        assert (call.state, call.error_code) == ("rejected_by_contract", "tool.arguments_invalid")
        assert sealed.is_sealed(call.args["account"])

    def test_is_no_mask_that_a_model_has_read(self, world: World) -> None:
        first = asked(world)
        again = asked(world, account=first.args["account"])
        assert (again.state, again.error_code) == ("rejected_by_contract", "tool.arguments_invalid")

    def test_is_found_again_when_people_rejected_it(self, world: World) -> None:
        first = asked(world)
        world.vote(first.proposal_id, Choice.REJECT)
        again, other = asked(world), asked(world, account="DE02120300000000202051")
        assert world.card(again).state is ProposalState.BLOCKED
        assert world.card(other).state is ProposalState.OPEN

    def test_is_told_to_nobody_who_reads_where_it_comes_from(self, world: World) -> None:
        said = world.say(f"My account is {SECRET} now", customer=SOFIA)
        with world.answering(calls(Use(name="send_account", args=ARGS))):
            world.advance(said.run_id)
        (call,) = world.calls(said.run_id)
        answer = world.cast.client("noor").get(f"/reviews/{call.proposal_id}/").content.decode()
        assert "account</strong> repeats what the customer wrote" in " ".join(answer.split())
        assert SECRET not in answer


class TestEdited:
    def change(self, world: World, call: ToolCall, **args: str) -> Any:
        card = world.card(call)
        return approvals.edit(
            actor=world.cast.ruth,
            proposal_id=card.id,
            revision_no=card.revision_no,
            seen_digest=card.digest,
            args={**call.args, **args},
        )

    def test_stays_as_it_is_when_something_else_is_changed(self, world: World) -> None:
        call = asked(world)
        self.change(world, call, note="corrected")
        now = detail(world, call).content
        assert now.args == {**call.args, "note": "corrected"}
        assert sealed.is_sealed(now.after["accounts"]["c-1"]["account"])

    def test_is_not_changed_by_who_cannot_see_it(self, world: World) -> None:
        call = asked(world)
        with pytest.raises(DoesNotFit) as refusal:
            self.change(world, call, account="DE02120300000000202051")
        assert list(refusal.value.details["fields"]) == ["/account"]  # type: ignore[call-overload]
        assert "readonly" in page(world, call, "edit/")


class TestErased:
    def test_runs_no_more_and_still_verifies(self, world: World) -> None:
        call = asked(world)
        agreed(world, call)
        erased(world, call)

        sql = "SELECT box, erased_at IS NULL, erased_by IS NULL FROM approvals_sealed"
        assert run(world.cast, sql) == [(None, False, False)]
        ((mac, agreed_by),) = run(world.cast, "SELECT mac, erased_by FROM approvals_sealed")
        kept, gone = [
            (one["action"], one["bind"])
            for one in events(world.cast)
            if one["target"]["type"] == SEALED
        ]
        assert (kept[0], kept[1]["stand_ins"]) == ("sealed.kept", [f"/account {mac.hex()}"])
        assert (gone[0], gone[1]["pointers"]) == ("sealed.erased", ["/account"])
        assert gone[1]["proposal_id"] == str(agreed_by)
        with pytest.raises(NothingSealed):
            approvals.erase_sealed(
                actor=world.cast.noor, proposal_id=proposal_of(call), reason="Again."
            )
        shown = page(world, call)
        assert "A hidden value of this was erased, so it cannot run any more." in shown
        claimed = approvals.claim_dispatch(
            actor=world.cast.system,
            proposal_id=proposal_of(call),
            call_key=call.idempotency_key,
            content=detail(world, call).content,
        )
        assert isinstance(claimed, NotClaimed)
        assert claimed.code == "sealed.erased"
        assert claimed.message == (
            "The hidden value of /account was erased, so this cannot run any more; reject it, or "
            "let the agent ask again. Nothing was run."
        )
        call, progress = carried(world, call)
        assert (call.state, call.error_code, progress) == (
            "failed",
            "sealed.erased",
            Progress.ENDED,
        )
        assert vault.got == []
        found = detail(world, call)
        assert found.card.state is ProposalState.WITHDRAWN
        assert found.content.digest.hex() == found.card.digest

    def test_is_asked_for_on_the_page_and_by_the_api(self, world: World) -> None:
        call = asked(world)
        address = f"/reviews/{call.proposal_id}/sealed/erase/"
        noor, ruth = world.cast.client("noor"), world.cast.client("ruth")
        assert ruth.post(address, {"erase_reason": "No."}).status_code == 403
        answer = noor.post(address, {"erase_reason": "Sofia asked for it."})
        assert answer.status_code == 302
        assert "Erase the hidden arguments" in noor.get(answer.headers["Location"]).content.decode()
        told = world.cast.api("noor").post(
            f"/api/v1/approvals/proposals/{call.proposal_id}/sealed/erase",
            {"reason": "Sofia asked for it."},
            format="json",
        )
        assert told.status_code == 200, told.content
        assert told.json()["waiting"] == answer.headers["Location"].split("/")[-2]  # the same again

    def test_is_no_row_that_can_be_changed_otherwise(self, world: World) -> None:
        asked(world)
        gone = "UPDATE approvals_sealed SET box = NULL, erased_at = now()"
        with refused("sealed_erasure_was_agreed"):
            run(world.cast, gone)
        with refused("42501"):
            run(world.cast, "UPDATE approvals_sealed SET pointer = '/x'")
        with refused("42501"):
            run(world.cast, "DELETE FROM approvals_sealed")
        with refused("sealed_only_erased"):
            run(world.cast, "UPDATE approvals_sealed SET box = 'other'")

    def test_another_value_in_its_place_does_not_run(self, world: World) -> None:
        """Whoever has the database and no key puts the box of another call there."""
        call, other = asked(world), asked(world, account="DE02120300000000202051")
        agreed(world, call)
        with as_owner() as owner:
            owner.execute("ALTER TABLE approvals_sealed DISABLE TRIGGER USER")
            owner.execute(
                "UPDATE approvals_sealed SET box = (SELECT box FROM approvals_sealed"
                " WHERE subject_id = %s) WHERE subject_id = %s",
                [other.pk, call.pk],
            )
            owner.execute("ALTER TABLE approvals_sealed ENABLE ALWAYS TRIGGER sealed_only_erased")
            owner.execute("ALTER TABLE approvals_sealed ENABLE ALWAYS TRIGGER never_deleted")
            owner.execute("ALTER TABLE approvals_sealed ENABLE ALWAYS TRIGGER must_audit")
            owner.execute("ALTER TABLE approvals_sealed ENABLE ALWAYS TRIGGER no_truncate")
            owner.commit()
        call, _progress = carried(world, call)
        assert (call.state, call.error_code, vault.got) == ("failed", "sealed.broken", [])
