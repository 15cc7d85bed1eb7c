"""A shop with its agent, and a customer of it: where the reviewers' work comes from."""

import re
from uuid import UUID

from agents.runtime.commands import register_agent, register_agent_version
from agents.showcase.retail import commands as shop
from agents.showcase.retail import queries as shelves
from agents.tools import registry
from console.widget import commands as widget
from console.widget.cards import WidgetKeyCard
from tests.cast import Cast
from tests.journeys.people import Customer

ORDER = "#W2974929"
CUSTOMER = "fatima_anderson_2157"
WISH = f"Please cancel order {ORDER}, I ordered it by mistake."
WHO = "My e-mail is fatima.anderson1447@example.com."


def open_shop(cast: Cast) -> WidgetKeyCard:
    """Open a shop whose page embeds its agent."""
    shop.seed_shop(actor=cast.system)
    register_agent(
        actor=cast.system, slug="support", title="Meridian support", owner=UUID(cast.noor.id)
    )
    register_agent_version(
        actor=cast.system,
        agent="support",
        prompt="Help the customers of the shop.",
        tools=[tool.name for tool in registry.every(domain="retail")],
        model_policy={"provider": "rules", "model": "rules"},
    )
    return widget.create_key(
        actor=cast.noor, title="Shop help", agent="support", origins="http://localhost:*"
    )


def ask(cast: Cast, customer: Customer, shop_url: str) -> None:
    """The customer asks and agrees; nothing happens to the order yet."""
    customer.opens_the_chat(shop_url)
    customer.says(f"{WISH} {WHO}").reads(re.compile("confirm", re.IGNORECASE)).agrees()
    customer.reads("agreed to by 2 people of our team")
    assert status_of(cast) == "pending"


def status_of(cast: Cast) -> str:
    order = shelves.order_details(actor=cast.system, order_id=ORDER, customer=CUSTOMER)
    return str(order["status"])
