"""Other content for what an outside agent asked for: by its own key, and by a reviewer."""

from datetime import timedelta
from typing import Any

import pytest

from approvals import commands
from approvals.commands import external_revising
from approvals.errors import VoteByPrincipal
from approvals.policies.schemas import misfits, schema_refusal
from approvals.states import ProposalState
from console.kernel import clock
from console.kernel.ids import uuid7
from tests.approvals import outsider as them
from tests.approvals.desk import approve, now, shown
from tests.approvals.outsider import AFTER, ARGS, BEFORE, TOOL, Outsider, card_of, proposal
from tests.cast import Cast

OTHER = {**ARGS, "phone": "+1 555 0177"}
OTHER_AFTER = {"customer": {"c-17": {"phone": "+1 555 0177", "name": "Ada"}}}
MOVED = {"customer": {"c-17": {"phone": "+1 555 0111", "name": "Ada"}}}
SCHEMA = {
    "type": "object",
    "properties": {"customer": {"type": "string"}, "phone": {"type": "string", "minLength": 5}},
    "required": ["customer", "phone"],
    "additionalProperties": False,
}


@pytest.fixture
def cast() -> Cast:
    return them.with_tool(SCHEMA)


@pytest.fixture
def outsider(cast: Cast) -> Outsider:
    return them.outsider(cast)


def revise(
    outsider: Outsider, found: dict[str, Any], *, key: str = "", secret: Any = None, **other: Any
) -> Any:
    body = {
        "revision": found["revision_no"],
        "digest": found["digest"],
        "args": OTHER,
        "before": BEFORE,
        "after": OTHER_AFTER,
        **other,
    }
    headers = {"Idempotency-Key": key} if key else {}
    sends = secret or outsider
    return sends.post(f"proposals/{found['id']}/revisions", body, **headers)


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


