import re
from uuid import UUID

import pytest

from agents.controls import commands, queries
from agents.controls.cards import Scope, SwitchCard
from agents.controls.states import ScopeKind
from console.kernel.ids import uuid7
from tests.cast import Cast
from tests.controls.conftest import recorded

BOARD = "/operations/switches/"
REFUNDS = Scope(kind=ScopeKind.AGENT, value="refunds")
TENANT = Scope(kind=ScopeKind.TENANT)
HOSTILE = "Pay \u202eeno lla\u202c <script>alert(1)</script>"


def stop(cast: Cast, scope: Scope = REFUNDS, reason: str = "Wrong currency.") -> SwitchCard:
    return commands.engage(actor=cast.omar, scope=scope, reason=reason)


class TestBoard:
    def test_shows_levers_lamps_and_the_stop_panel(self, cast: Cast) -> None:
        card = stop(cast)

        page = cast.client("omar").get(BOARD)

        assert page.status_code == 200
        text = page.content.decode()
        assert "Stop now" in text
        assert "refunds" in text
        assert "Wrong currency." in text
        assert f"/operations/switches/{card.id}/" in text
        assert 'topics="controls"' in text
        assert page.headers["Cache-Control"] == "no-store"

    def test_never_says_confirmed_before_every_process_has(self, cast: Cast) -> None:
        stop(cast)

        text = cast.client("omar").get(BOARD).content.decode()

        assert re.search(r"<span>(ordered|partial)", text)

    def test_gives_its_live_part_alone(self, cast: Cast) -> None:
        text = cast.client("omar").get(f"{BOARD}?part=levers").content.decode()

        assert "<html" not in text
        assert '<sb-live id="levers"' in text
        assert "Stop now" not in text

    def test_sets_the_panel_to_what_is_asked_for(self, cast: Cast) -> None:
        run = uuid7()

        text = cast.client("omar").get(f"{BOARD}?scope=run:{run}").content.decode()

        assert f'value="{run}"' in text
        assert "Nothing is under way in this scope now" in text

    @pytest.mark.parametrize("scope", ["x", "agent:", "run:1", "agent:" + "a" * 500, "tenant:a"])
    def test_refuses_a_scope_that_is_none(self, cast: Cast, scope: str) -> None:
        assert cast.client("omar").get(BOARD, {"scope": scope}).status_code == 400

    def test_gives_the_auditor_no_panel(self, cast: Cast) -> None:
        cast.add("ada", roles=("auditor",))

        text = cast.client("ada").get(BOARD).content.decode()

        assert "Stop now" not in text
        assert "Stop…" not in text

    def test_needs_the_permission(self, cast: Cast) -> None:
        page = cast.client("ruth").get(BOARD)

        assert page.status_code == 403
        assert "controls.view" in page.content.decode()

    def test_shows_nothing_of_another_tenant(self, cast: Cast) -> None:
        stop(cast)

        assert "Wrong currency." not in cast.client("mallory").get(BOARD).content.decode()

    def test_shows_hostile_reasons_as_they_are(self, cast: Cast) -> None:
        stop(cast, reason=HOSTILE)

        for path in (BOARD, f"{BOARD}history/"):
            text = cast.client("omar").get(path).content.decode()
            assert "<script>alert" not in text
            assert "\u202e" not in text
            assert "U+202E" in text


