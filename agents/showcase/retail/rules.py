"""The shop's rules: what each write makes of the records it was given. Pure; no clock, no database.

Every plan takes the before-image and the arguments and returns the after-image: the same records
with other values. What is refused, and in which order, follows the data set's README.
"""

from typing import Any

from agents.showcase.retail import money
from agents.showcase.retail.refusals import refused
from agents.showcase.retail.shop import ADDRESS_FIELDS
from agents.showcase.retail.state import Record
from agents.tools.contracts import Args, Image

REASONS = ("no longer needed", "ordered by mistake")


def plan_user_address(before: Image, args: Args) -> Image:
    return _with(before, "users", args["user_id"], address=_address(args))


def plan_order_address(before: Image, args: Args) -> Image:
    """Any status that contains "pending" will do, so also one whose items were modified."""
    _require_pending_in_any_form(_order(before, args))
    return _with(before, "orders", args["order_id"], address=_address(args))


def plan_cancel(before: Image, args: Args) -> Image:
    """One refund entry for each payment entry; a gift card is credited at once."""
    order = _order(before, args)
    if order["status"] != "pending":
        raise refused("retail.not_cancellable")
    if args["reason"] not in REASONS:
        raise refused("retail.reason_not_allowed")
    after = _with(
        before,
        "orders",
        args["order_id"],
        status="cancelled",
        cancel_reason=args["reason"],
        payment_history=[
            *order["payment_history"],
            *({**entry, "transaction_type": "refund"} for entry in order["payment_history"]),
        ],
    )
    for entry in order["payment_history"]:
        after = _credited(after, order, entry["payment_method_id"], money.cents(entry["amount"]))
    return after


def plan_items(before: Image, args: Args) -> Image:
    """Each item takes price and options of its own variant; one entry settles it, 0 as refund."""
    order = _order(before, args)
    if order["status"] != "pending":
        raise refused("retail.not_modifiable")
    items, difference = _replaced(before, order, args, may_repeat=False)
    method = _method(before, order, args)
    if _balance(method) is not None and _balance_of(method) < difference:
        raise refused("retail.gift_card_item")
    entry = _entry("payment" if difference > 0 else "refund", abs(difference), method["id"])
    after = _with(
        before,
        "orders",
        args["order_id"],
        items=items,
        status="pending (item modified)",
        payment_history=[*order["payment_history"], entry],
    )
    return _credited(after, order, method["id"], -difference)


def plan_payment(before: Image, args: Args) -> Image:
    order = _order(before, args)
    _require_pending_in_any_form(order)
    history = order["payment_history"]
    if len(history) != 1 or history[0]["transaction_type"] != "payment":
        raise refused("retail.payment_not_single")
    method = _method(before, order, args)
    old = history[0]["payment_method_id"]
    if method["id"] == old:
        raise refused("retail.payment_method_unchanged")
    total = money.cents(history[0]["amount"])
    if _balance(method) is not None and _balance_of(method) < total:
        raise refused("retail.gift_card_order")
    entries = [_entry("payment", total, method["id"]), _entry("refund", total, old)]
    after = _with(before, "orders", args["order_id"], payment_history=[*history, *entries])
    return _credited(_credited(after, order, method["id"], -total), order, old, total)


def plan_return(before: Image, args: Args) -> Image:
    """Nothing is refunded yet: the goods come back first."""
    order = _order(before, args)
    if order["status"] != "delivered":
        raise refused("retail.not_returnable")
    method = _method(before, order, args)
    first = order["payment_history"][0]["payment_method_id"]
    if method["source"] != "gift_card" and method["id"] != first:
        raise refused("retail.payment_method_not_original")
    _require_in_order(order, args["item_ids"])
    return _with(
        before,
        "orders",
        args["order_id"],
        status="return requested",
        return_items=sorted(args["item_ids"]),
        return_payment_method_id=method["id"],
    )


