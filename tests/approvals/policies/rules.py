"""Policies for tests: rules, a call to try them on, and a version that two people agreed to."""

from datetime import UTC, datetime
from typing import Any

from approvals import commands, policies
from approvals.cards import PolicyVersionCard, Subject
from approvals.commands.versioning import ACTIVATE, RETIRE, SUBJECT
from console.kernel.ids import uuid7
from tests.approvals import desk
from tests.cast import Cast

FRIDAY = datetime(2026, 11, 20, 12, tzinfo=UTC)
FINANCE = {"all": [{"slots": [{"groups": ["finance"], "n": 1}]}]}


def rule(name: str, effect: str, **other: Any) -> dict[str, Any]:
    return {"id": name, "effect": effect, **other}


def body(*rules: dict[str, Any], name: str = "shop-writes") -> dict[str, Any]:
    return {"policy": name, "rules": list(rules)}


def when(path: str, op: str, *value: Any) -> dict[str, Any]:
    return {"path": path, "op": op, **({"value": value[0]} if value else {})}


def active(*rules: dict[str, Any], name: str = "shop-writes") -> policies.Active:
    return policies.Active(version=uuid7(), policy=policies.parse(body(*rules, name=name)))


def call(**other: Any) -> policies.Facts:
    values: dict[str, Any] = {
        "tool": "refund.create",
        "tier": 1,
        "agent": "refunds",
        "at": FRIDAY,
        "args": {"amount": "120.00", "order": "#W1"},
        "before": {"orders": {"#W1": {"total": 41800, "status": "pending"}}},
        "after": {"orders": {"#W1": {"total": 50160, "status": "pending"}}},
        "target": {"customer": "mia"},
        "actor": {"kind": "agent", "id": "refunds"},
        "verdicts": {},
    }
    return policies.Facts(**{**values, **other})


def said(*rules: dict[str, Any], sums: policies.Sums | None = None, **other: Any) -> Any:
    return policies.evaluate(call(**other), [active(*rules)], sums or {})


def carried_out(cast: Cast, version: PolicyVersionCard, tool: str = ACTIVATE) -> Any:
    """Have two people agree to a proposal about a version, and dispatch it; returns its id."""
    args = {"version": str(version.id), "digest": version.digest}
    parts: dict[str, Any] = {"tool": tool, "args": args, "before": {}, "after": {}}
    card = desk.opened(
        cast, tier=2, subject=Subject(kind=SUBJECT, id=version.id), chain=(), **parts
    )
    desk.approve(card, cast.ruth)
    desk.approve(card, cast.ines)
    desk.claim(cast, card, **parts)
    return card.id


def _unsampled(one: dict[str, Any]) -> dict[str, Any]:
    """Have nothing drawn of an allow unless a test says so: it would follow from random ids."""
    return {"sample": "0", **one} if one["effect"] == "allow" else one


def spoken(cast: Cast, *rules: dict[str, Any], name: str = "shop-writes") -> PolicyVersionCard:
    """Return a version of these rules that is active, because two people agreed."""
    version = commands.add_version(actor=cast.noor, body=body(*map(_unsampled, rules), name=name))
    proposal_id = carried_out(cast, version)
    return commands.activate_version(
        actor=cast.system, version_id=version.id, proposal_id=proposal_id
    )


def silenced(cast: Cast, version: PolicyVersionCard) -> PolicyVersionCard:
    proposal_id = carried_out(cast, version, RETIRE)
    return commands.retire_version(
        actor=cast.system, version_id=version.id, proposal_id=proposal_id
    )
