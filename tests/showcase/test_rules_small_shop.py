"""The rules one by one, in a shop with a single order: refusals, images, money."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.showcase.retail import images, money, shop
from agents.showcase.retail.refusals import SENTENCES, refused
from agents.tools import registry
from agents.tools.errors import ToolRefused
from tests.showcase.test_rules import FUZZ, planned


def an_order(**changes: Any) -> dict[str, Any]:
    """Return a small shop's only order, pending and paid with a card."""
    order: dict[str, Any] = {
        "order_id": "#W1000001",
        "user_id": "ann_lee_1",
        "status": "pending",
        "address": dict.fromkeys(shop.ADDRESS_FIELDS, "x"),
        "items": [
            item("1000000001", "100.00"),
            item("1000000001", "100.00"),
            item("1000000002", "50.50"),
        ],
        "fulfillments": [],
        "payment_history": [payment("250.50", "credit_card_1000001")],
    }
    return {**order, **changes}


def item(item_id: str, price: str) -> dict[str, Any]:
    return {
        "name": "Lamp",
        "product_id": "2000000001",
        "item_id": item_id,
        "price": price,
        "options": {"colour": item_id[-1]},
    }


def payment(amount: str, method: str, kind: str = "payment") -> dict[str, str]:
    return {"transaction_type": kind, "amount": amount, "payment_method_id": method}


def variant(item_id: str, price: str, *, available: bool = True) -> dict[str, Any]:
    return {
        "item_id": item_id,
        "options": {"colour": item_id[-1]},
        "available": available,
        "price": price,
    }


def small_shop(order: Mapping[str, Any], *, balance: str = "20.00") -> shop.MemoryShop:
    variants = [
        variant("1000000001", "100.00"),
        variant("1000000002", "50.50"),
        variant("1000000003", "110.25"),
        variant("1000000004", "1.00", available=False),
    ]
    methods = [
        {"source": "credit_card", "id": "credit_card_1000001", "brand": "visa", "last_four": "1"},
        {"source": "paypal", "id": "paypal_1000001"},
        {"source": "gift_card", "id": "gift_card_1000001", "balance": balance},
    ]
    user = {
        "user_id": "ann_lee_1",
        "name": {"first_name": "Ann", "last_name": "Lee"},
        "address": dict.fromkeys(shop.ADDRESS_FIELDS, "x"),
        "email": "ann@example.com",
        "payment_methods": {method["id"]: method for method in methods},
        "orders": ["#W1000001"],
    }
    product = {
        "name": "Lamp",
        "product_id": "2000000001",
        "variants": {one["item_id"]: one for one in variants},
    }
    return shop.MemoryShop(
        {
            "orders": {"#W1000001": dict(order)},
            "users": {"ann_lee_1": user},
            "products": {"2000000001": product},
        }
    )


def outcome(name: str, order: Mapping[str, Any], balance: str = "20.00", **args: Any) -> Any:
    """Return the rule that refuses, or the changes in cents."""
    held = small_shop(order, balance=balance)
    tool = registry.get(name)
    args = {"order_id": "#W1000001", **args}
    try:
        return images.changes(*planned(tool, held, args, "ann_lee_1"))
    except ToolRefused as refusal:
        return refusal.rule


CARD, PAYPAL, GIFT = "credit_card_1000001", "paypal_1000001", "gift_card_1000001"
LAMP, SMALL, BRIGHT, GONE = "1000000001", "1000000002", "1000000003", "1000000004"


def change(old: list[str], new: list[str], method: str = PAYPAL) -> dict[str, Any]:
    return {"item_ids": old, "new_item_ids": new, "payment_method_id": method}


