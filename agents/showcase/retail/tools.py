"""The sixteen contracts of the shop. Importing this module registers them."""

from collections.abc import Callable
from typing import Any, Final

from agents.showcase.retail import arithmetic, commands, queries, rules, shapes
from agents.showcase.retail.refusals import refused
from agents.showcase.retail.wording import PHRASES
from agents.tools.contracts import (
    Args,
    Before,
    Effect,
    Idempotency,
    Image,
    Result,
    Tool,
    ToolContext,
    Trust,
    Undo,
    UndoKind,
)
from agents.tools.registry import add
from console.kernel.ids import uuid7

DOMAIN: Final = "retail"
_BACK: Final = Undo(kind=UndoKind.BEFORE_IMAGE)
_MONEY_MOVED: Final = Undo(
    kind=UndoKind.NONE, reason="money moves with it, and a refund cannot be taken back."
)


def _identified(ctx: ToolContext) -> str:
    """Return the customer of this conversation; nothing is told or done before there is one."""
    if not ctx.end_user:
        raise refused("retail.customer_unidentified")
    return ctx.end_user


def _only(ctx: ToolContext, user_id: str) -> Result:
    """Return a customer who was found; a conversation serves one customer only."""
    if ctx.end_user and ctx.end_user != user_id:
        raise refused("retail.other_customer")
    return {"user_id": user_id}


def _find_by_email(ctx: ToolContext, args: Args) -> Result:
    return _only(ctx, queries.user_id_by_email(actor=ctx.actor, email=args["email"]))


def _find_by_name_zip(ctx: ToolContext, args: Args) -> Result:
    return _only(
        ctx,
        queries.user_id_by_name_zip(
            actor=ctx.actor,
            first_name=args["first_name"],
            last_name=args["last_name"],
            zip_code=args["zip"],
        ),
    )


def _user(ctx: ToolContext, args: Args) -> Result:
    customer = _identified(ctx)
    return queries.user_details(actor=ctx.actor, user_id=args["user_id"], customer=customer)


def _order(ctx: ToolContext, args: Args) -> Result:
    customer = _identified(ctx)
    return queries.order_details(actor=ctx.actor, order_id=args["order_id"], customer=customer)


def _product(ctx: ToolContext, args: Args) -> Result:
    return queries.product_details(actor=ctx.actor, product_id=args["product_id"])


def _item(ctx: ToolContext, args: Args) -> Result:
    return queries.item_details(actor=ctx.actor, item_id=args["item_id"])


def _types(ctx: ToolContext, _args: Args) -> Result:
    types = queries.product_types(actor=ctx.actor)
    return {"products": [{"name": name, "product_id": key} for name, key in types.items()]}


def _calculate(_ctx: ToolContext, args: Args) -> Result:
    return {"value": arithmetic.calculate(args["expression"])}


def _transfer(_ctx: ToolContext, _args: Args) -> Result:
    return {"message": "Transfer successful"}


def _before(tool: str) -> Before:
    def read(ctx: ToolContext, args: Args, *, lock: bool = False) -> Image:
        return queries.before(
            actor=ctx.actor, tool=tool, args=args, customer=ctx.end_user, lock=lock
        )

    return read


def _applied(kind: str) -> Callable[[ToolContext, Image, Image], Result]:
    """Return the effect of a write whose result is the changed record of that kind."""

    def apply(ctx: ToolContext, before: Image, after: Image) -> Result:
        records = commands.apply_change(
            actor=ctx.actor, change_id=ctx.call_id or uuid7(), before=before, after=after
        )
        (found,) = records[kind].values()
        return found

    return apply


def _add(name: str, **contract: Any) -> None:
    add(Tool(name=name, domain=DOMAIN, phrases=PHRASES[name], **contract))


def _read(name: str, **contract: Any) -> None:
    _add(name, effect=Effect.READ, tier=0, idempotency=Idempotency.TRANSACTIONAL, **contract)


def _write(name: str, *, kind: str = "orders", **contract: Any) -> None:
    _add(
        name,
        effect=Effect.WRITE,
        idempotency=Idempotency.TRANSACTIONAL,
        before=_before(name),
        apply=_applied(kind),
        output_schema=shapes.ORDER if kind == "orders" else shapes.USER,
        redact=("/address",),
        output_trust=Trust.UNTRUSTED,
        **contract,
    )


