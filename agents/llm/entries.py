"""The entries that a lookup lists: which of them the words name, and how they are offered. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from agents.llm import matching
from agents.llm.filling import Ask, Entry, Filling
from agents.llm.history import at_pointer

MOST_OFFERED: Final = 12
ALL: Final = ("all", "everything", "both", "entire order", "whole order", "every item")


def entries_of(lookup: Mapping[str, Any], result: Mapping[str, Any]) -> list[Entry]:
    found = at_pointer(result, lookup["entries"]) if lookup["entries"] else result
    rows = list(found.values()) if isinstance(found, Mapping) else list(found or [])
    entries = [row if isinstance(row, Mapping) else {"": row} for row in rows]
    return [entry for entry in entries if _fits(entry, lookup["only"])]


def _fits(entry: Entry, only: Mapping[str, str]) -> bool:
    return all(str(entry.get(key)).lower() == wanted.lower() for key, wanted in only.items())


def value_of(slot: Mapping[str, Any], entry: Entry) -> str:
    return str(entry.get(slot["lookup"]["value"], ""))


def labels_of(slot: Mapping[str, Any], entry: Entry) -> list[str]:
    names = slot["lookup"]["labels"]
    return [word for name in names if name in entry for word in matching.words_of(entry[name])]


def pick(filling: Filling, slot: Mapping[str, Any], entries: list[Entry]) -> list[Entry]:
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
        if len({value_of(slot, entry) for entry in top}) > 1:
            return []
        picked.append(top[0])  # the same thing twice is one answer
    return picked


def replacement(
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


def offer(slot: Mapping[str, Any], entries: list[Entry], *, of: Entry | None = None) -> Ask:
    """Ask, and name what there is to choose from."""
    lines = [_line(slot, entry) for entry in entries[:MOST_OFFERED]]
    about = f" ({of['name']})" if of and of.get("name") else ""
    more = "" if len(entries) <= MOST_OFFERED else f"\n... and {len(entries) - MOST_OFFERED} more"
    listed = "\n".join(f"- {line}" for line in lines)
    return Ask(text=f"{slot.get('ask', '')}{about}\n{listed}{more}".strip())


def _line(slot: Mapping[str, Any], entry: Entry) -> str:
    value = value_of(slot, entry) or str(entry.get("", ""))
    labels = labels_of(slot, entry)
    return f"{', '.join(labels)} ({value})" if labels else value
