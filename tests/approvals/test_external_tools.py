"""Tools that external agents may name, and what a person says of a dispatch nobody knows of."""

from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from approvals import commands, queries
from approvals.commands.gating import RETIRE
from approvals.errors import ExternalToolTaken
from approvals.states import ProposalState
from console.kernel.errors import NotAllowed
from console.kernel.ids import uuid7
from tests.approvals import outsider as them
from tests.approvals.desk import agent, approve, now, opened
from tests.approvals.outsider import (
    BASE,
    TOOL,
    Outsider,
    agreed,
    card_of,
    proposal,
    registered,
)
from tests.cast import Cast


@pytest.fixture
def outsider(cast: Cast) -> Outsider:
    return them.outsider(cast)


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


class TestExternalTool:
    def test_is_taken_once_and_never_from_hosted_agents(self, cast: Cast) -> None:
        registered(cast, tier=2)
        with pytest.raises(ExternalToolTaken):
            registered(cast)

    def test_that_is_retired_takes_its_proposals_along(
        self, cast: Cast, outsider: Outsider
    ) -> None:
        registered(cast)
        waiting, ready = outsider.opened(), outsider.approved()
        tool_id = next(one.id for one in queries.external_tools(actor=cast.noor))

        asked = commands.retire_external_tool(actor=cast.noor, tool_id=tool_id)
        assert card_of(cast, waiting).state is ProposalState.OPEN
        agreed(cast, asked.waiting)

        again = commands.retire_external_tool(actor=cast.noor, tool_id=tool_id)
        assert (again.waiting, again.withdrawn) == (None, 0)
        assert {card_of(cast, one).state for one in (waiting, ready)} == {ProposalState.WITHDRAWN}
        assert code_of(outsider.dispatch(ready)) == (409, "proposal.withdrawn")
        assert outsider.opened()["state"] == "blocked"
        registered(cast, tier=2)
        assert outsider.opened()["tier"] == 2

    def test_is_for_who_manages_policies(self, cast: Cast) -> None:
        with pytest.raises(NotAllowed):
            commands.add_external_tool(actor=cast.omar, name="x", tier=2, summary="X.")
        with pytest.raises(NotAllowed):
            queries.external_tools(actor=cast.ruth)


class TestToolsPage:
    def test_registers_and_retires(self, cast: Cast) -> None:
        noor = cast.client("noor")
        assert b"No tool is registered" in noor.get("/reviews/tools/").content

        made = noor.post("/reviews/tools/", {"name": TOOL, "tier": "2", "summary": "Phones."})
        page = noor.get("/reviews/tools/").content.decode()
        tool = queries.external_tools(actor=cast.noor)[0]
        gone = noor.post(f"/reviews/tools/{tool.id}/retire/")
        asking = noor.get("/reviews/tools/").content.decode()

        assert (made.status_code, gone.status_code) == (302, 302)
        assert TOOL in page
        assert "Phones." in page
        assert "Two reviewers are asked now" in asking
        assert f"Retire the tool {TOOL}</a>" in asking
        assert queries.external_tools(actor=cast.noor)[0].retired_at is None
        (waiting,) = queries.gate_waiting(actor=cast.noor, tools=(RETIRE,))
        agreed(cast, waiting)
        assert "Retired</h2>" in noor.get("/reviews/tools/").content.decode()

    def test_keeps_what_was_typed(self, cast: Cast) -> None:
        sent = {"name": "no such name!", "tier": "2", "summary": "Phones."}

        answer = cast.client("noor").post("/reviews/tools/", sent)

        assert answer.status_code == 400
        assert b'value="Phones."' in answer.content

    def test_is_for_who_manages_policies(self, cast: Cast) -> None:
        assert cast.client("ruth").get("/reviews/tools/").status_code == 403


class TestReconcile:
    @pytest.fixture
    def cast(self) -> Cast:
        return them.with_tool()

    @pytest.fixture
    def unknown(self, cast: Cast, outsider: Outsider) -> dict[str, Any]:
        found = outsider.approved()
        found["dispatch_id"] = outsider.dispatch(found).json()["dispatch_id"]
        outsider.post(f"dispatches/{found['dispatch_id']}/outcome", {"outcome": "unknown"})
        return found

    def address(self, found: dict[str, Any]) -> str:
        return f"/reviews/{found['id']}/reconcile/"

    @pytest.mark.parametrize(("said", "state"), [("yes", "succeeded"), ("no", "failed")])
    def test_takes_a_persons_word(
        self, cast: Cast, unknown: dict[str, Any], said: str, state: str
    ) -> None:
        omar: Client = cast.client("omar")
        page = omar.get(f"/reviews/{unknown['id']}/").content
        sent = {"happened": said, "evidence": "The CRM shows the number."}
        answer = omar.post(self.address(unknown), sent)
        after = omar.get(f"/reviews/{unknown['id']}/").content

        assert b"It did not happen" in page
        assert answer.status_code == 302
        assert b"It did not happen" not in after
        detail = now(cast, proposal(unknown))
        assert detail.dispatch is not None
        assert detail.dispatch.state == state
        assert "dispatch.reconciled" in [line.action for line in detail.history]

    def test_takes_it_from_the_api_once(self, cast: Cast, unknown: dict[str, Any]) -> None:
        path = f"{BASE}/dispatches/{unknown['dispatch_id']}/reconcile"
        omar = cast.api("omar")
        body = {"outcome": "succeeded", "evidence": "The CRM shows the number."}

        first, again = (omar.post(path, body, format="json") for _ in range(2))

        assert first.json()["state"] == "succeeded"
        assert code_of(again) == (409, "dispatch.settled")

    def test_keeps_what_was_typed(self, cast: Cast, unknown: dict[str, Any]) -> None:
        answer = cast.client("omar").post(
            self.address(unknown), {"happened": "maybe", "evidence": "I looked at the CRM."}
        )

        assert answer.status_code == 400
        assert b"I looked at the CRM." in answer.content

    def test_wants_to_know_what_was_seen(self, cast: Cast, unknown: dict[str, Any]) -> None:
        answer = cast.client("omar").post(
            self.address(unknown), {"happened": "yes", "evidence": "   "}
        )

        assert answer.status_code == 400
        assert b"Say what you looked at" in answer.content

    def test_is_for_operators(self, cast: Cast, unknown: dict[str, Any]) -> None:
        ruth = cast.client("ruth")

        assert b"runs.start" in ruth.get(f"/reviews/{unknown['id']}/").content
        sent = {"happened": "yes", "evidence": "Seen."}
        assert ruth.post(self.address(unknown), sent).status_code == 403

    def test_settles_nothing_that_is_known(self, cast: Cast, outsider: Outsider) -> None:
        found = outsider.approved()
        outsider.dispatch(found)

        answer = cast.client("omar").post(
            self.address(found), {"happened": "yes", "evidence": "Seen."}
        )

        assert answer.status_code == 409

    def test_of_a_hosted_call_is_its_runs(self, cast: Cast) -> None:
        """What no run intends is settled by nobody; the run's own page has tests of its own."""
        card = opened(cast)
        approve(card, cast.ruth)
        got = commands.claim_dispatch(
            actor=agent(cast),
            proposal_id=card.id,
            call_key=uuid7(),
            content=now(cast, card).content,
        )
        dispatch_id: UUID = got.dispatch_id  # type: ignore[union-attr]
        path = f"{BASE}/dispatches/{dispatch_id}/reconcile"
        body = {"outcome": "failed", "evidence": "The shop shows nothing."}

        assert cast.api("omar").post(path, body, format="json").status_code == 404
