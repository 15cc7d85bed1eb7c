"""What a person asks of the trail: one query language, its fields, its canonical text. Pure."""

from audit.search.asking import USUAL, Place, Search
from audit.search.fields import FIELDS, HAS, Field, Takes, span_of
from audit.search.plain import plain
from audit.search.presets import presets
from audit.search.reading import MOST_CHARACTERS, MOST_TERMS, parse
from audit.search.words import Between, Compare, Exact, Prefix, Query, Term, Value

__all__ = [
    "FIELDS", "HAS", "MOST_CHARACTERS", "MOST_TERMS", "USUAL", "Between", "Compare", "Exact",
    "Field", "Place", "Prefix", "Query", "Search", "Takes", "Term", "Value", "parse", "plain",
    "presets",
    "span_of",
]  # fmt: skip
