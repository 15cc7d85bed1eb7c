"""What the shop refuses; each sentence begins with the words of the benchmark it comes from."""

from typing import Final

from agents.tools.errors import ToolRefused

SENTENCES: Final[dict[str, str]] = {
    "retail.user_not_found": (
        "User not found; ask for the e-mail address, or for first name, last name and zip code."
    ),
    "retail.customer_unidentified": (
        "The customer is not identified yet; find the user id by e-mail address, "
        "or by name and zip code, first."
    ),
    "retail.other_customer": (
        "Another customer is being helped in this conversation; "
        "ask for a new conversation for the other one."
    ),
    "retail.order_not_found": "Order not found; ask the customer to check the order id.",
    "retail.product_not_found": "Product not found; list the product types to see their ids.",
    "retail.item_not_found": "Item not found; look at the variants of its product.",
    "retail.not_cancellable": (
        "Non-pending order cannot be cancelled; a delivered one may be returned instead."
    ),
    "retail.reason_not_allowed": (
        "Invalid reason; it is either 'no longer needed' or 'ordered by mistake'."
    ),
    "retail.not_modifiable": (
        "Non-pending order cannot be modified; tell the customer its status instead."
    ),
    "retail.not_exchangeable": (
        "Non-delivered order cannot be exchanged; a pending one may have its items modified."
    ),
    "retail.not_returnable": (
        "Non-delivered order cannot be returned; a pending one may be cancelled."
    ),
    "retail.item_not_in_order": "Some item not found in the order; look at the order's items.",
    "retail.items_unmatched": (
        "The number of items to be exchanged should match; give one new item for each old one."
    ),
    "retail.same_item": (
        "The new item id should be different from the old item id; choose another variant."
    ),
    "retail.variant_unavailable": (
        "New item not found or available; choose an available variant of the same product."
    ),
    "retail.payment_method_not_found": (
        "Payment method not found; use one that is in the customer's profile."
    ),
    "retail.payment_not_single": (
        "There should be exactly one payment for a pending order; hand the matter to a person."
    ),
    "retail.payment_method_unchanged": (
        "The new payment method should be different from the current one; choose another."
    ),
    "retail.payment_method_not_original": (
        "Payment method should be the original payment method or a gift card; choose one of them."
    ),
    "retail.gift_card_order": (
        "Insufficient gift card balance to pay for the order; choose another payment method."
    ),
    "retail.gift_card_item": (
        "Insufficient gift card balance to pay for the new item; choose another payment method."
    ),
    "retail.gift_card_difference": (
        "Insufficient gift card balance to pay for the price difference; "
        "choose another payment method."
    ),
    "retail.not_arithmetic": (
        "The expression cannot be calculated; use numbers, + - * / and parentheses only."
    ),
}


def refused(rule: str) -> ToolRefused:
    return ToolRefused(rule, SENTENCES[rule])