class TestEngage:
    def test_stops_in_one_step_and_leads_to_the_switch(self, cast: Cast) -> None:
        answer = cast.client("omar").post(
            f"{BOARD}engage/", {"scope": "agent:refunds", "run": "", "reason": "Wrong currency."}
        )

        (card,) = queries.active(actor=cast.omar)
        assert answer.status_code == 302
        assert answer.headers["Location"] == f"/operations/switches/{card.id}/"
        assert (card.scope, card.engaged_by) == (REFUNDS, "Omar")

    def test_stops_a_run_by_its_id(self, cast: Cast) -> None:
        run = uuid7()

        cast.client("omar").post(
            f"{BOARD}engage/", {"scope": "run", "run": str(run).upper(), "reason": "Loops."}
        )

        (card,) = queries.active(actor=cast.omar)
        assert card.scope == Scope(kind=ScopeKind.RUN, value=str(run))

    @pytest.mark.parametrize(
        "sent",
        [
            {},
            {"scope": "agent:refunds"},
            {"scope": "agent:refunds", "reason": "   "},
            {"scope": "agent:refunds", "reason": "x" * 401},
            {"scope": "agent:refunds", "reason": "a\x00b"},
            {"scope": "", "reason": "Why."},
            {"scope": "planet:earth", "reason": "Why."},
            {"scope": "run", "run": "", "reason": "Why."},
            {"scope": "run", "run": "x" * 61, "reason": "Why."},
            {"scope": "agent:a\u202eb", "reason": "Why."},
            {"scope": "agent:refunds", "reason": "Why.", "category": "sever"},
            {"scope": "agent:refunds", "reason": "Why.", "tenant": "other"},
        ],
    )
    def test_refuses_bad_input_and_changes_nothing(self, cast: Cast, sent: dict[str, str]) -> None:
        answer = cast.client("omar").post(f"{BOARD}engage/", sent)

        assert answer.status_code == 400
        assert queries.active(actor=cast.omar) == ()

    def test_refuses_a_second_stop_with_409_and_keeps_what_was_typed(self, cast: Cast) -> None:
        stop(cast)

        answer = cast.client("omar").post(
            f"{BOARD}engage/", {"scope": "agent:refunds", "reason": "Mine is better."}
        )

        assert answer.status_code == 409
        assert "Mine is better." in answer.content.decode()

    @pytest.mark.parametrize("name", ["ruth", "ines"])
    def test_needs_the_permission(self, cast: Cast, name: str) -> None:
        answer = cast.client(name).post(
            f"{BOARD}engage/", {"scope": "agent:refunds", "reason": "Why."}
        )

        assert answer.status_code == 403
        assert queries.active(actor=cast.omar) == ()

    def test_needs_the_token_of_the_form(self, cast: Cast) -> None:
        client = cast.client("omar")
        client.handler.enforce_csrf_checks = True

        answer = client.post(f"{BOARD}engage/", {"scope": "tenant", "reason": "Why."})

        assert answer.status_code == 403
        assert queries.active(actor=cast.omar) == ()

    def test_takes_no_get(self, cast: Cast) -> None:
        assert cast.client("omar").get(f"{BOARD}engage/").status_code == 405


class TestRelease:
    def url(self, switch_id: UUID) -> str:
        return f"{BOARD}{switch_id}/release/"

    def test_lifts_the_stop(self, cast: Cast) -> None:
        card = stop(cast)

        answer = cast.client("omar").post(self.url(card.id), {"reason": "Fixed."})

        assert answer.status_code == 302
        assert queries.active(actor=cast.omar) == ()
        assert recorded(cast.tenant_id, "switch.released")

    def test_of_the_organisation_takes_two_others(self, cast: Cast) -> None:
        cast.add("olga", roles=("operator",))
        card = stop(cast, TENANT)
        client = cast.client("omar")

        client.post(self.url(card.id), {"reason": "Asked by the one who stopped."})
        page = client.get(f"{BOARD}{card.id}/").content.decode()

        assert "You asked for this release" in page
        assert client.post(self.url(card.id), {"reason": "Again."}).status_code == 403
        assert cast.client("olga").post(self.url(card.id), {"reason": "Ok."}).status_code == 302
        assert queries.active(actor=cast.omar) == ()

    @pytest.mark.parametrize("sent", [{}, {"reason": " "}, {"reason": "x" * 401}, {"r": "x"}])
    def test_refuses_bad_input(self, cast: Cast, sent: dict[str, str]) -> None:
        card = stop(cast)

        assert cast.client("omar").post(self.url(card.id), sent).status_code == 400
        assert len(queries.active(actor=cast.omar)) == 1

    def test_knows_no_switch_of_another_tenant(self, cast: Cast) -> None:
        card = stop(cast)
        mallory = cast.client("mallory")

        assert mallory.post(self.url(card.id), {"reason": "Mine."}).status_code == 404
        assert mallory.get(f"{BOARD}{card.id}/").status_code == 404
        assert len(queries.active(actor=cast.omar)) == 1

    def test_happens_once(self, cast: Cast) -> None:
        card = stop(cast)
        client = cast.client("omar")
        client.post(self.url(card.id), {"reason": "Fixed."})

        assert client.post(self.url(card.id), {"reason": "Again."}).status_code == 409


