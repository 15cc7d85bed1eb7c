"""What the rules read, wherever it is kept: in tables, or in memory for proofs and tests."""

from typing import Final, Protocol

from agents.showcase.retail.refusals import refused
from agents.showcase.retail.state import Record, State
from agents.tools.contracts import Args, Image

ADDRESS_FIELDS: Final = ("address1", "address2", "city", "state", "country", "zip")
_COMMON: Final = ("user_id", "status", "items", "payment_history")

# The fields of an order that an approval is bound to, by tool; a change of any makes it stale.
ORDER_FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "cancel_pending_order": (*_COMMON, "cancel_reason"),
    "modify_pending_order_address": ("user_id", "status", "address"),
    "modify_pending_order_items": _COMMON,
    "modify_pending_order_payment": ("user_id", "status", "payment_history"),
    "return_delivered_order_items": (*_COMMON, "return_items", "return_payment_method_id"),
    "exchange_delivered_order_items": (
        *_COMMON,
        "exchange_items",
        "exchange_new_items",
        "exchange_payment_method_id",
        "exchange_price_difference",
    ),
}


class Shop(Protocol):
    """Reads records; None where there is none. What they return is never changed in place."""

    def order(self, order_id: str) -> Record | None: ...
    def user(self, user_id: str) -> Record | None: ...
    def product(self, product_id: str) -> Record | None: ...


class MemoryShop:
    """A shop in memory."""

    def __init__(self, state: State) -> None:
        self.state = state

    def order(self, order_id: str) -> Record | None:
        return self.state["orders"].get(order_id)

    def user(self, user_id: str) -> Record | None:
        return self.state["users"].get(user_id)

    def product(self, product_id: str) -> Record | None:
        return self.state["products"].get(product_id)

    def take(self, before: Image, after: Image) -> None:
        """Write the fields that differ; an image may hold less of the others than there is."""
        for kind, records in after.items():
            for key, new in records.items():
                record = changed_record(self.state[kind][key], before[kind][key], new)
                self.state[kind] = {**self.state[kind], key: record}


def changed_record(record: Record, before: Record, after: Record) -> Record:
    """Return a record with the fields set or dropped in which two images of it differ."""
    names = {*before, *after}
    differing = {name for name in names if before.get(name) != after.get(name)}
    kept = {name: value for name, value in record.items() if name not in differing}
    return {**kept, **{name: after[name] for name in differing if name in after}}


def order_of(shop: Shop, order_id: str, *, customer: str) -> Record:
    """Return an order of that customer; one of somebody else is as good as absent."""
    order = shop.order(order_id)
    if order is None or order["user_id"] != customer:
        raise refused("retail.order_not_found")
    return order


def user_of(shop: Shop, user_id: str, *, customer: str) -> Record:
    user = shop.user(user_id) if user_id == customer else None
    if user is None:
        raise refused("retail.user_not_found")
    return user


def before_image(tool: str, shop: Shop, args: Args, *, customer: str) -> Image:
    """Return what a call would change, and what its plan rests on, as the records are now."""
    if not customer:
        raise refused("retail.customer_unidentified")
    if tool == "modify_user_address":
        user = user_of(shop, args["user_id"], customer=customer)
        return {"users": {user["user_id"]: {"address": user["address"]}}}
    order = order_of(shop, args["order_id"], customer=customer)
    fields = ORDER_FIELDS[tool]
    image: Image = {"orders": {order["order_id"]: _picked(order, fields)}}
    user = user_of(shop, order["user_id"], customer=customer)
    if _money_moves(user, order, args):
        image["users"] = {user["user_id"]: {"payment_methods": user["payment_methods"]}}
    if "new_item_ids" in args:
        image["products"] = _variants(shop, order, args)
    return image


def _picked(record: Record, fields: tuple[str, ...]) -> Record:
    return {name: record[name] for name in fields if record.get(name) is not None}


def _money_moves(user: Record, order: Record, args: Args) -> bool:
    """Say whether the customer's payment methods decide anything, or may change.

    A cancelled order touches them only if a gift card gets its money back at once.
    """
    if "payment_method_id" in args:
        return True
    if "reason" not in args:
        return False
    used = {entry["payment_method_id"] for entry in order["payment_history"]}
    methods = user["payment_methods"]
    return any(methods[name]["source"] == "gift_card" for name in used if name in methods)


def _variants(shop: Shop, order: Record, args: Args) -> dict[str, Record]:
    """Return, of each product concerned, the variants that are asked for, with price and stock.

    In the order of their ids, because a reader may lock what it reads.
    """
    by_item = {item["item_id"]: item["product_id"] for item in order["items"]}
    asked: dict[str, set[str]] = {}
    for old, new in zip(args["item_ids"], args["new_item_ids"], strict=False):
        if old in by_item:
            asked.setdefault(by_item[old], set()).add(new)
    wanted: dict[str, Record] = {}
    for product_id, item_ids in sorted(asked.items()):
        product = shop.product(product_id)
        if product is not None:
            variants = product["variants"]
            found = {item_id: variants[item_id] for item_id in item_ids if item_id in variants}
            wanted[product_id] = {"name": product["name"], "variants": found}
    return wanted


def still_stands(record: Record, before: Record, after: Record) -> bool:
    """Say whether a record is as its before-image has it, and lacks what only the after-image has.

    The image may hold fewer variants of a product than the product has.
    """
    for name, value in before.items():
        held = record.get(name)
        if name == "variants" and isinstance(held, dict):
            held = {key: item for key, item in held.items() if key in value}
        if held != value:
            return False
    return all(record.get(name) is None for name in after if name not in before)
