"""Reading the shop, always for one customer; somebody else's record is as good as absent."""

from collections.abc import Mapping
from typing import Any

from django.db import connection, models

from agents.showcase.retail import state
from agents.showcase.retail.models import Customer, Order, Product
from agents.showcase.retail.refusals import refused
from agents.showcase.retail.shop import before_image, order_of, user_of
from agents.showcase.retail.state import Record
from agents.tools.contracts import Args, Image
from console.kernel.actors import Actor
from console.kernel.transactions import query

TABLES: Mapping[str, tuple[type[Any], str]] = {
    "orders": (Order, "order_id"),
    "products": (Product, "product_id"),
    "users": (Customer, "user_id"),
}


class TableShop:
    """The shop's tables as the rules read them, within the transaction that is open.

    With `lock` each row that is read stays locked until that transaction ends. The rules read
    orders, then customers, then products by id; every caller locks in that order, so none waits
    in a circle.
    """

    def __init__(self, *, lock: bool = False) -> None:
        self._lock = lock

    def order(self, order_id: str) -> Record | None:
        return self.read("orders", order_id)

    def user(self, user_id: str) -> Record | None:
        return self.read("users", user_id)

    def product(self, product_id: str) -> Record | None:
        return self.read("products", product_id)

    def read(self, kind: str, key: str) -> Record | None:
        model, name = TABLES[kind]
        rows = model.objects.filter(**{name: key})
        row = (rows.select_for_update(no_key=True) if self._lock else rows).first()
        return row.record if row else None


@query
def before(*, actor: Actor, tool: str, args: Args, customer: str, lock: bool = False) -> Image:
    """Return the before-image of one call; `lock` needs the transaction of a command."""
    _ = actor
    return before_image(tool, TableShop(lock=lock), args, customer=customer)


@query
def order_details(*, actor: Actor, order_id: str, customer: str) -> Record:
    _ = actor
    return order_of(TableShop(), order_id, customer=customer)


@query
def user_details(*, actor: Actor, user_id: str, customer: str) -> Record:
    _ = actor
    return user_of(TableShop(), user_id, customer=customer)


@query
def product_details(*, actor: Actor, product_id: str) -> Record:
    _ = actor
    product = TableShop().product(product_id)
    if product is None:
        raise refused("retail.product_not_found")
    return product


@query
def item_details(*, actor: Actor, item_id: str) -> Record:
    _ = actor
    row = Product.objects.filter(variants__has_key=item_id).order_by("product_id").first()
    if row is None:
        raise refused("retail.item_not_found")
    found: Record = row.variants[item_id]
    return found


@query
def product_types(*, actor: Actor) -> dict[str, str]:
    """Return the ids of all product types by name."""
    _ = actor
    return dict(Product.objects.order_by("name").values_list("name", "product_id"))


@query
def user_id_by_email(*, actor: Actor, email: str) -> str:
    _ = actor
    return _the_one(Customer.objects.filter(email__iexact=email))


@query
def user_id_by_name_zip(*, actor: Actor, first_name: str, last_name: str, zip_code: str) -> str:
    _ = actor
    rows = Customer.objects.filter(
        zip=zip_code, first_name__iexact=first_name, last_name__iexact=last_name
    )
    return _the_one(rows)


@query
def is_seeded(*, actor: Actor) -> bool:
    _ = actor
    return Product.objects.exists()


@query
def row_marks(*, actor: Actor) -> dict[str, dict[str, int]]:
    """Return, by kind and id, the transaction that wrote each row: PostgreSQL's own change mark."""
    _ = actor
    marks: dict[str, dict[str, int]] = {}
    with connection.cursor() as cursor:
        for kind, (model, name) in TABLES.items():
            table = model._meta.db_table  # noqa: SLF001 - Django's own public name for it
            cursor.execute(f"SELECT {name}, xmin::text::bigint FROM {table}")  # noqa: S608
            marks[kind] = dict(cursor.fetchall())
    return marks


@query
def fragments(
    *, actor: Actor, keys: Mapping[str, list[str]] | None = None
) -> dict[str, dict[str, bytes]]:
    """Return the canonical text of records, by kind and id; of all of them without `keys`."""
    _ = actor
    found: dict[str, dict[str, bytes]] = {}
    for kind, (model, name) in TABLES.items():
        rows = model.objects.all()
        if keys is not None:
            rows = rows.filter(**{f"{name}__in": keys.get(kind, [])}) if keys.get(kind) else ()
        found[kind] = {
            getattr(row, name): state.fragment(getattr(row, name), row.record) for row in rows
        }
    return found


@query
def state_digest(*, actor: Actor) -> str:
    """Return `state_sha256` of the whole shop of the actor's tenant, read anew."""
    return state.digest(
        {kind: list(found.items()) for kind, found in fragments(actor=actor).items()}
    )


def _the_one(rows: "models.QuerySet[Customer]") -> str:
    """Return the one customer that fits; two who fit are as unknown as none."""
    found = list(rows.order_by("user_id").values_list("user_id", flat=True)[:2])
    if len(found) != 1:
        raise refused("retail.user_not_found")
    return found[0]
