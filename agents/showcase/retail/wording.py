"""The words by which customers ask for the shop's tools, and questions for what is missing.

Ordinary words of a shop; nothing here was taken from recorded conversations or test data.
"""

from collections.abc import Mapping
from typing import Final

from agents.tools.phrases import Lookup, Phrases, Slot

_ORDER: Final = Slot(
    ask="Which order is it? Please give its number, which begins with #W.",
    pattern=r"#W[0-9]{7}\b",
    cues=("order",),
    lookup=Lookup(
        tool="get_user_details",
        args={"user_id": "$customer"},
        entries="/orders",
        value="",
        labels=(),
    ),
)
_REASON: Final = Slot(
    ask="Why do you want to cancel it: is it no longer needed, or was it ordered by mistake?",
    choices={
        "no longer needed": (
            "no longer needed",
            "no longer need",
            "not needed",
            "don't need",
            "do not need",
            "no longer want",
            "don't want",
            "changed my mind",
        ),
        "ordered by mistake": (
            "ordered by mistake",
            "by mistake",
            "by accident",
            "accidentally",
            "wrong order",
            "mistakenly",
        ),
    },
)
_ITEMS: Final = Slot(
    ask="Which items of the order are meant?",
    pattern=r"\b[0-9]{10}\b",
    many=True,
    lookup=Lookup(
        tool="get_order_details",
        args={"order_id": "$order_id"},
        entries="/items",
        value="item_id",
        labels=("name", "options"),
    ),
)
_NEW_ITEMS: Final = Slot(
    ask="Which variant would you like instead? Please name the options that should differ.",
    cues=("to", "for", "into", "with"),
    many=True,
    pairs_with="item_ids",
    lookup=Lookup(
        tool="get_product_details",
        args={"product_id": "@item_ids.product_id"},
        entries="/variants",
        value="item_id",
        labels=("options",),
        only={"available": "true"},
    ),
)
_METHOD: Final = Slot(
    ask="Which payment method of your profile should be used?",
    pattern=r"\b(?:gift_card|credit_card|paypal)_[0-9]{7}\b",
    cues=("via", "with", "using", "to", "on"),
    lookup=Lookup(
        tool="get_user_details",
        args={"user_id": "$customer"},
        entries="/payment_methods",
        value="id",
        labels=("source", "brand", "last_four"),
    ),
)
_CUSTOMER: Final = Slot(ask="", cues=())  # filled by whoever was identified
_ADDRESS: Final[Mapping[str, Slot]] = {
    "address1": Slot(
        ask="What is the street and number of the new address?",
        pattern=r"\b[0-9]{1,6} [A-Z][\w.']*(?: [A-Z][\w.']*){0,4}",
    ),
    "address2": Slot(
        ask="Is there a second line, such as a suite or apartment? Say 'none' if there is not.",
        pattern=r"\b(?:Suite|Apt|Apartment|Unit|Floor)\.? [\w-]+",
        choices={"": ("none", "no second line")},
    ),
    "city": Slot(ask="Which city is it?", cues=("city", "in")),
    "state": Slot(ask="Which state is it? Two letters are enough.", pattern=r"\b[A-Z]{2}\b"),
    "country": Slot(
        ask="Which country is it?",
        choices={"USA": ("usa", "u.s.a.", "united states", "us")},
    ),
    "zip": Slot(ask="What is the zip code?", pattern=r"\b[0-9]{5}\b", cues=("zip", "zip code")),
}

_CHANGE: Final = ("change", "modify", "update", "correct", "edit")

