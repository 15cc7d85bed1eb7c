"""Reading what a rule that holds asks for: whose agreement, by when, and what happens without."""

from decimal import Decimal
from typing import Final

from approvals.cards import Block, Rung, Slot
from approvals.policies.language import Require
from approvals.policies.nodes import Members, Node
from approvals.states import OnExpiry

HOLDS: Final = frozenset(
    {"require", "decide", "execute", "on_expiry", "ladder", "batch", "standing"}
)


def require(rule: Members) -> Require:
    """Return what the members of a rule ask for."""
    words = {"all", "blind", "stepup_s", "deny_threshold"}
    parts = rule["require"].members(words, set()) if "require" in rule else {}
    return Require(
        blocks=tuple(map(_block, parts["all"].items(8))) if "all" in parts else (),
        blind=parts["blind"].flag() if "blind" in parts else None,
        stepup_s=parts["stepup_s"].whole(0, 3600) if "stepup_s" in parts else None,
        deny_threshold=parts["deny_threshold"].whole(1, 10) if "deny_threshold" in parts else None,
        decide_s=rule["decide"].duration() if "decide" in rule else None,
        execute_s=rule["execute"].duration() if "execute" in rule else None,
        on_expiry=rule["on_expiry"].word(OnExpiry) if "on_expiry" in rule else None,
        ladder=_ladder(rule["ladder"]) if "ladder" in rule else (),
        batch_most=rule["batch"].whole(0, 25) if "batch" in rule else None,
        standing=rule["standing"].flag() if "standing" in rule else None,
    )


def _block(node: Node) -> Block:
    parts = node.members({"slots", "any", "spread"}, set())
    if len(parts) != 1:
        raise node.fault("a block is one of slots, any or spread")
    if "spread" in parts:
        return Block(spread=parts["spread"].whole(1, 10))
    if "slots" in parts:
        return Block(slots=_slots(parts["slots"]))
    lists = [one.members({"slots"}, {"slots"})["slots"] for one in parts["any"].items(8)]
    return Block(any_of=tuple(map(_slots, lists)))


def _slots(node: Node) -> tuple[Slot, ...]:
    return tuple(map(_slot, node.items(8)))


def _slot(node: Node) -> Slot:
    parts = node.members({"groups", "n"}, {"groups"})
    groups = tuple(one.group() for one in parts["groups"].items(20))
    return Slot(groups=groups, n=parts["n"].whole(1, 10) if "n" in parts else 1)


def _ladder(node: Node) -> tuple[Rung, ...]:
    found = tuple(map(_rung, node.items(8)))
    return tuple(sorted(found, key=lambda rung: (Decimal(rung.at), rung.act)))


def _rung(node: Node) -> Rung:
    parts = node.members({"at", "remind", "widen"}, {"at"})
    at = parts["at"].share()
    if at in ("0", "1"):
        raise parts["at"].fault("this has to lie between 0 and 1")
    if ("remind" in parts) == ("widen" in parts):
        raise node.fault("a rung either reminds or widens")
    if "widen" in parts:
        groups = tuple(one.group() for one in parts["widen"].items(20))
        return Rung(at=at, act="widen", groups=groups)
    if not parts["remind"].flag():
        raise parts["remind"].fault("this has to be true, or left out")
    return Rung(at=at, act="remind")
