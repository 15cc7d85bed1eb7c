"""Fills the arguments of a tool from what was said, by the slots of its contract. Pure.

A slot is found by its pattern, by the wording of a choice, after a cue, or among the entries that
a lookup lists; what is missing is asked for, one question at a time. Nothing is guessed: with two
candidates the question names both.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from agents.llm import matching
from agents.llm.entries import entries_of, offer, pick, replacement, value_of
from agents.llm.filling import Ask, Entry, Filling, Look, Quote


def fill(filling: Filling) -> Look | Ask | Quote | None:
    """Fill every required argument; returns what is missing first, None when nothing is."""
    for name in filling.spec.input_schema.get("required", ()):
        missing = _fill_one(filling, name)
        if missing is not None:
            return missing
    return None


def _fill_one(filling: Filling, name: str) -> Look | Ask | Quote | None:
    if name in filling.args:
        return None
    slot = filling.slots.get(name, {})
    if _is_customer(slot):
        filling.args[name] = filling.customer
        return None
    value = _plainly(filling, name, slot)
    if value is not None:
        filling.args[name] = value
        return None
    if slot.get("lookup"):
        return _looked_up(filling, name, slot)
    return Ask(text=slot.get("ask") or f"What is the {name.replace('_', ' ')}?")


def _is_customer(slot: Mapping[str, Any]) -> bool:
    """A slot that can neither be found nor asked for is filled by whoever was identified."""
    return not any(slot.get(key) for key in ("ask", "pattern", "cues", "choices", "lookup"))


def _plainly(filling: Filling, name: str, slot: Mapping[str, Any]) -> Any:
    """Return a value that stands in the words themselves; an answer to the question comes first."""
    for answer in filling.answers(slot):
        value = _in_text(filling, name, slot, answer)
        if value is not None:
            return value
        if _is_free(slot) and answer.strip():
            return answer.strip()[:200]
    if filling.rest and _is_free(slot) and not slot.get("cues"):
        value, filling.rest = filling.rest, ""
        return value
    for text in filling.texts():
        value = _in_text(filling, name, slot, text)
        if value is not None:
            return value
    return None


def _is_free(slot: Mapping[str, Any]) -> bool:
    return not any(slot.get(key) for key in ("pattern", "choices", "lookup"))


def _in_text(filling: Filling, name: str, slot: Mapping[str, Any], text: str) -> Any:
    if slot.get("ask") and not slot.get("many") and not slot.get("lookup"):
        line = matching.labelled(text, name.replace("_", " "))
        if line and (slot.get("pattern") or not slot.get("choices")):
            return line
    if slot.get("choices"):
        value = matching.choice(text, slot["choices"])
        if value is not None:
            return value
    if slot.get("pattern"):
        return _by_pattern(filling, name, slot, text)
    if slot.get("pairs_with"):
        partner = filling.slots.get(slot["pairs_with"], {})
        return _by_pattern(filling, name, {**slot, "pattern": partner.get("pattern", "")}, text)
    if slot.get("cues") and _is_free(slot):
        first, _, filling.rest = matching.after_cue(text, slot["cues"]).partition(" ")
        return _whole(filling, name, first) or None
    return None


def _whole(filling: Filling, name: str, first: str) -> str:
    """Keep the words together unless the next argument takes the rest of them."""
    required = list(filling.spec.input_schema.get("required", ()))
    after = required[required.index(name) + 1 :]
    following = filling.slots.get(after[0], {}) if after else {}
    if filling.rest and not (_is_free(following) and not following.get("cues")):
        first, filling.rest = f"{first} {filling.rest}", ""
    return first


def _by_pattern(filling: Filling, name: str, slot: Mapping[str, Any], text: str) -> Any:
    found = matching.matches(text, slot["pattern"]) if slot.get("pattern") else []
    found = _own_side(filling, name, slot, text, found)
    if not found:
        return None
    return found if slot.get("many") else found[0]


def _own_side(
    filling: Filling, name: str, slot: Mapping[str, Any], text: str, found: list[str]
) -> list[str]:
    """Of two lists that pair up, the second follows its cue: "exchange 1 and 2 for 3 and 4"."""
    pair = next((s for s in filling.slots.values() if s.get("pairs_with") == name), None)
    cues = slot.get("cues", ()) if slot.get("pairs_with") else (pair or {}).get("cues", ())
    if not cues or not found:
        return found
    at = [text.find(value) for value in found]
    cut = _cut(text, cues, at)
    if slot.get("pairs_with"):
        return [value for value, place in zip(found, at, strict=True) if 0 <= cut < place]
    return [value for value, place in zip(found, at, strict=True) if cut < 0 or place < cut]


def _cut(text: str, cues: Iterable[str], at: Sequence[int]) -> int:
    """Return where the cue stands that has ids on both of its sides, or -1."""
    for cue in cues:
        for match in re.finditer(rf"\b{re.escape(cue)}\b", text, re.IGNORECASE):
            if min(at) < match.start() < max(at):
                return match.start()
    return -1


# --- lookups


def _looked_up(filling: Filling, name: str, slot: Mapping[str, Any]) -> Look | Ask | Quote | None:
    if slot.get("pairs_with"):
        return _paired(filling, name, slot)
    entries = _entries(filling, slot, {})
    if not isinstance(entries, list):
        return entries
    picked = pick(filling, slot, entries)
    if not picked:
        return offer(slot, entries)
    filling.chosen[name] = picked
    values = [value_of(slot, entry) for entry in picked]
    filling.args[name] = values if slot.get("many") else values[0]
    return None


def _entries(
    filling: Filling, slot: Mapping[str, Any], of: Entry
) -> list[Entry] | Look | Ask | Quote:
    """Return what a lookup lists; `of` is the entry that "@slot.field" speaks of."""
    lookup = slot["lookup"]
    args: dict[str, Any] = {}
    for key, source in lookup["args"].items():
        value = _source(filling, source, of)
        if isinstance(value, Look | Ask | Quote):
            return value
        args[key] = value
    call = filling.history.look(lookup["tool"], args)
    if call is None:
        return Look(tool=lookup["tool"], args=args)
    if call.failed:
        return Quote(text=str(call.error.get("message", "")))
    return entries_of(lookup, call.result)


def _source(filling: Filling, source: str, of: Entry) -> Any:
    if source == "$customer":
        return filling.customer
    if source.startswith("@"):
        return of.get(source.partition(".")[2], "")
    if not source.startswith("$"):
        return source
    missing = _fill_one(filling, source[1:])
    return missing if missing is not None else filling.args[source[1:]]


def _paired(filling: Filling, name: str, slot: Mapping[str, Any]) -> Look | Ask | Quote | None:
    """Choose for each entry of the partner slot the one that replaces it."""
    missing = _know_partner(filling, slot["pairs_with"])
    if missing is not None:
        return missing
    values: list[str] = []
    for old in filling.chosen[slot["pairs_with"]]:
        entries = _entries(filling, slot, old)
        if not isinstance(entries, list):
            return entries
        wanted = replacement(filling, slot, old, entries)
        if wanted is None:
            return offer(
                slot, [e for e in entries if value_of(slot, e) != old.get("item_id")], of=old
            )
        values.append(value_of(slot, wanted))
    filling.args[name] = values
    return None


def _know_partner(filling: Filling, partner: str) -> Look | Ask | Quote | None:
    """Have the partner's entries at hand, even if its values were given as ids."""
    if partner in filling.chosen:
        return None
    slot = filling.slots[partner]
    entries = _entries(filling, slot, {})
    if not isinstance(entries, list):
        return entries
    wanted = filling.args.get(partner, [])
    by_value = {value_of(slot, entry): entry for entry in entries}
    if any(value not in by_value for value in wanted):
        return offer(slot, entries)
    filling.chosen[partner] = [by_value[value] for value in wanted]
    return None
