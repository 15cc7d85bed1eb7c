"""Agents that run elsewhere: taking up what was approved, once, and saying what became of it."""

from typing import Any

import pytest

from agents.controls import commands as controls
from agents.controls.cards import Scope
from agents.controls.states import ScopeKind
from agents.runtime import commands as runtime
from approvals import commands
from approvals.states import Choice, ProposalState
from console.kernel import clock
from console.kernel.actors import system
from console.kernel.ids import uuid7
from tests.approvals import outsider as them
from tests.approvals.desk import now
from tests.approvals.outsider import (
    AFTER,
    ARGS,
    TOOL,
    Outsider,
    card_of,
    decide,
    proposal,
)
from tests.approvals.test_external import cast, code_of, outsider
from tests.cast import Cast

__all__ = ["cast", "outsider"]  # fixtures

OTHER_BEFORE = {"customer": {"c-17": {"phone": "+1 555 0000", "name": "Ada"}}}


class TestDispatch:
    def test_hands_over_what_people_approved(self, outsider: Outsider) -> None:
        found = outsider.approved()

        answer = outsider.dispatch(found)

        assert answer.status_code == 200, answer.content
        assert answer.json()["args"] == ARGS
        assert not answer.json()["repeated"]
        assert outsider.wait(found).json()["proposal"]["state"] == "dispatched"

    def test_the_same_key_gets_the_same_answer_and_another_nothing(
        self, outsider: Outsider
    ) -> None:
        found = outsider.approved()
        key = str(uuid7())
        first, again = (outsider.dispatch(found, call_key=key).json() for _ in range(2))

        assert again == {**first, "repeated": True}
        assert code_of(outsider.dispatch(found)) == (409, "dispatch.duplicate")

    def test_one_key_serves_two_proposals(self, outsider: Outsider) -> None:
        key = str(uuid7())
        answers = [outsider.dispatch(outsider.approved(), call_key=key) for _ in range(2)]

        assert [one.status_code for one in answers] == [200, 200]

    def test_nothing_runs_before_people_decided(self, outsider: Outsider) -> None:
        assert code_of(outsider.dispatch(outsider.opened())) == (409, "proposal.open")

    def test_nothing_runs_that_people_rejected(self, cast: Cast, outsider: Outsider) -> None:
        found = outsider.opened()
        decide(cast, found, Choice.REJECT, agent_message="Ask for a document first.")

        assert code_of(outsider.dispatch(found)) == (409, "proposal.rejected")
        told = outsider.wait(found).json()["proposal"]
        assert told["reason_code"] == "not_asked_for"
        assert told["agent_message"] == "Ask for a document first."
        assert "She asked for another order" not in str(told)

    @pytest.mark.parametrize(
        "other", [{"args": {**ARGS, "phone": "+1 555 0666"}}, {"args": {}}], ids=["other", "none"]
    )
    def test_nothing_else_runs_than_what_people_saw(
        self, cast: Cast, outsider: Outsider, other: dict[str, Any]
    ) -> None:
        found = outsider.approved()

        assert code_of(outsider.dispatch(found, **other)) == (409, "dispatch.other_call")
        assert card_of(cast, found).state is ProposalState.APPROVED
        assert "dispatch.refused" in [one.action for one in now(cast, proposal(found)).history]

    @pytest.mark.parametrize("other", [{"before": OTHER_BEFORE}, {"contract": "Another promise."}])
    def test_a_changed_target_or_promise_makes_it_stale(
        self, cast: Cast, outsider: Outsider, other: dict[str, Any]
    ) -> None:
        found = outsider.approved()

        assert code_of(outsider.dispatch(found, **other)) == (409, "proposal.stale")
        assert card_of(cast, found).state is ProposalState.STALE

    def test_after_the_time_to_execute_it_is_gone(self, cast: Cast, outsider: Outsider) -> None:
        found = outsider.approved()
        execute_by = card_of(cast, found).execute_by
        assert execute_by is not None
        with clock.frozen(execute_by):
            assert code_of(outsider.dispatch(found)) == (410, "proposal.expired")
        assert card_of(cast, found).state is ProposalState.EXPIRED

    def test_a_lost_answer_is_not_given_again_too_late(
        self, cast: Cast, outsider: Outsider
    ) -> None:
        found = outsider.approved()
        key = str(uuid7())
        execute_by = card_of(cast, found).execute_by
        assert execute_by is not None
        outsider.dispatch(found, call_key=key)
        with clock.frozen(execute_by):
            assert code_of(outsider.dispatch(found, call_key=key)) == (410, "dispatch.late")

    @pytest.mark.parametrize(
        "scope",
        [ScopeKind.TENANT, ScopeKind.TOOL, ScopeKind.AGENT],
    )
    def test_a_stop_stands_against_it(
        self, cast: Cast, outsider: Outsider, scope: ScopeKind
    ) -> None:
        found = outsider.approved()
        value = {ScopeKind.TOOL: TOOL, ScopeKind.AGENT: f"key:{outsider.key_id}"}.get(scope, "")
        stop = controls.engage(
            actor=cast.omar, scope=Scope(kind=scope, value=value), reason="The CRM is being moved."
        )

        assert code_of(outsider.dispatch(found)) == (409, "stop.active")
        for person in (cast.omar, cast.noor)[: 2 if scope is ScopeKind.TENANT else 1]:
            controls.release(actor=person, switch_id=stop.id, reason="It is done.")
        assert outsider.dispatch(found).status_code == 200

    def test_a_stop_holds_the_clock_of_what_waits(self, cast: Cast, outsider: Outsider) -> None:
        found = outsider.opened()
        stop = controls.engage(
            actor=cast.omar, scope=Scope(kind=ScopeKind.TOOL, value=TOOL), reason="Moved."
        )
        runtime.hold_scope(actor=cast.system, switch_id=stop.id)
        assert outsider.wait(found, seconds=0).json()["proposal"]["frozen"]

        controls.release(actor=cast.omar, switch_id=stop.id, reason="It is done.")
        runtime.release_scope(actor=cast.system, switch_id=stop.id)

        assert not outsider.wait(found, seconds=0).json()["proposal"]["frozen"]