class TestRefusals:
    @pytest.mark.parametrize(
        ("name", "order", "args", "rule"),
        [
            (
                "cancel_pending_order",
                an_order(status=status),
                {"reason": "no longer needed"},
                "retail.not_cancellable",
            )
            for status in ("processed", "delivered", "cancelled", "pending (item modified)")
        ]
        + [
            ("modify_pending_order_items", an_order(), args, rule)
            for args, rule in (
                (change([LAMP], [LAMP]), "retail.same_item"),
                (change([LAMP], [GONE]), "retail.variant_unavailable"),
                (change([LAMP], ["9999999999"]), "retail.variant_unavailable"),
                (change([BRIGHT], [LAMP]), "retail.item_not_in_order"),
                (change([LAMP] * 3, [BRIGHT] * 3), "retail.item_not_in_order"),
                (change([LAMP], [BRIGHT] * 2), "retail.items_unmatched"),
                (change([LAMP], [BRIGHT], "paypal_9999999"), "retail.payment_method_not_found"),
                (change([LAMP] * 2, [BRIGHT] * 2, GIFT), "retail.gift_card_item"),
            )
        ]
        + [
            (
                "modify_pending_order_items",
                an_order(status="pending (item modified)"),
                change([LAMP], [BRIGHT]),
                "retail.not_modifiable",
            ),
            (
                "modify_pending_order_payment",
                an_order(),
                {"payment_method_id": CARD},
                "retail.payment_method_unchanged",
            ),
            (
                "modify_pending_order_payment",
                an_order(),
                {"payment_method_id": GIFT},
                "retail.gift_card_order",
            ),
            (
                "modify_pending_order_payment",
                an_order(status="delivered"),
                {"payment_method_id": PAYPAL},
                "retail.not_modifiable",
            ),
            (
                "modify_pending_order_payment",
                an_order(payment_history=[payment("1.00", CARD), payment("1.00", CARD, "refund")]),
                {"payment_method_id": PAYPAL},
                "retail.payment_not_single",
            ),
            (
                "return_delivered_order_items",
                an_order(),
                {"item_ids": [LAMP], "payment_method_id": CARD},
                "retail.not_returnable",
            ),
            (
                "return_delivered_order_items",
                an_order(status="delivered"),
                {"item_ids": [LAMP], "payment_method_id": PAYPAL},
                "retail.payment_method_not_original",
            ),
            (
                "return_delivered_order_items",
                an_order(status="delivered"),
                {"item_ids": [BRIGHT], "payment_method_id": CARD},
                "retail.item_not_in_order",
            ),
            (
                "exchange_delivered_order_items",
                an_order(),
                change([LAMP], [BRIGHT]),
                "retail.not_exchangeable",
            ),
            (
                "exchange_delivered_order_items",
                an_order(status="delivered"),
                change([LAMP] * 2, [BRIGHT] * 2, GIFT),
                "retail.gift_card_difference",
            ),
        ],
    )
    def test_names_the_rule(
        self, name: str, order: Mapping[str, Any], args: Mapping[str, Any], rule: str
    ) -> None:
        assert outcome(name, order, **args) == rule

    def test_says_what_to_do_next_in_every_sentence(self) -> None:
        for rule, sentence in SENTENCES.items():
            assert refused(rule).message == sentence
            assert sentence.endswith(".")
            assert ";" in sentence or "," in sentence


class TestImages:
    def test_leaves_a_customer_out_of_a_cancellation_that_credits_no_gift_card(self) -> None:
        args = {"order_id": "#W1000001", "reason": "no longer needed"}

        by_card = shop.before_image(
            "cancel_pending_order", small_shop(an_order()), args, customer="ann_lee_1"
        )
        by_gift = shop.before_image(
            "cancel_pending_order",
            small_shop(an_order(payment_history=[payment("250.50", GIFT)])),
            args,
            customer="ann_lee_1",
        )

        assert set(by_card) == {"orders"}
        assert set(by_gift) == {"orders", "users"}

    def test_binds_the_price_and_stock_of_the_new_variant(self) -> None:
        image = shop.before_image(
            "modify_pending_order_items",
            small_shop(an_order()),
            {"order_id": "#W1000001", **change([LAMP], [BRIGHT])},
            customer="ann_lee_1",
        )

        assert image["products"]["2000000001"]["variants"] == {BRIGHT: variant(BRIGHT, "110.25")}

    @pytest.mark.parametrize("customer", ["", "bob_ray_2"])
    def test_shows_nothing_to_somebody_else(self, customer: str) -> None:
        with pytest.raises(ToolRefused) as caught:
            shop.before_image(
                "cancel_pending_order",
                small_shop(an_order()),
                {"order_id": "#W1000001", "reason": "no longer needed"},
                customer=customer,
            )

        assert caught.value.rule in {"retail.customer_unidentified", "retail.order_not_found"}

    def test_replaces_each_of_two_equal_items_once(self) -> None:
        found = outcome(
            "modify_pending_order_items", an_order(), **change([LAMP, LAMP], [BRIGHT, SMALL])
        )

        after = found["orders"]["#W1000001"]["after"]
        assert [one["item_id"] for one in after["items"]] == [BRIGHT, SMALL, SMALL]
        assert [one["price"] for one in after["items"]] == [11025, 5050, 5050]
        assert after["payment_history"][-1]["amount"] == 3925
        assert after["payment_history"][-1]["transaction_type"] == "refund"

    def test_credits_a_gift_card_at_once(self) -> None:
        found = outcome(
            "cancel_pending_order",
            an_order(payment_history=[payment("250.50", GIFT)]),
            reason="ordered by mistake",
        )

        methods = found["users"]["ann_lee_1"]["after"]["payment_methods"]
        assert methods[GIFT]["balance"] == 27050


class TestMoney:
    @FUZZ
    @given(st.integers(-(10**12), 10**12))
    def test_goes_there_and_back(self, amount: int) -> None:
        assert money.cents(money.dollars(amount)) == amount

    @pytest.mark.parametrize(
        "text", ["1", "1.0", "1.000", "1,00", "1e2", "", "1.00\n", "NaN", "١.٠٠"]
    )
    def test_takes_two_places_only(self, text: str) -> None:
        with pytest.raises(ValueError, match="two places"):
            money.cents(text)
