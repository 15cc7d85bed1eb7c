"""The first steps through the demo, and which of them somebody did."""

from datetime import datetime

from django.urls import reverse

from approvals import queries as approvals
from audit import queries as audit
from audit.search import Search
from console.kernel.actors import Actor
from console.shell.cards import Step


def steps(actor: Actor) -> tuple[Step, ...]:
    """Return the first steps; each is done when somebody did it, whoever it was.

    Where no agent is registered there is no shop to walk through.
    """
    if _done(actor, "agent.registered") is None:
        return ()
    wanted = (
        (
            _done(actor, "message.received"),
            "Chat in the demo shop",
            "Ask there to cancel an order, as a customer would.",
            "/demo/shop/",
            "Open the shop",
            "",
        ),
        (
            approvals.runs_voted_at(actor=actor),  # the demo's rules were voted on before
            "Vote on a waiting change",
            "It needs two people: sign in as Ruth, then as Ines.",
            reverse("approvals:queue"),
            "Open the queue",
            "approvals.view",
        ),
        (
            _done(actor, "switch.engaged"),
            "Stop the agent",
            "One step and a reason; the next message is refused. Sign in as Omar.",
            reverse("controls:board"),
            "Open the board",
            "controls.engage",
        ),
        (
            _done(actor, "audit.viewed"),
            "Verify an audit entry",
            "Its page proves it up to a signed checkpoint. Sign in as Noor.",
            reverse("audit:explorer"),
            "Open the trail",
            "audit.view",
        ),
    )
    return tuple(
        Step(
            title=title,
            text=text,
            href=href if not permission or actor.has(permission) else "",
            link=link,
            done_at=done_at,
        )
        for done_at, title, text, href, link, permission in wanted
    )


def _done(actor: Actor, action: str) -> datetime | None:
    page = audit.entries(actor=actor, search=Search.of(f"action:{action}"), limit=1)
    return page.entries[0].received_at if page.entries else None
