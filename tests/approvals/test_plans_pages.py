"""Plans on pages and in the API: shown whole, decided whole, and asked for by agents elsewhere."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pytest

from approvals import commands
from approvals.queries.probing import unprobed
from approvals.states import Choice, DispatchState
from console.kernel import clock
from console.kernel.ids import uuid7
from tests.approvals import outsider as them
from tests.approvals.desk import approve, now, opened
from tests.approvals.outsider import CONTRACT, TOOL, Outsider
from tests.approvals.plans import change, claim_step, opened_plan, report_step, run_step, steps
from tests.approvals.test_views import form, text
from tests.approvals.test_views_page import page_of
from tests.cast import Cast


def found_by(api: Any, view: str, filters: Iterable[str]) -> dict[str, set[UUID]]:
    """Return what the list shows under each filter."""
    root = "/api/v1/approvals/proposals"
    found = {}
    for words in filters:
        rows = api.get(root, {"view": view, "q": words}).json()["items"]
        found[words] = {UUID(row["proposal"]["id"]) for row in rows}
    return found


LONG = "\n".join(f"line {n}" for n in range(60))
OTHER = "\n".join(f"line {n}, new" if 20 <= n < 40 else f"line {n}" for n in range(60))


class TestPage:
    def test_shows_every_change_in_order_with_its_exact_call(self, cast: Cast) -> None:
        plan = opened_plan(cast, 3)
        page = page_of(cast, plan.plan)

        assert "3 changes, in this order" in page
        places = [page.index(f'id="step-{no}"') for no in (1, 2, 3)]
        assert places == sorted(places)
        for card in plan.steps:
            assert f"/reviews/{card.id}/" in page
        assert page.count("<code>set_note</code>") == 3
        assert "Parts viewed <strong>3 of 3</strong>" in page
        assert "A plan is not changed in place" in page
        raw = page_of(cast, plan.plan, "?view=raw")
        assert "Change 3, call" in raw
        assert "the digests of the changes in their order" in raw

    def test_wants_what_is_folded_in_any_change_to_be_opened(self, cast: Cast) -> None:
        folded = change(
            2,
            before={"orders": {"#W1": {"note": "note 1", "terms": LONG}}},
            after={"orders": {"#W1": {"note": "note 2", "terms": OTHER}}},
        )
        plan = opened_plan(cast, changes=steps(change(1), folded))
        client = cast.client("ruth")
        page = text(client.get(f"/reviews/{plan.plan.id}/"))
        assert "Parts viewed <strong>2 of 3</strong>" in page
        answer = client.post(f"/reviews/{plan.plan.id}/vote/", form(plan.plan))
        assert answer.status_code == 409
        client.get(f"/reviews/{plan.plan.id}/?open=all")
        answer = client.post(f"/reviews/{plan.plan.id}/vote/", form(plan.plan))
        assert answer.status_code == 302, text(answer)

    def test_of_one_change_leads_to_the_plan_and_takes_no_vote(self, cast: Cast) -> None:
        plan = opened_plan(cast, 3)
        page = page_of(cast, plan.steps[1])

        assert "Change 2 of 3" in page
        assert f"/reviews/{plan.plan.id}/" in page
        assert "data-vote-bar" not in page
        answer = cast.client("ruth").post(f"/reviews/{plan.steps[1].id}/vote/", form(plan.steps[1]))
        assert answer.status_code == 409
        assert "people decide about the plan as a whole" in text(answer)

    def test_says_how_far_it_has_come(self, cast: Cast) -> None:
        plan = opened_plan(cast, 3)
        approve(plan.plan, cast.ruth)
        run_step(cast, plan, 1)
        claimed = claim_step(cast, plan, 2)
        page = page_of(cast, plan.plan)
        for word in ("Runs now, one change after the other", "Done", "Running", "Waits for change"):
            assert word in page
        assert "What was made stays" in page
        report_step(cast, claimed, DispatchState.FAILED, 2)
        page = page_of(cast, plan.plan)
        for word in (
            "Ended early",
            "Failed, nothing was changed",
            "Plan broken: change 2 (failed)",
        ):
            assert word in page

    def test_hides_the_first_of_two_votes(self, cast: Cast) -> None:
        plan = opened_plan(cast, 2, tier=2)
        api = cast.api("ines")
        before = api.get(f"/api/v1/approvals/proposals/{plan.plan.id}")
        approve(plan.plan, cast.ruth)
        after = api.get(f"/api/v1/approvals/proposals/{plan.plan.id}")
        assert (after.content, after["ETag"]) == (before.content, before["ETag"])

    def test_is_one_row_of_the_list(self, cast: Cast) -> None:
        plan = opened_plan(cast, 3)
        page = text(cast.client("ruth").get("/reviews/?view=team"))
        assert "Plan of 3 changes" in page
        assert not [card for card in plan.steps if f"proposal-{card.id}" in page]

    def test_is_found_by_the_tool_of_each_of_its_changes(self, cast: Cast) -> None:
        cards = [
            steps(change(1), change(2, tool="weigh", before={}, after={}), run_id=uuid7()),
            steps(change(1), change(2), run_id=uuid7()),
        ]
        mixed, plain = (opened_plan(cast, changes=one).plan.id for one in cards)
        alone = opened(cast).id
        expected = {
            "tool:weigh": {mixed},
            "tool:W*": {mixed},
            "tool:set_note": {mixed, plain},
            "-tool:weigh": {plain, alone},
            "tool:plan": {mixed, plain},
            "tool:cancel_pending_order": {alone},
        }
        api = cast.api("ruth")
        assert found_by(api, "team", expected) == expected
        for one in (mixed, plain, alone):
            commands.withdraw(actor=cast.system, proposal_id=one, cause="over")
        assert found_by(api, "decided", expected) == expected

    def test_explains_whom_it_asks(self, cast: Cast) -> None:
        plan = opened_plan(cast, 2)
        answer = cast.client("ruth").get(f"/reviews/{plan.plan.id}/explain/")
        assert answer.status_code == 200
        assert "A plan asks for what each of its changes asks" in text(answer)


class TestApi:
    def test_has_the_changes_of_a_plan_and_the_plan_of_a_change(self, cast: Cast) -> None:
        plan = opened_plan(cast, 3)
        api = cast.api("ruth")
        for card in (plan.plan, plan.steps[2]):
            body = api.get(f"/api/v1/approvals/proposals/{card.id}").json()
            assert body["plan"]["id"] == str(plan.plan.id)
            found = [
                (one["proposal"]["plan_pos"], one["waits_for"]) for one in body["plan"]["steps"]
            ]
            assert found == [(1, None), (2, 1), (3, 2)]
            assert body["plan"]["steps"][0]["changes"][0]["path"] == "note"
        rows = api.get("/api/v1/approvals/proposals", {"view": "team"}).json()["items"]
        assert [row["proposal"]["id"] for row in rows] == [str(plan.plan.id)]
        assert rows[0]["proposal"]["steps"] == 3


def phone(no: int) -> dict[str, Any]:
    return {"customer": {"c-17": {"phone": f"+1 555 {no:04}"}}}


def asked_plan(count: int = 2, **other: Any) -> dict[str, Any]:
    changes = [
        {
            "subject": str(uuid7()),
            "tool": TOOL,
            "tier": 1,
            "title": f"Change the phone, {no}",
            "args": {"customer": "c-17", "phone": f"+1 555 {no:04}"},
            "before": phone(no - 1),
            "after": phone(no),
            "contract": CONTRACT,
        }
        for no in range(1, count + 1)
    ]
    return {"subject": str(uuid7()), "changes": changes, **other}


@pytest.fixture
def cast() -> Cast:
    return them.with_tool()


@pytest.fixture
def outsider(cast: Cast) -> Outsider:
    return them.outsider(cast)


class TestPlansOfOutsiders:
    def test_are_approved_at_once_and_made_one_after_the_other(
        self, cast: Cast, outsider: Outsider
    ) -> None:
        body = asked_plan()
        answer = outsider.post("plans", body, **{"Idempotency-Key": "plan-0001"})
        assert answer.status_code == 201, answer.content
        again = outsider.post("plans", body, **{"Idempotency-Key": "plan-0001"})
        assert again.json() == answer.json()
        plan, changes = answer.json()["plan"], answer.json()["changes"]
        them.decide(cast, plan, Choice.APPROVE)

        waited = outsider.wait(plan, seconds=0).json()["proposal"]
        assert (waited["state"], waited["settled"]) == ("dispatched", True)
        parts = [{"args": one["args"], "before": one["before"]} for one in body["changes"]]
        early = outsider.dispatch(changes[1], **parts[1])
        assert (early.status_code, early.json()["code"]) == (409, "plan.not_yet")
        for found, part in zip(changes, parts, strict=True):
            claimed = outsider.dispatch(found, **part)
            assert claimed.status_code == 200, claimed.content
            told = outsider.post(
                f"dispatches/{claimed.json()['dispatch_id']}/outcome", {"outcome": "succeeded"}
            )
            assert told.status_code == 200, told.content
        dispatch = now(cast, them.proposal(plan)).dispatch
        assert dispatch is not None
        assert dispatch.state is DispatchState.SUCCEEDED

    def test_tell_what_became_of_the_rest(self, cast: Cast, outsider: Outsider) -> None:
        body = asked_plan(3)
        found = outsider.post("plans", body).json()
        them.decide(cast, found["plan"], Choice.APPROVE)
        first = body["changes"][0]
        drifted = outsider.dispatch(
            found["changes"][0], args=first["args"], before=phone(7), contract=CONTRACT
        )
        assert (drifted.status_code, drifted.json()["code"]) == (409, "proposal.stale")
        for one in found["changes"]:
            told = outsider.wait(one, seconds=0).json()["proposal"]
            assert told["state"] == "withdrawn"
            assert told["told"].startswith("A change of its plan did not go as planned")

    def test_say_that_nobody_here_reads_their_targets(self, cast: Cast, outsider: Outsider) -> None:
        body = asked_plan()
        for change_ in body["changes"]:
            change_["tier"] = 2
        found = outsider.post("plans", body).json()
        cards = [them.proposal(one) for one in (found["plan"], *found["changes"])]
        for card in cards:
            page = page_of(cast, card)
            assert "Target told" in page
            assert "The console cannot read it" in page
        with clock.frozen(clock.later(clock.now(), seconds=301)):
            assert unprobed(actor=cast.system, older_than_s=300, tier=2, limit=9) == []
            assert not commands.probe(actor=cast.system, proposal_id=cards[0].id, every_s=0)

    def test_are_reported_by_their_changes_alone(self, cast: Cast, outsider: Outsider) -> None:
        found = outsider.post("plans", asked_plan()).json()
        them.decide(cast, found["plan"], Choice.APPROVE)
        waited = outsider.wait(found["plan"], seconds=0).json()["proposal"]
        for outcome in ("succeeded", "failed", "unknown"):
            answer = outsider.post(
                f"dispatches/{waited['dispatch']['id']}/outcome", {"outcome": outcome}
            )
            assert answer.status_code == 409, answer.content
        again = outsider.dispatch(found["plan"])
        assert (again.status_code, again.json()["code"]) == (409, "dispatch.duplicate")

    def test_are_refused_where_they_make_none(self, outsider: Outsider) -> None:
        for body, code in (
            (asked_plan(1), "invalid"),
            (asked_plan(21), "invalid"),
            ({**asked_plan(), "changes": asked_plan(3)["changes"][::2]}, "plan.not_chained"),
        ):
            answer = outsider.post("plans", body)
            assert (answer.status_code, answer.json()["code"]) == (400, code), answer.content

    def test_take_no_unregistered_tool(self, cast: Cast, outsider: Outsider) -> None:
        body = asked_plan()
        body["changes"][1]["tool"] = "crm.unknown"
        found = outsider.post("plans", body).json()
        assert found["plan"]["state"] == "blocked"
        assert [one["state"] for one in found["changes"]] == ["withdrawn", "blocked"]

    def test_are_taken_back_by_their_key(self, cast: Cast, outsider: Outsider) -> None:
        found = outsider.post("plans", asked_plan()).json()
        answer = outsider.post(f"proposals/{found['plan']['id']}/withdraw", {})
        assert answer.status_code == 204, answer.content
        assert now(cast, them.proposal(found["changes"][1])).card.state.value == "withdrawn"