def plan_exchange(before: Image, args: Args) -> Image:
    """Nothing is charged yet, but a gift card has to cover the difference already."""
    order = _order(before, args)
    if order["status"] != "delivered":
        raise refused("retail.not_exchangeable")
    _, difference = _replaced(before, order, args, may_repeat=True)
    method = _method(before, order, args)
    if _balance(method) is not None and _balance_of(method) < difference:
        raise refused("retail.gift_card_difference")
    return _with(
        before,
        "orders",
        args["order_id"],
        status="exchange requested",
        exchange_items=sorted(args["item_ids"]),
        exchange_new_items=sorted(args["new_item_ids"]),
        exchange_payment_method_id=method["id"],
        exchange_price_difference=money.dollars(difference),
    )


def _order(before: Image, args: Args) -> Record:
    return before["orders"][args["order_id"]]


def _with(image: Image, kind: str, key: str, **values: Any) -> Image:
    """Return the image with some fields of one record replaced; nothing is changed in place."""
    return {**image, kind: {**image[kind], key: {**image[kind][key], **values}}}


def _address(args: Args) -> Record:
    return {name: args[name] for name in ADDRESS_FIELDS}


def _entry(kind: str, amount: int, method_id: str) -> Record:
    return {
        "transaction_type": kind,
        "amount": money.dollars(amount),
        "payment_method_id": method_id,
    }


def _require_pending_in_any_form(order: Record) -> None:
    if "pending" not in order["status"]:
        raise refused("retail.not_modifiable")


def _require_in_order(order: Record, item_ids: list[str]) -> None:
    """Refuse items that the order does not have, or has less often than they are named."""
    held = [item["item_id"] for item in order["items"]]
    if any(item_ids.count(item_id) > held.count(item_id) for item_id in item_ids):
        raise refused("retail.item_not_in_order")


def _replaced(
    before: Image, order: Record, args: Args, *, may_repeat: bool
) -> tuple[list[Record], int]:
    """Return the items with the new variants in place of the old, and the difference in cents."""
    _require_in_order(order, args["item_ids"])
    if len(args["item_ids"]) != len(args["new_item_ids"]):
        raise refused("retail.items_unmatched")
    items: list[Record] = list(order["items"])
    left = list(range(len(items)))  # each place is replaced once, even if an item is there twice
    difference = 0
    for old, new in zip(args["item_ids"], args["new_item_ids"], strict=True):
        if old == new and not may_repeat:
            raise refused("retail.same_item")
        place = next(index for index in left if order["items"][index]["item_id"] == old)
        left.remove(place)
        variant = _available(before, items[place]["product_id"], new)
        difference += money.cents(variant["price"]) - money.cents(items[place]["price"])
        items[place] = {
            **items[place],
            "item_id": new,
            "price": variant["price"],
            "options": variant["options"],
        }
    return items, difference


def _available(before: Image, product_id: str, item_id: str) -> Record:
    variants = before["products"].get(product_id, {}).get("variants", {})
    variant: Record | None = variants.get(item_id)
    if variant is None or not variant["available"]:
        raise refused("retail.variant_unavailable")
    return variant


def _method(before: Image, order: Record, args: Args) -> Record:
    methods = before["users"][order["user_id"]]["payment_methods"]
    found: Record | None = methods.get(args["payment_method_id"])
    if found is None:
        raise refused("retail.payment_method_not_found")
    return found


def _balance(method: Record) -> str | None:
    """Return the balance of a gift card; None for every other method, which has no limit here."""
    return method["balance"] if method["source"] == "gift_card" else None


def _balance_of(method: Record) -> int:
    return money.cents(method["balance"])


def _credited(image: Image, order: Record, method_id: str, amount: int) -> Image:
    """Return the image with a gift card credited; other methods settle outside the shop."""
    user = image.get("users", {}).get(order["user_id"])
    method = user["payment_methods"].get(method_id) if user else None
    if user is None or method is None or method["source"] != "gift_card":
        return image
    credited = {**method, "balance": money.dollars(_balance_of(method) + amount)}
    methods = {**user["payment_methods"], method_id: credited}
    return _with(image, "users", order["user_id"], payment_methods=methods)