_read(
    "find_user_id_by_email",
    title="Find a customer by e-mail",
    summary="Find the id of the customer who writes, by e-mail address. Try this first.",
    headline="Find the customer with {email}",
    scopes=("customers:identify",),
    touches=("users",),
    input_schema=shapes.closed({"email": shapes.EMAIL}),
    output_schema=shapes.closed({"user_id": shapes.USER_ID}),
    evidence=("/user_id",),
    redact=("/email",),
    resolves="customer",
    resolves_at="/user_id",
    run=_find_by_email,
)
_read(
    "find_user_id_by_name_zip",
    title="Find a customer by name and zip code",
    summary=(
        "Find the id of the customer who writes, by first name, last name and zip code. "
        "Only if the e-mail address is not known or not found."
    ),
    headline="Find {first_name} {last_name} in {zip}",
    scopes=("customers:identify",),
    touches=("users",),
    input_schema=shapes.closed(
        {
            "first_name": shapes.text("The first name of the customer."),
            "last_name": shapes.text("The last name of the customer."),
            "zip": shapes.ZIP,
        }
    ),
    output_schema=shapes.closed({"user_id": shapes.USER_ID}),
    evidence=("/user_id",),
    resolves="customer",
    resolves_at="/user_id",
    run=_find_by_name_zip,
)
_read(
    "get_user_details",
    title="Look at a customer",
    summary="Get the profile of the identified customer: address, payment methods, order ids.",
    headline="Look at the profile of {user_id}",
    scopes=("customers:read",),
    touches=("users",),
    input_schema=shapes.closed({"user_id": shapes.USER_ID}),
    output_schema=shapes.USER,
    evidence=("/user_id", "/orders", "/payment_methods"),
    redact=("/address", "/email"),
    output_trust=Trust.UNTRUSTED,
    run=_user,
)
_read(
    "get_order_details",
    title="Look at an order",
    summary="Get the status and details of an order of the identified customer.",
    headline="Look at order {order_id}",
    scopes=("orders:read",),
    touches=("orders",),
    input_schema=shapes.closed({"order_id": shapes.ORDER_ID}),
    output_schema=shapes.ORDER,
    evidence=("/order_id", "/status", "/items", "/payment_history"),
    redact=("/address",),
    output_trust=Trust.UNTRUSTED,
    run=_order,
)
_read(
    "get_product_details",
    title="Look at a product",
    summary="Get the variants of a product with their options, prices and availability.",
    headline="Look at product {product_id}",
    scopes=("products:read",),
    touches=("products",),
    input_schema=shapes.closed({"product_id": shapes.PRODUCT_ID}),
    output_schema=shapes.PRODUCT,
    evidence=("/product_id", "/variants"),
    run=_product,
)
_read(
    "get_item_details",
    title="Look at an item",
    summary="Get options, price and availability of one variant of a product.",
    headline="Look at item {item_id}",
    scopes=("products:read",),
    touches=("products",),
    input_schema=shapes.closed({"item_id": shapes.ITEM_ID}),
    output_schema=shapes.VARIANT,
    evidence=("/item_id", "/price", "/available"),
    run=_item,
)
_read(
    "list_all_product_types",
    title="List the product types",
    summary="List the names and ids of all product types, by name.",
    headline="List the product types",
    scopes=("products:read",),
    touches=("products",),
    input_schema=shapes.closed({}),
    output_schema=shapes.closed(
        {
            "products": {
                "type": "array",
                "items": shapes.closed(
                    {"name": {"type": "string"}, "product_id": {"type": "string"}}
                ),
            }
        }
    ),
    evidence=("/products",),
    run=_types,
)
_add(
    "calculate",
    title="Calculate",
    summary="Calculate an expression of numbers, + - * / and parentheses, to two places.",
    headline="Calculate {expression}",
    effect=Effect.GENERIC,
    tier=0,
    idempotency=Idempotency.TRANSACTIONAL,
    input_schema=shapes.closed(
        {"expression": shapes.text("The expression, such as '2 + 2'.", longest=200)}
    ),
    output_schema=shapes.closed({"value": {"type": "string"}}),
    evidence=("/value",),
    run=_calculate,
)
_add(
    "transfer_to_human_agents",
    title="Hand over to a person",
    summary=(
        "Hand the conversation to a person, with a summary. Only if the customer asks for it, "
        "or if neither the policy nor the tools can solve the matter."
    ),
    headline="Hand over to a person: {summary}",
    effect=Effect.GENERIC,
    tier=0,
    idempotency=Idempotency.TRANSACTIONAL,
    input_schema=shapes.closed(
        {"summary": shapes.text("What the customer wants, in short.", longest=2000)}
    ),
    output_schema=shapes.closed({"message": {"type": "string"}}),
    hands_off=True,
    run=_transfer,
)
_write(
    "modify_user_address",
    kind="users",
    title="Change a customer's address",
    summary="Change the default address of the identified customer.",
    headline="Change the address of {user_id} to {address1}, {address2}, {city}, {state} {zip}",
    tier=1,
    scopes=("customers:write",),
    touches=("users",),
    input_schema=shapes.closed({"user_id": shapes.USER_ID, **shapes.ADDRESS_ARGS}),
    undo=_BACK,
    evidence=("/user_id", "/address"),
    plan=rules.plan_user_address,
)
_write(
    "modify_pending_order_address",
    title="Change the address of a pending order",
    summary="Change where a pending order is sent.",
    headline="Send order {order_id} to {address1}, {address2}, {city}, {state} {zip}",
    tier=1,
    scopes=("orders:write",),
    touches=("orders",),
    input_schema=shapes.closed({"order_id": shapes.ORDER_ID, **shapes.ADDRESS_ARGS}),
    undo=_BACK,
    evidence=("/order_id", "/address"),
    plan=rules.plan_order_address,
)
_write(
    "return_delivered_order_items",
    title="Return items of a delivered order",
    summary=(
        "Request the return of items of a delivered order. The refund goes to the method that "
        "paid, or to a gift card of the customer. Once per order."
    ),
    headline="Return items {item_ids} of order {order_id}, refund to {payment_method_id}",
    tier=1,
    scopes=("orders:write",),
    touches=("orders",),
    input_schema=shapes.closed(
        {
            "order_id": shapes.ORDER_ID,
            "item_ids": shapes.ITEM_IDS,
            "payment_method_id": shapes.METHOD_ID,
        }
    ),
    undo=_BACK,
    evidence=("/order_id", "/status", "/return_items"),
    plan=rules.plan_return,
)
_ITEM_CHANGE: Final = shapes.closed(
    {
        "order_id": shapes.ORDER_ID,
        "item_ids": shapes.ITEM_IDS,
        "new_item_ids": shapes.NEW_ITEM_IDS,
        "payment_method_id": shapes.METHOD_ID,
    }
)
_write(
    "exchange_delivered_order_items",
    title="Exchange items of a delivered order",
    summary=(
        "Request the exchange of items of a delivered order for available variants of the same "
        "products. The difference is settled with a payment method of the customer. Once per order."
    ),
    headline="Exchange {item_ids} of order {order_id} for {new_item_ids}, via {payment_method_id}",
    tier=1,
    scopes=("orders:write",),
    touches=("orders",),
    input_schema=_ITEM_CHANGE,
    undo=_BACK,
    evidence=("/order_id", "/status", "/exchange_items", "/exchange_price_difference"),
    plan=rules.plan_exchange,
)
_write(
    "cancel_pending_order",
    title="Cancel a pending order",
    summary=(
        "Cancel a pending order and refund it. A gift card is credited at once, other methods "
        "within 5 to 7 business days."
    ),
    headline="Cancel order {order_id}: {reason}",
    tier=2,
    scopes=("orders:write", "payments:write"),
    touches=("orders", "users"),
    input_schema=shapes.closed({"order_id": shapes.ORDER_ID, "reason": shapes.REASON}),
    undo=_MONEY_MOVED,
    evidence=("/order_id", "/status", "/payment_history"),
    plan=rules.plan_cancel,
)
_write(
    "modify_pending_order_items",
    title="Change items of a pending order",
    summary=(
        "Change items of a pending order to available variants of the same products. Once per "
        "order, and afterwards it can be neither cancelled nor changed again."
    ),
    headline="Change {item_ids} of order {order_id} to {new_item_ids}, via {payment_method_id}",
    tier=2,
    scopes=("orders:write", "payments:write"),
    touches=("orders", "users"),
    input_schema=_ITEM_CHANGE,
    undo=_MONEY_MOVED,
    evidence=("/order_id", "/status", "/items", "/payment_history"),
    plan=rules.plan_items,
)
_write(
    "modify_pending_order_payment",
    title="Change the payment of a pending order",
    summary="Pay a pending order with another payment method of the customer's profile.",
    headline="Pay order {order_id} with {payment_method_id}",
    tier=2,
    scopes=("orders:write", "payments:write"),
    touches=("orders", "users"),
    input_schema=shapes.closed(
        {"order_id": shapes.ORDER_ID, "payment_method_id": shapes.METHOD_ID}
    ),
    undo=_MONEY_MOVED,
    evidence=("/order_id", "/payment_history"),
    plan=rules.plan_payment,
)
