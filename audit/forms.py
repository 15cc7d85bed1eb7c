"""The search form: every filter of the explorer, under the names that stand in its address."""

from collections.abc import Mapping
from typing import Any, Final

from django import forms

from audit.errors import UnknownField
from audit.search import ALL_KINDS, KINDS, NO_READS, Search
from console.kernel.http import read

LENGTH: Final = 200
KIND_WORDS: Final = {NO_READS: "Everything but reads", ALL_KINDS: "Everything"}
NOT_FILTERS: Final = frozenset({"part"})


def _text(label: str, help_text: str) -> forms.CharField:
    return forms.CharField(label=label, required=False, max_length=LENGTH, help_text=help_text)


class SearchForm(forms.Form):
    actor = _text("Actor", "name or id")
    action = _text("Action", "vote.cast,proposal.*")
    target = _text("Subject", "id or type:id")
    agent = _text("Agent", "slug")
    run = _text("Run", "id")
    id = _text("Any id", "id or digest")
    kind = forms.ChoiceField(
        required=False, choices=[(kind, KIND_WORDS.get(kind, kind)) for kind in KINDS]
    )
    since = forms.DateTimeField(label="From (UTC)", required=False)
    until = forms.DateTimeField(label="Until (UTC)", required=False)
    at = forms.IntegerField(required=False, min_value=0, max_value=2**53)
    before = forms.IntegerField(required=False, min_value=0, max_value=2**53)
    after = forms.IntegerField(required=False, min_value=0, max_value=2**53)


def _number() -> forms.IntegerField:
    return forms.IntegerField(required=False, min_value=0, max_value=2**53)


class BundleForm(forms.Form):
    """What a bundle is to prove: an entry, a range, or everything about one thing."""

    entry = _number()
    first = _number()
    end = _number()
    about = _text("About", "type:id")
    size = _number()


def asked(data: Mapping[str, Any]) -> Search:
    """Return the filters of an address.

    Raises:
        UnknownField: there is no such filter; it is never taken for text.
        BadInput: a value has the wrong shape.
    """
    values = {name: value for name, value in data.items() if name not in NOT_FILTERS}
    for name in values:
        if name not in SearchForm.base_fields:
            known = ", ".join(SearchForm.base_fields)
            raise UnknownField(f"A search has no field {name[:60]}; use one of {known}.")
    cleaned = read(SearchForm, values)
    return Search(**{name: value for name, value in cleaned.items() if value not in ("", None)})
