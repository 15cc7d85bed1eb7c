"""Pages and API of runs: a happy path, a refusal, a stranger."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from agents.llm.scripted import Use
from agents.models import Run
from agents.runtime import queries
from console.kernel.transactions import in_tenant
from tests.agents.world import SOFIA, World, calls, cancel, says

EVIL = "<script>alert(1)</script> \u202egnp.exe"


def finished(world: World, text: str = "Good day.") -> Any:
    said = world.say(EVIL, customer=SOFIA)
    with world.answering(says(text)):
        world.advance(said.run_id)
    return said


class TestListing:
    def test_shows_runs_with_state_badge_and_cost(self, world: World) -> None:
        said = finished(world)
        page = world.cast.client("ruth").get("/runs/")
        body = page.content.decode()
        assert page.status_code == 200
        assert f"/runs/{said.run_id}/" in body
        assert "scripted - not a model" in body
        assert 'topics="runs.list"' in body

    def test_filters_by_state_and_agent(self, world: World) -> None:
        said = finished(world)
        client = world.cast.client("ruth")
        assert str(said.run_id) in client.get("/runs/?state=completed").content.decode()
        other = client.get("/runs/?state=failed&agent=support").content.decode()
        assert "No run matches" in other

    @pytest.mark.parametrize("query", ["state=nonsense", "after=x", "agent=a b", "unknown=1"])
    def test_refuses_filters_that_are_none(self, world: World, query: str) -> None:
        assert world.cast.client("ruth").get(f"/runs/?{query}").status_code == 400

    def test_says_that_nothing_ran_yet(self, world: World) -> None:
        assert "No run yet" in world.cast.client("ruth").get("/runs/").content.decode()

    def test_has_pages(self, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(queries, "PAGE_ROWS", 1)
        first, second = world.say("One"), world.say("Two")
        client = world.cast.client("ruth")
        page = client.get("/runs/")
        assert str(second.run_id) in page.content.decode()
        assert str(first.run_id) not in page.content.decode()
        older = client.get(page.context["older_url"].replace("?", "/runs/?"))
        assert str(first.run_id) in older.content.decode()

    def test_gives_only_the_rows_to_its_live_region(self, world: World) -> None:
        finished(world)
        body = world.cast.client("ruth").get("/runs/?part=rows").content.decode()
        assert body.strip().startswith("<sb-live")
        assert "<html" not in body


class TestDetail:
    def test_shows_the_whole_run(self, world: World) -> None:
        said = world.say("Cancel it", customer=SOFIA)
        with world.answering(calls(cancel())):
            world.advance(said.run_id)
        (call,) = world.calls(said.run_id)
        body = world.cast.client("ruth").get(f"/runs/{said.run_id}/").content.decode()
        assert f"/reviews/{call.proposal_id}/" in body
        assert "people who decide about a change" in body
        assert "cancel_pending_order" in body
        assert f'topics="run:{said.run_id} conversation:{said.conversation_id}"' in body

    def test_escapes_what_agents_and_customers_wrote(self, world: World) -> None:
        said = finished(world, EVIL)
        body = world.cast.client("ruth").get(f"/runs/{said.run_id}/").content.decode()
        assert "<script>alert(1)" not in body
        assert "\u202e" not in body
        assert "U+202E" in body

    def test_shows_costs_only_as_far_as_they_are_known(self, world: World) -> None:
        said = world.say("Hello")
        body = world.cast.client("ruth").get(f"/runs/{said.run_id}/?part=facts").content.decode()
        assert "nothing yet" in body

    def test_hides_runs_of_other_tenants(self, world: World) -> None:
        said = finished(world)
        client = world.cast.client("mallory")
        assert client.get(f"/runs/{said.run_id}/").status_code == 404
        assert str(said.run_id) not in client.get("/runs/").content.decode()
        assert client.get(f"/runs/{uuid4()}/").status_code == 404

    def test_sends_strangers_to_the_sign_in(self, world: World) -> None:
        said = finished(world)
        assert Client(SERVER_NAME="localhost").get(f"/runs/{said.run_id}/").status_code == 302


class TestCancel:
    def test_ends_the_run(self, world: World) -> None:
        said = world.say("Hello")
        answer = world.cast.client("omar").post(f"/runs/{said.run_id}/cancel/")
        assert answer.status_code == 302
        assert world.run(said.run_id).state == "cancelled"

    def test_refuses_who_may_not(self, world: World) -> None:
        said = world.say("Hello")
        answer = world.cast.client("ruth").post(f"/runs/{said.run_id}/cancel/")
        assert answer.status_code == 403
        assert world.run(said.run_id).state == "queued"

    def test_refuses_a_run_that_is_over(self, world: World) -> None:
        said = finished(world)
        assert world.cast.client("omar").post(f"/runs/{said.run_id}/cancel/").status_code == 409


class TestCloseHandoff:
    def test_returns_the_conversation(self, world: World) -> None:
        said = world.say("A person", customer=SOFIA)
        use = Use(name="transfer_to_human_agents", args={"summary": "x"})
        with world.answering(calls(use)):
            world.advance(said.run_id)
        client = world.cast.client("omar")
        assert "Return to the agent" in client.get(f"/runs/{said.run_id}/").content.decode()
        url = f"/runs/{said.run_id}/handoff/{said.conversation_id}/close/"
        assert client.post(url, {"give_back": "maybe"}).status_code == 400
        assert client.post(url, {"give_back": "yes"}).status_code == 302
        assert world.run(said.run_id).state == "completed"


class TestReconcile:
    def test_refuses_a_call_whose_outcome_is_known(self, world: World) -> None:
        said = world.say("Cancel it", customer=SOFIA)
        with world.answering(calls(cancel())):
            world.advance(said.run_id)
        (call,) = world.calls(said.run_id)
        url = f"/runs/{said.run_id}/calls/{call.pk}/reconcile/"
        assert world.cast.client("omar").post(url, {"happened": "yes"}).status_code == 409
        missing = f"/runs/{said.run_id}/calls/{uuid4()}/reconcile/"
        assert world.cast.client("omar").post(missing, {"happened": "yes"}).status_code == 404


class TestApi:
    def test_lists_runs_by_pages(self, world: World) -> None:
        ids = [str(world.say(text).run_id) for text in ("one", "two", "three")]
        client = world.cast.key_client("runs.view")
        first = client.get("/api/v1/runs?limit=2").json()
        assert [row["id"] for row in first["items"]] == ids[:0:-1]
        rest = client.get(f"/api/v1/runs?limit=2&after={first['next']}").json()
        assert ([row["id"] for row in rest["items"]], rest["next"]) == (ids[:1], None)

    def test_shows_one_run_and_its_events(self, world: World) -> None:
        said = finished(world)
        client = world.cast.key_client("runs.view")
        one = client.get(f"/api/v1/runs/{said.run_id}").json()
        assert (one["run"]["state"], one["run"]["badge"]["provider"]) == ("completed", "scripted")
        assert [frame["kind"] for frame in one["frames"]] == ["text", "text"]
        first = client.get(f"/api/v1/runs/{said.run_id}/events?limit=1").json()
        after = client.get(f"/api/v1/runs/{said.run_id}/events?after={first['next']}").json()
        assert [e["seq"] for e in first["items"] + after["items"]] == [1, 2, 3]

    def test_takes_a_message_and_answers_at_once(self, world: World) -> None:
        client = world.cast.key_client("runs.start")
        body = {"agent": "support", "text": "Hello", "client_id": "c-1", "end_user": "u-1"}
        headers = {"Idempotency-Key": "message-0001"}
        url = "/api/v1/conversations/messages"
        made = client.post(url, body, format="json", headers=headers)
        assert made.status_code == 202, made.json()
        again = client.post(url, body, format="json", headers=headers)
        assert again.json() == made.json()
        with in_tenant(world.tenant_id):
            run = Run.objects.get(pk=made.json()["run_id"])
            assert run.starter["kind"] == "key"
            # The person the key was issued to may not decide about what it sets off.
            assert run.starter["person_id"] == world.cast.noor.id

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"text": ""}, 400),
            ({"text": "x" * 4001}, 400),
            ({"agent": "nobody"}, 404),
            ({"more": 1}, 400),
            ({"client_id": None}, 400),
            ({"conversation_id": str(uuid4())}, 404),
        ],
    )
    def test_refuses_bad_messages(self, world: World, change: Any, status: int) -> None:
        client = world.cast.key_client("runs.start")
        body = {"agent": "support", "text": "Hello", "client_id": "c-1", "end_user": "u-1"}
        answer = client.post("/api/v1/conversations/messages", {**body, **change}, format="json")
        assert answer.status_code == status, answer.json()
        assert set(answer.json()) == {"code", "message", "details"}

    def test_refuses_a_key_without_the_scope(self, world: World) -> None:
        client = world.cast.key_client("runs.view")
        assert client.post("/api/v1/conversations/messages", {}, format="json").status_code == 403
        assert world.cast.key_client("costs.view").get("/api/v1/runs").status_code == 403

    def test_hides_runs_of_other_tenants(self, world: World) -> None:
        said = finished(world)
        client = world.cast.api("mallory")
        assert client.get(f"/api/v1/runs/{said.run_id}").status_code == 404
        assert client.get(f"/api/v1/runs/{said.run_id}/events").status_code == 404
        assert client.get("/api/v1/runs").json()["items"] == []