class TestOutcome:
    def test_is_reported_once(self, cast: Cast, outsider: Outsider) -> None:
        found = outsider.approved()
        dispatch_id = outsider.dispatch(found).json()["dispatch_id"]
        body = {"outcome": "succeeded", "after": AFTER, "evidence": {"etag": "v18"}}
        path = f"dispatches/{dispatch_id}/outcome"

        first, again = outsider.post(path, body), outsider.post(path, body)
        other = outsider.post(path, {"outcome": "failed"})

        assert first.json()["state"] == "succeeded"
        assert again.json() == first.json()
        assert code_of(other) == (409, "dispatch.settled")
        assert "dispatch.succeeded" in [one.action for one in now(cast, proposal(found)).history]

    def test_of_a_target_that_refused_another_version_is_no_failure(
        self, cast: Cast, outsider: Outsider
    ) -> None:
        found = outsider.approved()
        path = f"dispatches/{outsider.dispatch(found).json()['dispatch_id']}/outcome"

        assert outsider.post(path, {"outcome": "stale"}).json()["state"] == "stale"
        assert code_of(outsider.post(path, {"outcome": "failed"})) == (409, "dispatch.settled")
        assert "dispatch.staled" in [one.action for one in now(cast, proposal(found)).history]
        page = cast.client("ruth").get(f"/reviews/{found['id']}/").content.decode()
        assert "Not made, because the target had changed" in page

    def test_is_for_the_key_that_took_it_up(self, cast: Cast, outsider: Outsider) -> None:
        dispatch_id = outsider.dispatch(outsider.approved()).json()["dispatch_id"]
        path, body = f"dispatches/{dispatch_id}/outcome", {"outcome": "failed"}

        assert code_of(them.outsider(cast).post(path, body)) == (404, "missing")
        reader = them.outsider(cast, "approvals.propose", "approvals.view")
        assert code_of(reader.post(path, body)) == (403, "proposal.not_yours")
        unknown = outsider.post(f"dispatches/{uuid7()}/outcome", body)
        assert code_of(unknown) == (404, "missing")

    def test_that_nobody_reports_becomes_unknown(self, cast: Cast, outsider: Outsider) -> None:
        found = outsider.approved()
        dispatch_id = outsider.dispatch(found).json()["dispatch_id"]
        me = system("pulse.approvals", cast.tenant_id)
        execute_by = card_of(cast, found).execute_by
        assert execute_by is not None

        with clock.frozen(clock.later(execute_by, seconds=15 * 60 - 1)):
            assert commands.settle_lost(actor=me) == 0
        with clock.frozen(clock.later(execute_by, seconds=15 * 60 + 1)):
            assert commands.settle_lost(actor=me) == 1
            assert commands.settle_lost(actor=me) == 0

        late = outsider.post(f"dispatches/{dispatch_id}/outcome", {"outcome": "succeeded"})
        assert code_of(late) == (409, "dispatch.settled")
        assert outsider.wait(found).json()["proposal"]["dispatch"]["state"] == "unknown"
