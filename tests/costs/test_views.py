import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from console.kernel import clock
from console.kernel.ids import uuid7
from console.kernel.spans import Span
from costs import figures
from costs.cards import DayBar
from tests.cast import Cast
from tests.controls.conftest import recorded
from tests.costs.test_commands import book

PAGE = "/costs/"
BAD = [
    {"days": "0"},
    {"days": "367"},
    {"days": "many"},
    {"group": "person"},
    {"from": "2026-11-20"},
    {"to": "2026-11-20"},
    {"from": "2026-11-21", "to": "2026-11-20"},
    {"from": "1999-01-01", "to": "2026-11-20"},
    {"from": "2020-01-01", "to": "9999-12-31"},
    {"from": "yesterday", "to": "today"},
    {"agent": "a" * 121},
    {"agent": "a\x00b"},
    {"unknown": "1"},
]


def now() -> datetime:
    return clock.now()


class TestSpendPage:
    def test_shows_tiles_table_and_chart(self, cast: Cast) -> None:
        run = uuid7()
        book(cast.tenant_id, run, agent_slug="retail", at=now())

        text = cast.client("omar").get(PAGE).content.decode()

        assert "$0.0140" in text
        assert "retail" in text
        assert 'data-src="/costs/figure.json?' in text
        assert "UTC" in text

    def test_writes_unknown_and_never_zero_for_a_missing_price(self, cast: Cast) -> None:
        book(cast.tenant_id, uuid7(), model="claude-next", at=now())

        text = cast.client("omar").get(PAGE).content.decode()

        assert "unknown" in text
        assert "claude-next" in text
        assert "$0.00" not in text

    def test_says_that_a_zero_of_the_planner_is_real(self, cast: Cast) -> None:
        book(cast.tenant_id, uuid7(), provider="rules", model="rules", input_tokens=0, at=now())

        text = cast.client("omar").get(PAGE).content.decode()

        assert "rules - no language model" in text
        assert "$0.00" in text

    def test_is_honest_when_there_is_nothing(self, cast: Cast) -> None:
        text = cast.client("omar").get(PAGE).content.decode()

        assert "No model call in these days" in text
        assert "sb-chart id" not in text

    @pytest.mark.parametrize("group", ["agent", "run", "day"])
    def test_groups_as_the_url_says(self, cast: Cast, group: str) -> None:
        run = uuid7()
        at = now()
        book(cast.tenant_id, run, agent_slug="retail", at=at)
        key = {"agent": "retail", "run": str(run), "day": at.date().isoformat()}[group]

        page = cast.client("omar").get(PAGE, {"group": group, "days": "7"})

        assert page.status_code == 200
        assert key in page.content.decode()

    @pytest.mark.parametrize("query", BAD)
    @pytest.mark.parametrize("path", ["", "figure.json", "spend.csv"])
    def test_refuses_bad_input(self, cast: Cast, path: str, query: dict[str, str]) -> None:
        assert cast.client("omar").get(PAGE + path, query).status_code == 400

    @pytest.mark.parametrize("path", ["", "figure.json", "spend.csv"])
    def test_needs_the_permission(self, cast: Cast, path: str) -> None:
        page = cast.client("ruth").get(PAGE + path)

        assert page.status_code == 403

    def test_shows_nothing_of_another_tenant(self, cast: Cast) -> None:
        book(cast.tenant_id, uuid7(), agent_slug="retail", at=now())

        assert "retail" not in cast.client("mallory").get(PAGE).content.decode()

    def test_escapes_a_hostile_name(self, cast: Cast) -> None:
        book(cast.tenant_id, uuid7(), agent_slug="<b>\u202eevil", at=now())

        text = cast.client("omar").get(PAGE).content.decode()

        assert "<b>\u202e" not in text
        assert "U+202E" in text


