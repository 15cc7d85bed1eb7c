"""The canonical form: equal values have equal bytes, and nothing outside the profile gets in."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.kernel import canonical
from console.kernel.canonical import NotCanonical

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


def written_out(value: object) -> str:
    """Write the canonical form by recursion, sharing nothing with the code under test."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{written_out(key)}:{written_out(value[key])}" for key in keys) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(written_out, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


class TestDumps:
    @given(VALUES)
    def test_reads_back_as_the_same_value(self, value: object) -> None:
        assert canonical.loads(canonical.dumps(value)) == value

    @given(VALUES)
    def test_agrees_with_the_definition_written_out(self, value: object) -> None:
        assert canonical.dumps(value) == written_out(value).encode()

    @given(st.dictionaries(TEXT, st.integers(0, 9), max_size=6))
    def test_does_not_depend_on_the_order_of_keys(self, value: dict[str, int]) -> None:
        turned = dict(reversed(list(value.items())))

        assert canonical.dumps(turned) == canonical.dumps(value)

    def test_sorts_keys_by_utf_16_code_units(self) -> None:
        # U+FB33 is above U+1F600's surrogates in code units but below it in code points.
        assert (
            canonical.dumps({"\ufb33": 1, "\U0001f600": 2})
            == '{"\U0001f600":2,"\ufb33":1}'.encode()
        )

    @pytest.mark.parametrize(
        "value",
        [
            1.5,
            float("nan"),
            2**53,
            -(2**53),
            {1: 2},
            "\x00",
            "\ud800",
            {"\ud800": 1},
            b"",
            object(),
        ],
    )
    def test_refuses_what_has_no_canonical_form(self, value: object) -> None:
        with pytest.raises(NotCanonical):
            canonical.dumps(value)

    def test_refuses_seventeen_levels(self) -> None:
        value: object = 1
        for _ in range(16):
            value = [value]
        assert canonical.loads(canonical.dumps(value)) == value

        with pytest.raises(NotCanonical):
            canonical.dumps([value])


class TestLoads:
    @pytest.mark.parametrize(
        "raw",
        [
            '{"a":1,"a":2}',
            "1.0",
            "1e3",
            "NaN",
            "Infinity",
            "{",
            b"\xff",
            '"\\ud800"',
            '"\\u0000"',
            "[" * 9999,
            "9" * 5000,
        ],
    )
    def test_refuses_what_json_readers_disagree_about(self, raw: str | bytes) -> None:
        with pytest.raises(NotCanonical):
            canonical.loads(raw)

    def test_digest_is_the_sha_256_of_the_bytes(self) -> None:
        # Known answer: printf '{"a":1}' | sha256sum
        assert canonical.digest(json.loads('{"a": 1}')).hex() == (
            "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
        )
