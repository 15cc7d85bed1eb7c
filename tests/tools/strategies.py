"""Values for Hypothesis, drawn from the schemas of contracts: some that fit, some that do not."""

import re
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from agents.showcase.retail.shapes import END

JUNK: SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=True, allow_infinity=True),
    st.text(max_size=40),
    st.sampled_from(
        ["\x00", "\u202e#W1", "x" * 100_000, "\ud800", "'; DROP TABLE retail_order;--"]
    ),
    st.lists(st.text(max_size=3), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=3),
)


def fitting(schema: Mapping[str, Any]) -> SearchStrategy[Any]:
    """Return values that the schema accepts; covers the keywords that our schemas use."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "object":
            return _objects(schema)
        case "array":
            return st.lists(
                fitting(schema["items"]),
                min_size=schema.get("minItems", 0),
                max_size=min(schema.get("maxItems", 4), 4),
            )
        case "boolean":
            return st.booleans()
        case _:
            return _texts(schema)


def misfitting(schema: Mapping[str, Any]) -> SearchStrategy[Any]:
    """Return arguments of which one was replaced, dropped or added, so that hardly any fit."""
    names = sorted(schema["properties"]) or ["nothing"]
    return st.one_of(
        JUNK,
        st.builds(
            lambda good, name, junk: {**good, name: junk},
            fitting(schema),
            st.sampled_from(names),
            JUNK,
        ),
        st.builds(
            lambda good, name: {key: value for key, value in good.items() if key != name},
            fitting(schema),
            st.sampled_from(names),
        ),
        st.builds(
            lambda good, name, junk: {**good, name: junk},
            fitting(schema),
            st.text(min_size=1, max_size=8),
            JUNK,
        ),
    )


def _objects(schema: Mapping[str, Any]) -> SearchStrategy[Any]:
    if "properties" not in schema:
        return st.dictionaries(
            st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=6),
            fitting(schema["additionalProperties"]),
            max_size=3,
        )
    required = set(schema["required"])
    fields = {name: fitting(body) for name, body in schema["properties"].items()}
    return st.fixed_dictionaries(
        {name: body for name, body in fields.items() if name in required},
        optional={name: body for name, body in fields.items() if name not in required},
    )


def _texts(schema: Mapping[str, Any]) -> SearchStrategy[str]:
    least, longest = schema.get("minLength", 0), schema.get("maxLength", 60)
    if "pattern" not in schema:
        return st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=20)
    alphabet = st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs"])
    if schema["pattern"].startswith("^[^"):
        return st.text(alphabet, min_size=least, max_size=min(longest, 30)).filter(
            lambda text: re.search(schema["pattern"], text) is not None
        )
    exact = st.from_regex(schema["pattern"].removesuffix(END) + r"\Z", alphabet=alphabet)
    return exact.filter(lambda text: least <= len(text) <= longest and "\n" not in text)
