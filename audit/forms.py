"""What an address of the explorer holds: the question, the page, and shorthands for links."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from django import forms

from audit.errors import UnknownField
from audit.events import Kind
from audit.search import (
    MOST_CHARACTERS,
    USUAL,
    Between,
    Exact,
    Place,
    Query,
    Search,
    parse,
)
from console.kernel.http import is_lost, printable, read
from console.kernel.ranges import SpanForm, span_of

LENGTH: Final = 200
PLACE: Final = r"[0-9]{1,18}\.[0-9]{1,18}"
ROOT: Final = r"[0-9a-f]{8,64}"
NOT_ASKED: Final = frozenset({"part"})
ALL_KINDS: Final = "all"
SHORTHANDS: Final = ("actor", "action", "target", "agent", "run", "id", "proposal")


def _text(label: str) -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=LENGTH)


class SearchForm(SpanForm):
    """The query box, the pin, the page; `days` or `from` and `to`; and a field for a link."""

    q = forms.CharField(label="Query", required=False, max_length=MOST_CHARACTERS, strip=False)
    at = forms.IntegerField(required=False, min_value=0, max_value=2**53)
    root = forms.RegexField(ROOT, required=False, max_length=64)
    before = forms.RegexField(PLACE, required=False, max_length=40)
    after = forms.RegexField(PLACE, required=False, max_length=40)
    actor = _text("Actor")
    action = _text("Action")
    target = _text("Target")
    agent = _text("Agent")
    run = _text("Run")
    id = _text("Id")
    proposal = _text("Proposal")
    kind = forms.ChoiceField(
        required=False, choices=[(kind, kind) for kind in (ALL_KINDS, *(one.value for one in Kind))]
    )


def _number() -> forms.IntegerField:
    return forms.IntegerField(required=False, min_value=0, max_value=2**53)


class BundleForm(forms.Form):
    """What a bundle is to prove: an entry, a range, or everything about one thing."""

    entry = _number()
    first = _number()
    end = _number()
    about = _text("About")
    size = _number()


class ExecutedForm(forms.Form):
    """The page of hand-overs."""

    before = forms.RegexField(PLACE, required=False, max_length=40)


def read_address(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of an address; what it leaves out is missing.

    Raises:
        UnknownField: it holds something else; it is never taken for text.
        BadInput: a value has the wrong shape.
    """
    values = {name: value for name, value in data.items() if name not in NOT_ASKED}
    for name in values:
        if name not in SearchForm.base_fields:
            said = "something that is no text" if is_lost(name) else printable(name)
            raise UnknownField(f"A search has no field {said}; ask in the query box instead.")
    cleaned = read(SearchForm, values)
    found = {name: value for name, value in cleaned.items() if value not in ("", None)}
    return {**found, "q": cleaned["q"]} if "q" in values else found


def search_of(values: Mapping[str, Any]) -> Search:
    """Return the question of an address.

    Raises:
        UnknownField, BadSearch, BadQuery: the query cannot be read.
    """
    places = {name: Place.parse(values[name]) for name in ("before", "after") if name in values}
    return Search(
        query=parse(values.get("q", USUAL)),
        at=values.get("at"),
        root=values.get("root", ""),
        **places,
    )


def is_shorthand(values: Mapping[str, Any]) -> bool:
    """Say whether an address has to be written out as one query."""
    return any(name in values for name in (*SHORTHANDS, "kind", "days", "from"))


def written_out(values: Mapping[str, Any], *, today: date) -> Query:
    """Return the query that an address with shorthands stands for; days are resolved here.

    Raises:
        UnknownField, BadSearch, BadQuery: the query of the address cannot be read.
    """
    kind = values.get("kind")
    usual = "" if kind else USUAL
    query = parse(values.get("q", usual))
    for name in SHORTHANDS:
        if name in values:
            query = query.asking(name, Exact(values[name]))
    if kind and kind != ALL_KINDS:
        query = query.asking("kind", Exact(kind))
    if "days" in values or "from" in values:
        span = span_of(values, today=today)
        query = query.asking("created", Between(span.first.isoformat(), span.last.isoformat()))
    return query
