"""Fills the arguments of a tool from what was said, by the slots of its contract. Pure.

A slot is found by its pattern, by the wording of a choice, after a cue, or among the entries that
a lookup lists; what is missing is asked for, one question at a time. Nothing is guessed: with two
candidates the question names both.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from agents.llm import matching
from agents.llm.history import History, at_pointer
from agents.llm.ports import ToolSpec

MOST_OFFERED: Final = 12
ALL: Final = ("all", "everything", "both", "entire order", "whole order", "every item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A read that has to be made before the slot can be filled."""

    tool: str
    args: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question to the end user."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A read failed; its own words are what there is to say."""

    text: str


Entry = Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class Filling:
    """The arguments of one intended call, as far as they are known."""

    spec: ToolSpec
    text: str  # the part of the message that asks for it
    place: int  # of that message
    history: History
    customer: str
    floor: int = -1  # messages up to here belong to requests that are done
    args: dict[str, Any] = field(default_factory=dict)
    chosen: dict[str, list[Entry]] = field(default_factory=dict)
    named: bool = False  # some record was chosen by its name
    rest: str = ""  # of what followed the cue of the slot before

    @property
    def slots(self) -> Mapping[str, Mapping[str, Any]]:
        found: Mapping[str, Mapping[str, Any]] = self.spec.phrases.get("slots", {})
        return found

    def texts(self) -> list[str]:
        """Return where to look, best first: the request, what came after, what came before."""
        since = [said.text for said in reversed(self.history.said) if said.place > self.place]
        before = [
            said.text
            for said in reversed(self.history.said)
            if self.floor < said.place <= self.place
        ]
        return [self.text, *since, *before]

    def own_texts(self) -> list[str]:
        """Return the request and what came after it; other requests of the message are not ours."""
        since = [said.text for said in reversed(self.history.said) if said.place > self.place]
        return [self.text, *since]

    def answers(self, slot: Mapping[str, Any]) -> list[str]:
        """Return what was answered to the question of a slot since the request, newest first."""
        found = self.history.answers_to(slot.get("ask", ""))
        return [said.text for said in found if said.place > self.place]


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
    picked = _picked(filling, slot, entries)
    if not picked:
        return _offer(slot, entries)
    filling.chosen[name] = picked
    values = [_value(slot, entry) for entry in picked]
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
    return _listed(lookup, call.result)


def _source(filling: Filling, source: str, of: Entry) -> Any:
    if source == "$customer":
        return filling.customer
    if source.startswith("@"):
        return of.get(source.partition(".")[2], "")
    if not source.startswith("$"):
        return source
    missing = _fill_one(filling, source[1:])
    return missing if missing is not None else filling.args[source[1:]]


def _listed(lookup: Mapping[str, Any], result: Mapping[str, Any]) -> list[Entry]:
    found = at_pointer(result, lookup["entries"]) if lookup["entries"] else result
    rows = list(found.values()) if isinstance(found, Mapping) else list(found or [])
    entries = [row if isinstance(row, Mapping) else {"": row} for row in rows]
    return [entry for entry in entries if _fits(entry, lookup["only"])]


def _fits(entry: Entry, only: Mapping[str, str]) -> bool:
    return all(str(entry.get(key)).lower() == wanted.lower() for key, wanted in only.items())


def _value(slot: Mapping[str, Any], entry: Entry) -> str:
    return str(entry.get(slot["lookup"]["value"], ""))


def labels_of(slot: Mapping[str, Any], entry: Entry) -> list[str]:
    names = slot["lookup"]["labels"]
    return [word for name in names if name in entry for word in matching.words_of(entry[name])]


def _picked(filling: Filling, slot: Mapping[str, Any], entries: list[Entry]) -> list[Entry]:
    """Return the entries that the words name; none if they name none, or not clearly."""
    for text in [
        *filling.answers(slot),
        *(filling.own_texts() if slot.get("many") else filling.texts()),
    ]:
        found = _named(slot, entries, text)
        if found:
            filling.named = filling.named or bool(slot.get("many"))
            return found
    return entries if len(entries) == 1 else []


def _named(slot: Mapping[str, Any], entries: list[Entry], text: str) -> list[Entry]:
    many = bool(slot.get("many"))
    if many and any(matching.says(text, word) for word in ALL):
        return entries
    scored = [(matching.shared(text, labels_of(slot, entry)), entry) for entry in entries]
    named = [(score, entry) for score, entry in scored if score]
    if not named:
        return []
    if many:
        return _each_once(slot, named, text)
    best = max(score for score, _ in named)
    top = [entry for score, entry in named if score == best]
    return top if len(top) == 1 else []