class TestFigure:
    def test_stacks_agents_per_day_and_sums_to_the_total(self, cast: Cast) -> None:
        at = now()
        for agent in ("retail", "refunds"):
            book(cast.tenant_id, uuid7(), agent_slug=agent, at=at)

        figure = cast.client("omar").get(PAGE + "figure.json", {"days": "7"}).json()

        assert figure["layout"]["barmode"] == "stack"
        assert {trace["name"] for trace in figure["data"]} == {"retail", "refunds"}
        assert all(len(trace["x"]) == 7 for trace in figure["data"])
        total = sum(Decimal(y) for trace in figure["data"] for y in trace["y"])
        assert total == Decimal("0.028")

    def test_gathers_what_the_palette_cannot_tell_apart(self) -> None:
        day = datetime(2026, 11, 20, tzinfo=UTC).date()
        bars = [
            DayBar(day=day, agent=f"agent-{n}", known_usd=Decimal(n), unpriced_calls=0)
            for n in range(1, 9)
        ]

        figure = figures.spend_per_day(bars, Span(first=day, last=day))

        assert [trace["name"] for trace in figure["data"]] == [
            *(f"agent-{n}" for n in (8, 7, 6, 5, 4)),
            "other",
        ]
        assert figure["data"][-1]["y"] == ["6"]


class TestExport:
    def rows(self, cast: Cast, **query: Any) -> list[list[str]]:
        answer = cast.client("omar").get(PAGE + "spend.csv", query)
        assert answer.headers["Content-Disposition"].startswith("attachment")
        return list(csv.reader(io.StringIO(answer.content.decode())))

    def test_has_exact_amounts_and_is_recorded(self, cast: Cast) -> None:
        book(cast.tenant_id, uuid7(), agent_slug="retail", at=now())

        rows = self.rows(cast)

        assert rows[1] == ["retail", "1", "1", "0", "1000", "500", *["0.014000000000"] * 2]
        (event,) = recorded(cast.tenant_id, "spend.exported")
        assert event["bind"]["rows"] == 1

    def test_says_unknown(self, cast: Cast) -> None:
        book(cast.tenant_id, uuid7(), model="claude-next", at=now())

        assert self.rows(cast)[1][-1] == "unknown"

    @pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
    def test_keeps_names_from_running_as_formulas(self, cast: Cast, name: str) -> None:
        book(cast.tenant_id, uuid7(), agent_slug=name, at=now())

        assert self.rows(cast)[1][0] == f"'{name}"


class TestApi:
    def test_gives_lines_in_key_set_pages_with_money_as_text(self, cast: Cast) -> None:
        run = uuid7()
        book(cast.tenant_id, run, at=now())
        book(cast.tenant_id, uuid7(), at=now())
        api = cast.api("omar")

        first = api.get("/api/v1/costs/usage", {"limit": 3}).json()
        second = api.get("/api/v1/costs/usage", {"limit": 3, "after": first["next"]}).json()
        mine = api.get("/api/v1/costs/usage", {"run_id": str(run)}).json()

        assert len(first["items"]) + len(second["items"]) == 4
        assert {item["cost_usd"] for item in mine["items"]} == {"0.004000000000", "0.010000000000"}

    def test_gives_spend_with_null_for_unknown(self, cast: Cast) -> None:
        book(cast.tenant_id, uuid7(), model="claude-next", at=now())

        spend = cast.api("omar").get("/api/v1/costs/spend", {"group": "agent"}).json()

        assert spend["total"]["cost_usd"] is None
        assert spend["total"]["unpriced_calls"] == 1

    def test_takes_a_key_that_may_see_costs(self, cast: Cast) -> None:
        book(cast.tenant_id, uuid7(), at=now())

        answer = cast.key_client("costs.view").get("/api/v1/costs/usage")

        assert len(answer.json()["items"]) == 2

    @pytest.mark.parametrize(
        ("path", "query"),
        [
            ("usage", {"run_id": "x"}),
            ("usage", {"limit": "0"}),
            ("usage", {"after": "x"}),
            ("usage", {"colour": "red"}),
            ("spend", {"days": "0"}),
            ("spend", {"group": "moon"}),
        ],
    )
    def test_refuses_bad_input(self, cast: Cast, path: str, query: dict[str, str]) -> None:
        answer = cast.api("omar").get(f"/api/v1/costs/{path}", query)

        assert answer.status_code == 400
        assert set(answer.json()) == {"code", "message", "details"}

    @pytest.mark.parametrize("path", ["usage", "spend"])
    def test_needs_the_permission(self, cast: Cast, path: str) -> None:
        assert cast.api("ruth").get(f"/api/v1/costs/{path}").status_code == 403

    def test_shows_nothing_of_another_tenant(self, cast: Cast) -> None:
        book(cast.tenant_id, uuid7(), at=now())

        assert cast.api("mallory").get("/api/v1/costs/usage").json()["items"] == []