PHRASES: Final[Mapping[str, Phrases]] = {
    "cancel_pending_order": Phrases(
        verbs=("cancel", "call off", "stop", "withdraw"),
        nouns=("order", "purchase"),
        examples=("Cancel my order, I ordered it by mistake.",),
        slots={"order_id": _ORDER, "reason": _REASON},
        done=(
            "Order {order_id} is cancelled. A gift card is credited at once; "
            "other payments are refunded within 5 to 7 business days."
        ),
    ),
    "modify_pending_order_items": Phrases(
        verbs=(*_CHANGE, "swap", "replace"),
        nouns=("item", "items", "colour", "color", "size", "option", "variant"),
        examples=("Change the size of the shirt in my pending order.",),
        slots={
            "order_id": _ORDER,
            "item_ids": _ITEMS,
            "new_item_ids": _NEW_ITEMS,
            "payment_method_id": _METHOD,
        },
        done="The items of order {order_id} are changed. It cannot be changed a second time.",
    ),
    "modify_pending_order_payment": Phrases(
        verbs=(*_CHANGE, "switch", "pay"),
        nouns=("payment", "payment method", "card", "paypal", "gift card"),
        examples=("Pay my pending order with another card.",),
        slots={"order_id": _ORDER, "payment_method_id": _METHOD},
        done="Order {order_id} is now paid with {payment_method_id}.",
    ),
    "modify_pending_order_address": Phrases(
        verbs=(*_CHANGE, "ship", "send", "deliver", "redirect"),
        nouns=("address", "shipping address", "delivery address"),
        examples=("Send my pending order to another address.",),
        slots={"order_id": _ORDER, **_ADDRESS},
        done="Order {order_id} goes to {address1}, {city}.",
    ),
    "modify_user_address": Phrases(
        verbs=(*_CHANGE, "move"),
        nouns=("my address", "default address", "profile", "account address"),
        examples=("I moved; change the address of my account.",),
        slots={"user_id": _CUSTOMER, **_ADDRESS},
        done="The address of your account is now {address1}, {city}.",
    ),
    "return_delivered_order_items": Phrases(
        verbs=("return", "send back", "give back", "bring back"),
        nouns=("item", "items", "order"),
        examples=("I want to return the lamp of a delivered order.",),
        slots={"order_id": _ORDER, "item_ids": _ITEMS, "payment_method_id": _METHOD},
        done="The return for order {order_id} is requested. An e-mail says how to send the items.",
    ),
    "exchange_delivered_order_items": Phrases(
        verbs=("exchange", "swap", "trade", "replace"),
        nouns=("item", "items"),
        examples=("Exchange the lamp of a delivered order for a brighter one.",),
        slots={
            "order_id": _ORDER,
            "item_ids": _ITEMS,
            "new_item_ids": _NEW_ITEMS,
            "payment_method_id": _METHOD,
        },
        done="The exchange for order {order_id} is requested. An e-mail says how to send items.",
    ),
    "find_user_id_by_email": Phrases(
        nouns=("e-mail", "email"),
        slots={
            "email": Slot(
                ask="What is the e-mail address of your account?",
                pattern=r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
            )
        },
    ),
    "find_user_id_by_name_zip": Phrases(
        nouns=("name", "zip"),
        slots={
            "first_name": Slot(ask="What is your first name?", cues=("name is", "i am", "i'm")),
            "last_name": Slot(ask="What is your last name?"),
            "zip": _ADDRESS["zip"],
        },
    ),
    "get_user_details": Phrases(
        verbs=("show", "tell", "see", "look up", "list"),
        nouns=("my profile", "my account", "my orders", "payment methods"),
        slots={"user_id": _CUSTOMER},
    ),
    "get_order_details": Phrases(
        verbs=("show", "track", "check", "look up", "see", "where", "status of", "state of"),
        nouns=("order", "order status", "status"),
        slots={"order_id": _ORDER},
    ),
    "get_product_details": Phrases(
        verbs=("show", "see", "look up", "tell"),
        nouns=("product", "variants", "options"),
        slots={
            "product_id": Slot(
                ask="Which product is it?",
                pattern=r"\b[0-9]{10}\b",
                lookup=Lookup(
                    tool="list_all_product_types",
                    args={},
                    entries="/products",
                    value="product_id",
                    labels=("name",),
                ),
            )
        },
    ),
    "get_item_details": Phrases(
        verbs=("show", "see", "check"),
        nouns=("item", "price", "availability"),
        slots={"item_id": Slot(ask="Which item is it?", pattern=r"\b[0-9]{10}\b")},
    ),
    "list_all_product_types": Phrases(
        verbs=("list", "show", "see"), nouns=("products", "product types", "catalogue", "catalog")
    ),
    "calculate": Phrases(
        verbs=("calculate", "compute", "add up"),
        nouns=("sum", "total"),
        slots={"expression": Slot(ask="What should be calculated?", pattern=r"[-+*/(). 0-9]{3,}")},
    ),
    "transfer_to_human_agents": Phrases(
        verbs=("talk", "speak", "transfer", "connect", "escalate"),
        nouns=("human", "person", "agent", "representative", "somebody", "someone"),
        examples=("I want to talk to a person.",),
        slots={"summary": Slot(ask="In one sentence, what is it about?")},
        done="You are being connected to a person; please stay in this chat.",
    ),
}
