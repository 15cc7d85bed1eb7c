import io
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import Error, connection

from console.kernel.actors import system
from console.kernel.errors import NotAllowed
from console.kernel.ids import uuid7
from console.kernel.spans import Span
from console.kernel.transactions import in_tenant
from costs import commands, queries
from costs.cards import Usage, UsageCard
from costs.errors import BadPriceList, BadUsage
from costs.models import UsageLine
from costs.states import Basis, GroupBy
from tests.cast import Cast

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = Span(first=AT.date(), last=AT.date())


def book(tenant: UUID, run_id: UUID, **values: Any) -> UsageCard:
    names = {"agent_slug": "retail", "provider": "anthropic", "model": "claude-opus-5-5", "at": AT}
    used = {"input_tokens": 1_000, "output_tokens": 500}
    given = {name: values.pop(name) for name in names if name in values}
    return commands.note_usage(
        actor=system("tests", tenant),
        run_id=run_id,
        usage=Usage(**{**used, **values}),
        **{**names, **given},
    )


class TestNoteUsage:
    def test_books_a_line_per_class_with_its_price(self, cast: Cast) -> None:
        run = uuid7()

        card = book(cast.tenant_id, run)

        assert card.cost_usd == Decimal("0.014")
        assert card.basis is Basis.LIST
        lines = queries.usage_lines(actor=cast.omar, run_id=run)
        assert {line.token_class: line.cost_usd for line in lines} == {
            "input": Decimal("0.004"),
            "output": Decimal("0.010"),
        }
        assert queries.run_cost(actor=cast.omar, run_id=run).cost_usd == card.cost_usd

    def test_keeps_an_unknown_price_unknown(self, cast: Cast) -> None:
        run = uuid7()
        book(cast.tenant_id, run)

        card = book(cast.tenant_id, run, model="claude-next")

        assert card.cost_usd is None
        totals = queries.run_cost(actor=cast.omar, run_id=run)
        assert totals.cost_usd is None
        assert totals.known_usd == Decimal("0.014")
        assert (totals.calls, totals.unpriced_calls) == (2, 1)

    def test_books_zero_for_the_planner_without_a_model(self, cast: Cast) -> None:
        run = uuid7()

        card = book(cast.tenant_id, run, provider="rules", model="rules", input_tokens=0)

        assert (card.cost_usd, card.basis) == (Decimal(0), Basis.NO_MODEL)
        totals = queries.run_cost(actor=cast.omar, run_id=run)
        assert totals.only_rules
        assert totals.cost_usd == 0

    @pytest.mark.parametrize(
        "values",
        [
            {"input_tokens": -1},
            {"output_tokens": 10**13},
            {"agent_slug": ""},
            {"model": ""},
            {"model": "a\x00b"},
        ],
    )
    def test_refuses_what_cannot_be(self, cast: Cast, values: dict[str, Any]) -> None:
        with pytest.raises(BadUsage):
            book(cast.tenant_id, uuid7(), **values)

        assert queries.usage_lines(actor=cast.omar) == ()

    def test_is_seen_by_no_other_tenant(self, cast: Cast) -> None:
        run = uuid7()
        book(cast.tenant_id, run)

        assert queries.usage_lines(actor=cast.mallory) == ()
        assert queries.run_cost(actor=cast.mallory, run_id=run).calls == 0
        with in_tenant(cast.mallory.tenant_id):
            assert not UsageLine.objects.filter(run_id=run).exists()

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE costs_usage_line SET cost_usd = 0",
            "DELETE FROM costs_usage_line",
            "TRUNCATE costs_usage_line",
            "UPDATE costs_price SET rate_usd = 0",
            "DELETE FROM costs_price_factor",
        ],
    )
    def test_nothing_booked_can_be_altered(self, cast: Cast, statement: str) -> None:
        book(cast.tenant_id, uuid7())

        with (
            pytest.raises(Error, match="permission denied"),
            in_tenant(cast.tenant_id),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)

    def test_the_table_refuses_zero_for_unknown(self, cast: Cast) -> None:
        line = UsageLine(
            tenant_id=cast.tenant_id,
            call_id=uuid7(),
            run_id=uuid7(),
            agent="a",
            provider="p",
            model="m",
            token_class="input",
            units=1,
            cost_usd=Decimal(0),
            basis=Basis.UNPRICED,
            admitted_at=AT,
        )

        with pytest.raises(Error, match="usage_unknown_is_not_zero"), in_tenant(cast.tenant_id):
            line.save(force_insert=True)


