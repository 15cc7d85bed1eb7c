"""JSON Schemas of what goes into the shop's tools and what comes out of them."""

from typing import Any, Final

from agents.showcase.retail import money
from agents.showcase.retail.rules import REASONS
from agents.showcase.retail.shop import ADDRESS_FIELDS

Schema = dict[str, Any]

# Python's "$" also matches before a final newline, which must not slip through.
END: Final = r"(?!\n)$"
# No control characters: nothing that is stored may rearrange or hide what a reviewer reads.
_PLAIN: Final = r"^[^\u0000-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]*" + END


def text(description: str, *, longest: int = 120, least: int = 1) -> Schema:
    return {
        "type": "string",
        "minLength": least,
        "maxLength": longest,
        "pattern": _PLAIN,
        "description": description,
    }


def _id(description: str, pattern: str) -> Schema:
    return {"type": "string", "maxLength": 64, "pattern": pattern, "description": description}


def closed(properties: Schema, *, optional: tuple[str, ...] = ()) -> Schema:
    """Return an object that takes these names and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


def _list(item: Schema, *, longest: int, least: int = 0) -> Schema:
    return {"type": "array", "items": item, "minItems": least, "maxItems": longest}


USER_ID: Final = _id("The user id, such as 'sara_doe_496'.", r"^[a-z0-9_]{3,64}" + END)
ORDER_ID: Final = _id(
    "The order id, such as '#W0000000', with the '#' in front.", r"^#[A-Z]?[0-9]{5,10}" + END
)
PRODUCT_ID: Final = _id("The product id; not the id of an item.", r"^[0-9]{6,12}" + END)
ITEM_ID: Final = _id("The item id; not the id of a product.", r"^[0-9]{6,12}" + END)
METHOD_ID: Final = _id(
    "The id of a payment method in the customer's profile, such as 'credit_card_0000000'.",
    r"^[a-z_]{2,30}_[0-9]{4,12}" + END,
)
EMAIL: Final = _id("The e-mail address of the customer.", r"^[^@\s]{1,64}@[^@\s]{1,180}" + END) | {
    "maxLength": 254
}
ZIP: Final = _id("The zip code, such as '12345'.", r"^[0-9A-Za-z -]{3,12}" + END)
REASON: Final = {
    "type": "string",
    "enum": list(REASONS),
    "description": "Why the customer cancels.",
}
ITEM_IDS: Final = _list(ITEM_ID, least=1, longest=50) | {
    "description": "The ids of the items; an item that is there twice may be named twice."
}
NEW_ITEM_IDS: Final = _list(ITEM_ID, least=1, longest=50) | {
    "description": "The ids of the new items, each in the place of the item that it replaces."
}
_ADDRESS_WORDS: Final = {
    "address1": "The first line of the address, such as '123 Main St'.",
    "address2": "The second line of the address, such as 'Apt 1', or ''.",
    "city": "The city, such as 'San Francisco'.",
    "state": "The state, such as 'CA'.",
    "country": "The country, such as 'USA'.",
}
ADDRESS_ARGS: Final[Schema] = {
    **{
        name: text(words, least=0 if name == "address2" else 1)
        for name, words in _ADDRESS_WORDS.items()
    },
    "zip": ZIP,
}

_TEXT: Final = {"type": "string"}
_MONEY: Final = {"type": "string", "pattern": money.PATTERN + END, "description": "US dollars."}
_OPTIONS: Final = {"type": "object", "additionalProperties": _TEXT}
_ADDRESS: Final = closed(dict.fromkeys(ADDRESS_FIELDS, _TEXT))
_ORDERED: Final = closed(
    {
        "name": _TEXT,
        "product_id": _TEXT,
        "item_id": _TEXT,
        "price": _MONEY,
        "options": _OPTIONS,
    }
)
_PAYMENT: Final = closed(
    {
        "transaction_type": {"enum": ["payment", "refund"]},
        "amount": _MONEY,
        "payment_method_id": _TEXT,
    }
)
_FULFILLMENT: Final = closed(
    {
        "tracking_id": {"type": "array", "items": _TEXT},
        "item_ids": {"type": "array", "items": _TEXT},
    }
)
_TEXTS: Final = {"type": "array", "items": _TEXT}
STATUSES: Final = (
    "pending",
    "pending (item modified)",
    "processed",
    "delivered",
    "cancelled",
    "exchange requested",
    "return requested",
)
_LATER: Final[Schema] = {  # what an order has only after a change
    "cancel_reason": _TEXT,
    "exchange_items": _TEXTS,
    "exchange_new_items": _TEXTS,
    "exchange_payment_method_id": _TEXT,
    "exchange_price_difference": _MONEY,
    "return_items": _TEXTS,
    "return_payment_method_id": _TEXT,
}
ORDER: Final = closed(
    {
        "order_id": _TEXT,
        "user_id": _TEXT,
        "address": _ADDRESS,
        "items": {"type": "array", "items": _ORDERED},
        "status": {"enum": list(STATUSES)},
        "fulfillments": {"type": "array", "items": _FULFILLMENT},
        "payment_history": {"type": "array", "items": _PAYMENT},
        **_LATER,
    },
    optional=tuple(_LATER),
)
_METHOD: Final = closed(
    {
        "source": {"enum": ["credit_card", "gift_card", "paypal"]},
        "id": _TEXT,
        "brand": _TEXT,
        "last_four": _TEXT,
        "balance": _MONEY,
    },
    optional=("brand", "last_four", "balance"),
)
USER: Final = closed(
    {
        "user_id": _TEXT,
        "name": closed({"first_name": _TEXT, "last_name": _TEXT}),
        "address": _ADDRESS,
        "email": _TEXT,
        "payment_methods": {"type": "object", "additionalProperties": _METHOD},
        "orders": _TEXTS,
    }
)
VARIANT: Final = closed(
    {"item_id": _TEXT, "options": _OPTIONS, "available": {"type": "boolean"}, "price": _MONEY}
)
PRODUCT: Final = closed(
    {
        "name": _TEXT,
        "product_id": _TEXT,
        "variants": {"type": "object", "additionalProperties": VARIANT},
    }
)
