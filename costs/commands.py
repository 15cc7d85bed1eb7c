"""Writes of the meter room: book what a model call used, take in prices, note an export."""

import json
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from audit.commands import record
from console.kernel.actors import Actor, ActorKind
from console.kernel.errors import NotAllowed
from console.kernel.ids import uuid7
from console.kernel.spans import Span
from console.kernel.transactions import command
from costs import pricing, queries
from costs.cards import ImportCard, SpendCard, Usage, UsageCard
from costs.errors import BadPriceList, BadUsage
from costs.events import PricesImported, SpendExported
from costs.models import Price, PriceFactor, PriceImport, UsageLine
from costs.states import Basis, GroupBy

BUNDLED: Final = Path(__file__).with_name("prices.json")
MOST_UNITS: Final = 10**12


@command
def note_usage(
    *,
    actor: Actor,
    run_id: UUID,
    agent_slug: str,
    provider: str,
    model: str,
    usage: Usage,
    at: datetime,
) -> UsageCard:
    """Book what one model call used, at the prices of `at`, when it was admitted.

    A model without a known price is booked with an unknown amount, never with zero. The
    deterministic planner and the test scripts cost nothing, and their line says that no model was
    called.

    Raises:
        BadUsage: a count is negative or absurd, or a name is missing.
    """
    _require_bookable(agent_slug, provider, model, usage)
    book = queries.price_book()
    found = pricing.lines(book, usage, provider=provider, model=model, at=at)
    call_id = uuid7()
    UsageLine.objects.bulk_create(
        UsageLine(
            tenant_id=actor.tenant_id,
            call_id=call_id,
            run_id=run_id,
            agent=agent_slug,
            provider=provider,
            model=model,
            token_class=line.token_class,
            units=line.units,
            price_id=line.price_id,
            rate_usd=line.rate,
            per_units=line.per,
            multiplier=line.multiplier,
            cost_usd=line.cost_usd,
            basis=line.basis,
            admitted_at=at,
        )
        for line in found
    )
    return UsageCard(call_id=call_id, cost_usd=pricing.cost(found), basis=_weakest(found))


def _weakest(found: tuple[pricing.Line, ...]) -> Basis:
    """Return the basis that says most about what is not known."""
    order = (Basis.UNREPORTED, Basis.UNPRICED, Basis.NO_MODEL, Basis.LIST)
    return min((line.basis for line in found), key=order.index)


def _require_bookable(agent: str, provider: str, model: str, usage: Usage) -> None:
    for name, value in (("agent", agent), ("provider", provider), ("model", model)):
        if not value or "\x00" in value:
            raise BadUsage(f"This usage cannot be booked: it does not name its {name}.")
    for name, units in usage.units().items():
        if units is not None and not 0 <= units <= MOST_UNITS:
            raise BadUsage(f"This usage cannot be booked: {units} is no possible count of {name}.")


@command
def import_prices(*, actor: Actor, document: str) -> ImportCard:
    """Take in a list of prices; amounts that were booked before keep theirs.

    Raises:
        NotAllowed: somebody of one tenant asks; the list is shared by all.
        BadPriceList: it is not in the form `signalbox-prices-1`.
        ImplausiblePrice: a price is zero where it was not, or a thousand times another.
    """
    if actor.kind is not ActorKind.SYSTEM:
        raise NotAllowed(
            "Prices are the same for every organisation; ask whoever runs this installation to use "
            "`manage.py import_prices`."
        )
    listed = pricing.parse(_json(document))
    checksum = sha256(document.encode()).hexdigest()
    known = PriceImport.objects.filter(checksum=checksum).first()
    if known is not None:
        return ImportCard(batch_no=known.pk, added=0, repeated=True)
    pricing.require_plausible(listed.rates, queries.price_book())
    batch_no = _store(listed, checksum, PriceImport, Price, PriceFactor)
    event = PricesImported(
        checksum=checksum,
        provider=listed.provider,
        rates=len(listed.rates),
        factors=len(listed.multipliers),
        source=listed.source[:400],
    )
    record(event, actor=actor)
    return ImportCard(
        batch_no=batch_no, added=len(listed.rates) + len(listed.multipliers), repeated=False
    )


def store_bundled(*, imports: Any, prices: Any, factors: Any) -> None:
    """Take in the list that ships with the product; the migration passes its own models."""
    document = BUNDLED.read_text(encoding="utf-8")
    checksum = sha256(document.encode()).hexdigest()
    if not imports.objects.filter(checksum=checksum).exists():
        _store(pricing.parse(_json(document)), checksum, imports, prices, factors)


@command
def export_spend(
    *, actor: Actor, span: Span, group_by: GroupBy, agent: str, limit: int
) -> SpendCard:
    """Return a table of spend that leaves the console, and record that it does."""
    card = queries.spend(actor=actor, span=span, group_by=group_by, agent=agent, limit=limit)
    event = SpendExported(
        group_by=group_by,
        first=span.first.isoformat(),
        last=span.last.isoformat(),
        rows=len(card.rows),
    )
    record(event, actor=actor)
    return card


def _json(document: str) -> Any:
    try:
        return json.loads(document, parse_float=_refuse_number)
    except (ValueError, RecursionError) as error:
        raise BadPriceList(
            "This is not a list of prices that can be taken in: "
            "it is no JSON, or a price is not in quotes."
        ) from error


def _refuse_number(text: str) -> Any:
    raise ValueError(f"{text} must be in quotes")


def _store(
    listed: pricing.PriceList, checksum: str, imports: Any, prices: Any, factors: Any
) -> int:
    batch = imports.objects.create(
        checksum=checksum, provider=listed.provider, source=listed.source
    )
    prices.objects.bulk_create(
        prices(
            batch_id=batch.pk,
            provider=row.provider,
            model=row.model,
            token_class=row.token_class,
            tier_above=row.tier_above,
            rate_usd=row.rate,
            per_units=row.per,
            effective_from=row.effective_from,
            source=row.source,
        )
        for row in listed.rates
    )
    factors.objects.bulk_create(
        factors(
            batch_id=batch.pk,
            provider=row.provider,
            model=row.model,
            kind=row.kind,
            factor=row.factor,
            effective_from=row.effective_from,
            source=row.source,
        )
        for row in listed.multipliers
    )
    number: int = batch.pk
    return number