class TestHistory:
    def test_pages_by_key(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        cards = [stop(cast, Scope(kind=ScopeKind.TOOL, value=f"tool-{n}")) for n in range(3)]
        commands.release(actor=cast.omar, switch_id=cards[2].id, reason="Done.")
        client = cast.client("omar")
        monkeypatch.setattr(queries, "HISTORY_PAGE", 2)
        last = queries.history(actor=cast.omar, limit=2)[-1]

        older = client.get(
            f"{BOARD}history/",
            {"at": last.engaged_at.strftime("%Y-%m-%dT%H:%M:%S.%f%z"), "id": str(last.id)},
        ).content.decode()

        assert f'id="stop-{last.id}"' not in older
        assert older.count('<tr id="stop-') == 1

    @pytest.mark.parametrize("query", [{"at": "x"}, {"id": "x"}, {"page": "2"}])
    def test_refuses_a_key_that_is_none(self, cast: Cast, query: dict[str, str]) -> None:
        assert cast.client("omar").get(f"{BOARD}history/", query).status_code == 400


class TestApi:
    URL = "/api/v1/controls/switches"

    def test_stops_shows_and_releases(self, cast: Cast) -> None:
        api = cast.api("omar")

        made = api.post(self.URL, {"scope": "tool:refund", "reason": "Why."}, format="json")

        assert made.status_code == 201, made.content
        assert made.json()["progress"] in {"ordered", "partial"}
        url = f"{self.URL}/{made.json()['id']}"
        assert api.get(url).json()["scope"] == "tool:refund"
        done = api.post(f"{url}/release", {"reason": "Fixed."}, format="json")
        assert done.json()["progress"] == "released"
        again = api.post(f"{url}/release", {"reason": "Fixed."}, format="json")
        assert (again.status_code, again.json()["code"]) == (409, "stop.already_released")

    def test_lists_in_key_set_pages(self, cast: Cast) -> None:
        for number in range(3):
            stop(cast, Scope(kind=ScopeKind.TOOL, value=f"tool-{number}"))
        api = cast.api("omar")

        first = api.get(self.URL, {"limit": 2}).json()
        second = api.get(self.URL, {"limit": 2, "after": first["next"]}).json()

        scopes = [item["scope"] for item in first["items"] + second["items"]]
        assert scopes == ["tool:tool-2", "tool:tool-1", "tool:tool-0"]
        assert second["next"] is None

    def test_stops_once_for_one_idempotency_key(self, cast: Cast) -> None:
        api = cast.api("omar")
        sent = {"scope": "tool:refund", "reason": "Why."}
        api.credentials(HTTP_IDEMPOTENCY_KEY=f"key-{uuid7()}")

        first = api.post(self.URL, sent, format="json")
        again = api.post(self.URL, sent, format="json")

        assert (first.status_code, again.status_code) == (201, 201)
        assert first.json()["id"] == again.json()["id"]

    @pytest.mark.parametrize(
        "sent",
        [
            {},
            {"scope": "tool:refund"},
            {"scope": 1, "reason": []},
            {"scope": "tool:refund", "reason": "x" * 401},
            {"scope": "moon", "reason": "Why."},
            {"scope": "tool:refund", "reason": "Why.", "category": "sever"},
            [],
        ],
    )
    def test_refuses_bad_input(self, cast: Cast, sent: object) -> None:
        answer = cast.api("omar").post(self.URL, sent, format="json")

        assert answer.status_code == 400
        assert set(answer.json()) == {"code", "message", "details"}
        assert queries.active(actor=cast.omar) == ()

    def test_lets_no_key_write_switch_state(self, cast: Cast) -> None:
        card = stop(cast)
        key = cast.key_client("runs.view")

        made = key.post(self.URL, {"scope": "tenant", "reason": "Why."}, format="json")
        released = key.post(f"{self.URL}/{card.id}/release", {"reason": "Why."}, format="json")

        assert (made.status_code, released.status_code) == (403, 403)
        assert len(queries.active(actor=cast.omar)) == 1

    def test_hides_the_switches_of_another_tenant(self, cast: Cast) -> None:
        card = stop(cast)

        assert cast.api("mallory").get(f"{self.URL}/{card.id}").status_code == 404
        assert cast.api("mallory").get(self.URL).json()["items"] == []

    def test_needs_permission_and_sign_in(self, cast: Cast) -> None:
        assert cast.api("ruth").get(self.URL).status_code == 403
        answer = cast.api("ruth").post(
            self.URL, {"scope": "tenant", "reason": "Why."}, format="json"
        )
        assert answer.status_code == 403