class TestReviseOwn:
    def test_makes_a_new_revision_and_voids_votes(self, cast: Cast, outsider: Outsider) -> None:
        found = outsider.opened(tier=2)
        approve(card_of(cast, found), cast.ruth)

        answer = revise(outsider, found, note="Ada named another one.")

        assert answer.status_code == 201, answer.content
        told = answer.json()
        assert (told["state"], told["revision_no"]) == ("open", 2)
        assert told["digest"] != found["digest"]
        assert (told["args"], told["changed"]) == (OTHER, [])
        detail = now(cast, proposal(found))
        assert (detail.given, detail.content.after) == (0, OTHER_AFTER)
        assert detail.history[-1].action == "proposal.revised"
        again = shown(detail.card, cast.ruth)
        assert approve(again, cast.ruth).state is ProposalState.OPEN

    def test_may_be_sent_again(self, cast: Cast, outsider: Outsider) -> None:
        found, key = outsider.opened(), str(uuid7())
        first = revise(outsider, found, key=key)
        replay = revise(outsider, found, key=key)
        plain = revise(outsider, found)  # without a key: what counts already

        assert replay.headers["Idempotent-Replay"] == "true"
        assert first.json() == replay.json() == plain.json()
        assert card_of(cast, found).revision_no == 2
        other = revise(outsider, found, key=key, args=ARGS)
        assert code_of(other) == (409, "idempotency.mismatch")

    def test_puts_what_went_stale_on_what_is_there_now(
        self, cast: Cast, outsider: Outsider
    ) -> None:
        found = outsider.approved()
        assert code_of(outsider.dispatch(found, before=MOVED)) == (409, "proposal.stale")

        answer = revise(outsider, found, args=ARGS, before=MOVED, after=AFTER)

        assert (answer.json()["state"], answer.json()["revision_no"]) == ("open", 2)
        approve(card_of(cast, found), cast.ruth)
        assert outsider.dispatch(found, before=MOVED).status_code == 200

    def test_takes_no_approval_back(self, cast: Cast, outsider: Outsider) -> None:
        found = outsider.approved()
        assert code_of(revise(outsider, found)) == (409, "proposal.decided")
        assert card_of(cast, found).state is ProposalState.APPROVED

    def test_is_refused_for_what_is_not_as_it_was(self, cast: Cast, outsider: Outsider) -> None:
        found = outsider.opened()
        assert revise(outsider, found).status_code == 201
        third = {**ARGS, "phone": "+1 555 0133"}
        assert code_of(revise(outsider, found, args=third)) == (409, "proposal.stale")
        wrong = revise(outsider, found, args={**ARGS, "loud": True})
        assert code_of(wrong) == (400, "edit.schema")
        late = card_of(cast, found).decide_by + timedelta(seconds=1)
        with clock.frozen(late):
            assert code_of(revise(outsider, found, args=third)) == (410, "proposal.expired")

    def test_is_for_the_key_that_asked(self, cast: Cast, outsider: Outsider) -> None:
        found = outsider.opened()
        other = them.outsider(cast)
        reader = them.outsider(cast, "approvals.view")
        assert revise(outsider, found, secret=other).status_code == 404
        assert code_of(revise(outsider, found, secret=reader)) == (403, "edit.machine")
        assert card_of(cast, found).revision_no == 1

    def test_ends_somewhere(self, outsider: Outsider, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(external_revising, "MOST_REVISIONS", 1)
        told = revise(outsider, outsider.opened()).json()
        assert revise(outsider, told, args=ARGS, after=AFTER).status_code == 409


class TestEdit:
    def edited(self, cast: Cast, found: dict[str, Any]) -> Any:
        card = card_of(cast, found)
        return commands.edit(
            actor=cast.ines,
            proposal_id=card.id,
            revision_no=card.revision_no,
            seen_digest=card.digest,
            args=OTHER,
        )

    def test_tells_the_agent_what_changed_and_runs_that(
        self, cast: Cast, outsider: Outsider
    ) -> None:
        found = outsider.opened()
        card = self.edited(cast, found)
        with pytest.raises(VoteByPrincipal):
            approve(card, cast.ines)

        told = outsider.wait(found, seconds=0).json()["proposal"]
        assert (told["revision_no"], told["changed"], told["args"]) == (2, ["/phone"], OTHER)
        assert told["told"] == (
            "People have not decided yet. People changed /phone: run what `args` says."
        )
        approve(card, cast.ruth)
        assert code_of(outsider.dispatch(found)) == (409, "dispatch.other_call")
        ready = outsider.dispatch(found, args=told["args"])
        assert (ready.status_code, ready.json()["args"]) == (200, OTHER)

    def test_shows_the_arguments_because_nobody_knows_more(
        self, cast: Cast, outsider: Outsider
    ) -> None:
        found = outsider.opened()
        page = cast.client("ines").get(f"/reviews/{found['id']}/edit/").content.decode()
        assert "+1 555 0100" in page
        self.edited(cast, found)
        detail = now(cast, proposal(found))
        assert detail.content.before == BEFORE
        assert detail.content.after == {**BEFORE, "arguments of the call": {TOOL: OTHER}}
        seen = cast.client("ruth").get(f"/reviews/{found['id']}/").content.decode()
        assert "arguments of the call" in seen
        assert "+1 555 0177" in seen

    def test_is_revised_by_the_agent_in_turn(self, cast: Cast, outsider: Outsider) -> None:
        """What the new arguments leave behind is the agent's to say, before people agree."""
        found = outsider.opened()
        card = self.edited(cast, found)
        seen = {"revision_no": 2, "digest": card.digest, "id": found["id"]}
        told = revise(outsider, seen).json()
        assert (told["revision_no"], told["changed"]) == (3, [])
        assert now(cast, proposal(found)).content.after == OTHER_AFTER


class TestSchema:
    @pytest.mark.parametrize(
        "schema",
        [
            [],
            {"type": "object"},
            {"type": "object", "properties": {"a": {}}},
            {**SCHEMA, "$ref": "http://127.0.0.1/"},
            {**SCHEMA, "properties": {"a": {"type": "string", "pattern": "(a+)+$"}}},
            {**SCHEMA, "properties": {"a": {"type": "text"}}},
            {**SCHEMA, "properties": {"a": {"items": {"format": "date"}}}},
        ],
    )
    def test_is_refused_where_it_says_too_little_or_too_much(self, schema: Any) -> None:
        assert schema_refusal(schema)

    def test_names_what_does_not_fit(self) -> None:
        assert schema_refusal(SCHEMA) == ""
        assert misfits(SCHEMA, ARGS) == {}
        assert set(misfits(SCHEMA, {"customer": 1, "loud": True, "phone": "1"})) == {
            "", "/customer", "/phone",
        }  # fmt: skip

    def test_is_registered_with_the_tool_by_two_people(self, cast: Cast) -> None:
        sent = {"name": "crm.merge", "tier": "1", "summary": "Merges.", "args_schema": "{"}
        noor = cast.client("noor")
        assert b"no JSON" in noor.post("/reviews/tools/", sent).content
        sent["args_schema"] = '{"type": "object"}'
        assert b"additionalProperties" in noor.post("/reviews/tools/", sent).content
        made = commands.add_external_tool(
            actor=cast.noor, name="crm.merge", tier=1, summary="Merges.", args_schema=SCHEMA
        )
        assert made.waiting is not None
        record = now(cast, made.waiting).content.after["external_tools"]["crm.merge"]
        assert '"minLength":5' in record["schema"]
        them.agreed(cast, made.waiting)
        told = them.outsider(cast).propose(tool="crm.merge", args={"customer": "c-17"})
        assert code_of(told) == (400, "edit.schema")
