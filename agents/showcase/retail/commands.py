"""Writing the shop: filling it, and applying a change that was planned on exactly these records."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from agents.showcase.retail import state
from agents.showcase.retail.events import ShopChanged, ShopRestored, ShopSeeded
from agents.showcase.retail.models import Customer, Order, Product
from agents.showcase.retail.queries import TABLES, TableShop
from agents.showcase.retail.shop import changed_record, still_stands
from agents.showcase.retail.state import Record
from agents.tools.contracts import Image
from agents.tools.errors import Drifted
from audit.commands import record
from console.kernel.actors import Actor
from console.kernel.transactions import command

# The order in which rows are locked, everywhere.
LOCK_ORDER = ("orders", "users", "products")


@command
def seed_shop(*, actor: Actor) -> str:
    """Fill the tenant's shop from the data set if it is empty; returns the digest of that state."""
    digest = state.digest_of(state.initial())
    if Product.objects.exists():
        return digest
    for kind, (model, _) in TABLES.items():
        model.objects.bulk_create(
            [
                model(tenant_id=actor.tenant_id, **model.values(item))
                for item in state.initial()[kind].values()
            ],
            batch_size=500,
        )
    record(
        ShopSeeded(
            digest=digest,
            products=Product.objects.count(),
            customers=Customer.objects.count(),
            orders=Order.objects.count(),
        ),
        actor=actor,
    )
    return digest


@command
def apply_change(*, actor: Actor, change_id: UUID, before: Image, after: Image) -> Image:
    """Write what differs between two images, if every record still is as the first one has it.

    Returns the whole records as they are afterwards, those that did not change included.

    Raises:
        Drifted: a record is another one by now; nothing was written.
    """
    shop = TableShop(lock=True)
    held = {place: _held(shop, place, before, after) for place in _places(before)}
    records: Image = {}
    written: dict[tuple[str, str], set[str]] = {}
    for (kind, key), old in held.items():
        new = changed_record(old, before[kind][key], after[kind][key])
        records.setdefault(kind, {})[key] = new
        if new != old:
            _write(kind, key, new)
            written[kind, key] = {name for name in {*new, *old} if new.get(name) != old.get(name)}
    record(
        ShopChanged(
            change_id=change_id,
            records=tuple(f"{kind} {key}" for kind, key in written),
            fields=tuple(sorted(set().union(*written.values()))),
        ),
        actor=actor,
    )
    return records


def _held(shop: TableShop, place: tuple[str, str], before: Image, after: Image) -> Record:
    """Lock and return a record, if it still is as it was when the change was planned."""
    kind, key = place
    held = shop.read(kind, key)
    if held is None or not still_stands(held, before[kind][key], after[kind][key]):
        raise Drifted(
            f"{key} was changed since this was planned; look at it again and make a new plan.",
            kind=kind,
            id=key,
        )
    return held


@command
def restore_initial(*, actor: Actor, keys: dict[str, list[str]]) -> None:
    """Put records of a rehearsal shop back to the data set, whatever they are now."""
    named = [(kind, key) for kind in LOCK_ORDER for key in sorted(keys.get(kind, []))]
    if not named:
        return
    for kind, key in named:
        _write(kind, key, state.initial()[kind][key])
    record(
        ShopRestored(count=len(named), records=tuple(f"{kind} {key}" for kind, key in named)),
        actor=actor,
    )


def _places(image: Image) -> Iterator[tuple[str, str]]:
    for kind in LOCK_ORDER:
        for key in sorted(image.get(kind, {})):
            yield kind, key


def _write(kind: str, key: str, new: Record) -> None:
    model, name = TABLES[kind]
    row: Any = model.objects.select_for_update(no_key=True).get(**{name: key})
    for field, value in model.values(new).items():
        setattr(row, field, value)
    row.version += 1
    row.save()