class TestSpend:
    @pytest.mark.parametrize("group", list(GroupBy))
    def test_sums_equal_the_lines(self, cast: Cast, group: GroupBy) -> None:
        runs = [uuid7() for _ in range(3)]
        for number, run in enumerate(runs):
            for agent in ("retail", "refunds"):
                book(cast.tenant_id, run, agent_slug=agent, input_tokens=number * 7 + 1)
        book(cast.tenant_id, runs[0], model="claude-next")

        card = queries.spend(actor=cast.omar, span=TODAY, group_by=group)

        lines = queries.usage_lines(actor=cast.omar, limit=200)
        known = sum((line.cost_usd or Decimal(0) for line in lines), Decimal(0))
        assert card.total.known_usd == known
        assert sum((row.totals.known_usd for row in card.rows), Decimal(0)) == known
        assert sum(row.totals.unpriced_calls for row in card.rows) == 1
        assert card.total.cost_usd is None
        assert card.unpriced_models == ("claude-next",)

    def test_takes_whole_days_in_utc(self, cast: Cast) -> None:
        midnight = datetime(2026, 11, 20, tzinfo=UTC)
        book(cast.tenant_id, uuid7(), at=midnight)
        book(cast.tenant_id, uuid7(), at=midnight - timedelta(microseconds=1))
        book(cast.tenant_id, uuid7(), at=midnight + timedelta(days=1))

        card = queries.spend(actor=cast.omar, span=TODAY, group_by=GroupBy.DAY)

        assert card.total.calls == 1
        assert card.previous.calls == 1

    def test_of_one_agent_leaves_out_the_others(self, cast: Cast) -> None:
        book(cast.tenant_id, uuid7(), agent_slug="retail")
        book(cast.tenant_id, uuid7(), agent_slug="refunds")

        card = queries.spend(actor=cast.omar, span=TODAY, group_by=GroupBy.AGENT, agent="refunds")

        assert [row.key for row in card.rows] == ["refunds"]
        assert card.total.calls == 1

    def test_cuts_rows_but_never_the_total(self, cast: Cast) -> None:
        for _ in range(3):
            book(cast.tenant_id, uuid7())

        card = queries.spend(actor=cast.omar, span=TODAY, group_by=GroupBy.RUN, limit=2)

        assert (len(card.rows), card.groups, card.cut) == (2, 3, True)
        assert card.total.known_usd == Decimal("0.042")


class TestImportPrices:
    def test_later_prices_leave_booked_amounts_alone(self, cast: Cast) -> None:
        run, model = uuid7(), f"test-{uuid7()}"
        commands.import_prices(actor=cast.system, document=_document(model, "1"))
        first = book(cast.tenant_id, run, model=model, output_tokens=0)
        commands.import_prices(actor=cast.system, document=_document(model, "2"))
        second = book(cast.tenant_id, run, model=model, output_tokens=0)

        assert (first.cost_usd, second.cost_usd) == (Decimal("0.001"), Decimal("0.002"))
        assert queries.run_cost(actor=cast.omar, run_id=run).cost_usd == Decimal("0.003")

    def test_takes_the_same_list_once(self, cast: Cast) -> None:
        document = _document(f"test-{uuid7()}", "1")
        first = commands.import_prices(actor=cast.system, document=document)
        again = commands.import_prices(actor=cast.system, document=document)

        assert (first.added, first.repeated) == (1, False)
        assert (again.batch_no, again.added, again.repeated) == (first.batch_no, 0, True)

    def test_is_not_for_one_tenant_to_do(self, cast: Cast) -> None:
        for somebody in (cast.noor, cast.omar):
            with pytest.raises(NotAllowed):
                commands.import_prices(actor=somebody, document=_document("m", "1"))

    @pytest.mark.parametrize("document", ["", "{", "[]", '{"format": 1.5}', "[" * 100_000, "\x00"])
    def test_refuses_what_is_no_list(self, cast: Cast, document: str) -> None:
        with pytest.raises(BadPriceList):
            commands.import_prices(actor=cast.system, document=document)


class TestImportCommand:
    def test_takes_in_a_file_and_says_how_much(self, cast: Cast, tmp_path: Path) -> None:
        path = tmp_path / "prices.json"
        path.write_text(_document(f"test-{uuid7()}", "1"))

        first, again = (io.StringIO() for _ in range(2))
        call_command("import_prices", str(path), stdout=first)
        call_command("import_prices", str(path), stdout=again)

        assert "1 rows taken in" in first.getvalue()
        assert "taken in before" in again.getvalue()

    @pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe", b'{"format": 1}'])
    def test_refuses_another_file_with_one_sentence(
        self, cast: Cast, tmp_path: Path, content: bytes
    ) -> None:
        path = tmp_path / "prices.json"
        path.write_bytes(content)

        with pytest.raises(CommandError):
            call_command("import_prices", str(path))
        with pytest.raises(CommandError):
            call_command("import_prices", str(tmp_path / "none.json"))

    def test_the_bundled_list_is_there_from_the_start(self, cast: Cast) -> None:
        document = commands.BUNDLED.read_text(encoding="utf-8")

        assert commands.import_prices(actor=cast.system, document=document).repeated


def _document(model: str, rate: str) -> str:
    entry = {
        "model": model,
        "effective_from": "2026-01-01T00:00:00Z",
        "rates": {"input": rate},
    }
    return json.dumps(
        {
            "format": "signalbox-prices-1",
            "provider": "anthropic",
            "currency": "USD",
            "source": "a test",
            "prices": [entry],
            "multipliers": [],
        }
    )
