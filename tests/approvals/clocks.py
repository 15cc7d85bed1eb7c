"""Clocks for tests: requirements with a ladder and a fallback, and looks at the timers."""

from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import pytest

from approvals import commands
from approvals.cards import Block, ProposalCard, Rung, Slot
from approvals.models import Timer
from approvals.policies import requirement as requirements
from audit.queries import events_of
from console.kernel import clock
from console.kernel.transactions import in_tenant
from tests.approvals.desk import pulse
from tests.approvals.policies.rules import rule, spoken
from tests.cast import Cast

CARE_THEN_FINANCE: Final[dict[str, Any]] = {
    "blocks": (Block(slots=(Slot(groups=("care",), n=1),)),),
    "ladder": (
        Rung(at="0.5", act="remind"),
        Rung(at="0.8", act="widen", groups=("finance",)),
    ),
}


def asking(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:
    """Let proposals of tier 1 ask something else from now on, in this test."""
    now = replace(requirements._DEFAULTS[1], **changes)
    held: Any = requirements._DEFAULTS
    monkeypatch.setitem(held, 1, now)


def ruled(cast: Cast, said: str, **parts: Any) -> None:
    """Have an active rule say what happens to writes of tier 1 that nobody decides."""
    spoken(cast, rule("clock", "hold", match={"tier": 1}, on_expiry=said, **parts))


def sweep(cast: Cast, at: datetime) -> int:
    """Let pulse look at the tenant's proposals at a moment."""
    with clock.frozen(at):
        return commands.settle_due(actor=pulse(cast))


def happened(cast: Cast, card: ProposalCard) -> list[str]:
    """Return what happened to a proposal, oldest first."""
    found = events_of(actor=cast.system, target_type="proposal", target_id=str(card.id))
    return [line.action for line in reversed(found)]


def due(cast: Cast, card: ProposalCard) -> dict[str, datetime]:
    """Return when which kinds of timer look at a proposal."""
    with in_tenant(cast.tenant_id, read_only=True):
        rows = Timer.objects.filter(proposal_id=card.id, done_at__isnull=True, due_at__isnull=False)
        return {row.kind: row.due_at for row in rows if row.due_at is not None}