def _each_once(slot: Mapping[str, Any], named: list[tuple[int, Entry]], text: str) -> list[Entry]:
    """Return the entries whose name was said; of two with one name, the best fitting one."""
    first = slot["lookup"]["labels"][0]
    picked: list[Entry] = []
    for name in dict.fromkeys(str(entry.get(first)) for _, entry in named):
        if not matching.says(text, name):
            continue  # only an option of it was said, for instance a colour
        group = [(score, entry) for score, entry in named if str(entry.get(first)) == name]
        best = max(score for score, _ in group)
        top = [entry for score, entry in group if score == best]
        if len({_value(slot, entry) for entry in top}) > 1:
            return []
        picked.append(top[0])  # the same thing twice is one answer
    return picked


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
        wanted = _replacement(filling, slot, old, entries)
        if wanted is None:
            return _offer(
                slot, [e for e in entries if _value(slot, e) != old.get("item_id")], of=old
            )
        values.append(_value(slot, wanted))
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
    by_value = {_value(slot, entry): entry for entry in entries}
    if any(value not in by_value for value in wanted):
        return _offer(slot, entries)
    filling.chosen[partner] = [by_value[value] for value in wanted]
    return None


def _replacement(
    filling: Filling, slot: Mapping[str, Any], old: Entry, entries: list[Entry]
) -> Entry | None:
    """Return the variant that differs from the old one in exactly what was said, or None."""
    options = slot["lookup"]["labels"][0]
    have: Mapping[str, Any] = old.get(options, {})
    for said in _wishes(filling, slot, old, entries):
        want = {**have, **said}
        exact = [entry for entry in entries if dict(entry.get(options, {})) == want]
        if exact:
            return exact[0]
        near = [e for e in entries if said.items() <= dict(e.get(options, {})).items()]
        return near[0] if len(near) == 1 else None
    return None


def _wishes(
    filling: Filling, slot: Mapping[str, Any], old: Entry, entries: list[Entry]
) -> Iterator[dict[str, Any]]:
    """Yield the options that were asked for, the surest reading first."""
    options = slot["lookup"]["labels"][0]
    have: Mapping[str, Any] = old.get(options, {})
    about = [_about(filling, old, text) for text in filling.own_texts()]
    wanted = [part for text in about for part in _wanted_in(text, slot.get("cues", ()))]
    for text in [*filling.answers(slot), *wanted]:
        said = _said_options(text, options, have, entries)
        if said:
            yield said


def _wanted_in(text: str, cues: Iterable[str]) -> list[str]:
    """Return what follows each cue; a text without any is taken as a whole."""
    found = [re.search(rf"\b{re.escape(cue)}\b", text, re.IGNORECASE) for cue in cues]
    after = [text[match.end() :] for match in found if match]
    return after or [text]


def _said_options(
    text: str, options: str, have: Mapping[str, Any], entries: list[Entry]
) -> dict[str, Any]:
    """Return the option values that the text names and that the old entry does not have."""
    return {
        key: value
        for entry in entries
        for key, value in entry.get(options, {}).items()
        if have.get(key) != value and matching.says(text, str(value))
    }


def _about(filling: Filling, old: Entry, text: str) -> str:
    """Return the part of a text that speaks of one entry: from its name to the name of the next."""
    names = [str(e.get("name", "")) for group in filling.chosen.values() for e in group]
    start = matching.place_of(text, str(old.get("name", "")))
    if start < 0:
        return text if len(set(names)) == 1 else ""
    places = [matching.place_of(text, name) for name in names]
    end = min((place for place in places if place > start), default=len(text))
    return text[start:end]


def _offer(slot: Mapping[str, Any], entries: list[Entry], *, of: Entry | None = None) -> Ask:
    """Ask, and name what there is to choose from."""
    lines = [_line(slot, entry) for entry in entries[:MOST_OFFERED]]
    about = f" ({of['name']})" if of and of.get("name") else ""
    more = "" if len(entries) <= MOST_OFFERED else f"\n... and {len(entries) - MOST_OFFERED} more"
    listed = "\n".join(f"- {line}" for line in lines)
    return Ask(text=f"{slot.get('ask', '')}{about}\n{listed}{more}".strip())


def _line(slot: Mapping[str, Any], entry: Entry) -> str:
    value = _value(slot, entry) or str(entry.get("", ""))
    labels = labels_of(slot, entry)
    return f"{', '.join(labels)} ({value})" if labels else value
