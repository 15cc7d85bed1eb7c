"""What never leaves: no argument, no target, no title, nothing that anybody wrote about them."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from approvals import commands
from approvals.models import Channel, Notice
from approvals.states import ChannelKind, CommentKind, DispatchState
from console.kernel import clock
from console.kernel.transactions import in_tenant
from tests.approvals.clocks import sweep
from tests.approvals.desk import (
    agent,
    approve,
    claim,
    content,
    facts,
    opened,
    reject,
)
from tests.approvals.post import MailServer, WebServer, post, queued
from tests.approvals.test_notices_sending import channel, mail, web
from tests.cast import Cast

__all__ = ["mail", "web"]  # fixtures

CANARY = "kestrel-9431"


def secret(number: int) -> dict[str, Any]:
    """Return a change that says it everywhere; each number is another call."""
    return {
        "args": {"order_id": CANARY, "reason": f"{CANARY} {number}"},
        "before": {"orders": {CANARY: {"status": CANARY}}},
        "after": {"orders": {CANARY: {"status": f"{CANARY} again"}}},
        "facts_": facts(title=f"Cancel {CANARY}", why=CANARY, undo=CANARY, tool_summary=CANARY),
    }


def moved(number: int) -> dict[str, Any]:
    """Return the same call on another target."""
    parts = {name: value for name, value in secret(number).items() if name != "facts_"}
    return {**parts, "before": {"orders": {CANARY: {"status": "other"}}}}


class TestCanary:
    """A26: what would change leaves nowhere, and nothing that anybody wrote about it."""

    @pytest.mark.usefixtures("mail")
    def test_no_outgoing_byte_holds_an_argument(
        self, cast: Cast, mail: MailServer, web: WebServer
    ) -> None:
        channel(cast, ChannelKind.WEBHOOK, web.url)
        channel(cast, ChannelKind.CHAT, web.chat)
        channel(cast, ChannelKind.EMAIL, "team@meridian.example")
        self._live_through_everything(cast)
        sent = 0
        at = clock.now() + timedelta(minutes=1)
        while more := post(cast, at):
            sent += more
        bodies = [call.body for call in web.calls] + [body for _to, body in mail.taken]
        assert sent == len(bodies)
        reasons = {row.reason for row in queued(cast) if row.state == "sent"}
        assert reasons >= {
            "opened",
            "reminded",
            "revised",
            "rejected",
            "approved",
            "executed",
            "expired",
            "withdrawn",
        }
        texts = [str(one["Subject"]) + one.get_content() + str(one) for _to, one in mail.letters()]
        for body in [*bodies, *(text.encode() for text in texts)]:
            assert CANARY.encode() not in body
            assert base64.b64encode(CANARY.encode())[:12] not in body
        for call in web.calls:
            assert CANARY not in json.dumps([call.path, call.headers, call.json])
        assert "refunds v14" in texts[0]
        self._assert_tables_hold_nothing(cast)

    def test_a_title_leaves_only_where_it_may(
        self, cast: Cast, mail: MailServer, web: WebServer
    ) -> None:
        made = channel(cast, ChannelKind.WEBHOOK, web.url)
        channel(cast, ChannelKind.WEBHOOK, f"{web.url}&other=1")
        commands.switch_channel(actor=cast.noor, channel_id=made.id, active=True, titles=True)
        commands.switch_own_mail(actor=cast.noor, active=True, titles=True)
        args = {"order_id": CANARY}
        opened(cast, args=args, facts_=facts(title="Cancel order #W2974929"))
        post(cast)
        titles = {call.path: call.json["data"].get("title") for call in web.calls}
        assert titles == {
            "/hook?token=t0ken": "Cancel order #W2974929",
            "/hook?token=t0ken&other=1": None,
        }
        text = mail.to(cast.email("ruth"))[0].get_content()
        assert "Cancel order #W2974929" in text
        assert CANARY not in text

    def _live_through_everything(self, cast: Cast) -> None:
        card = opened(cast, **secret(1))
        commands.ask(
            actor=cast.ruth,
            proposal_id=card.id,
            kind=CommentKind.QUESTION,
            text=CANARY,
            revision_no=1,
        )
        approve(card, cast.ruth)
        claim(cast, card, **moved(1))
        card = commands.refresh(actor=agent(cast), proposal_id=card.id, content=content(**moved(1)))
        approve(card, cast.ruth, note=CANARY)
        done = claim(cast, card, **moved(1))
        commands.report_outcome(
            actor=agent(cast),
            dispatch_id=done.dispatch_id,
            outcome=DispatchState.SUCCEEDED,
            after={"orders": {CANARY: {}}},
            evidence={"seen": CANARY},
        )
        reject(opened(cast, **secret(2)), cast.ines, note=CANARY, agent_message=CANARY)
        gone = opened(cast, tier=2, **{**secret(3), "facts_": facts(2, title=CANARY)})
        commands.withdraw(actor=cast.system, proposal_id=gone.id, cause=CANARY)
        late = opened(cast, **secret(4))
        sweep(cast, late.decide_by)
        waits = opened(cast, **secret(5))
        approve(waits, cast.ruth)
        claim(cast, waits, **moved(5))
        commands.refresh(actor=agent(cast), proposal_id=waits.id, content=content(**moved(5)))
        half = opened(cast, **secret(6))
        sweep(cast, half.opened_at + (half.decide_by - half.opened_at) / 2)

    def _assert_tables_hold_nothing(self, cast: Cast) -> None:
        with in_tenant(cast.tenant_id, read_only=True):
            kept = [*Notice.objects.values(), *Channel.objects.values()]
        assert CANARY not in repr(kept)
        assert "t0ken" not in repr(kept)
