from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals.cards import Term
from approvals.policies import FILTER_LENGTH, filter_text, parse_filter
from console.kernel.errors import BadInput


def refused(text: str) -> str:
    with pytest.raises(BadInput) as error:
        parse_filter(text)
    fields = error.value.details["fields"]
    assert fields == {"q": [error.value.message]}
    return error.value.message


class TestParseFilter:
    def test_reads_fields_lists_negation_and_text(self) -> None:
        asked = parse_filter('is:open,stale TIER:1 -agent:sandbox tool:refund.* "two words" plain')
        assert asked.terms == (
            Term(word="is:open,stale", field="is", values=("open", "stale"), negated=False),
            Term(word="TIER:1", field="tier", values=("1",), negated=False),
            Term(word="-agent:sandbox", field="agent", values=("sandbox",), negated=True),
            Term(word="tool:refund.*", field="tool", values=("refund.*",), negated=False),
            Term(word='"two words"', field="", values=("two words",), negated=False),
            Term(word="plain", field="", values=("plain",), negated=False),
        )

    def test_holds_a_value_together_by_quotes(self) -> None:
        assert parse_filter('agent:"refunds v14"').terms[0].values == ("refunds v14",)
        assert parse_filter('"is:open"').terms[0] == Term(
            word='"is:open"', field="", values=("is:open",), negated=False
        )

    def test_takes_a_dash_alone_as_text(self) -> None:
        assert parse_filter("-").terms[0].negated is False

    @pytest.mark.parametrize(
        ("text", "points_at", "says"),
        [
            ("is:open agnet:x", "Word 2 of the filter, agnet:x", 'there is no field "agnet"'),
            ("is:done", "Word 1 of the filter, is:done", "is takes approved, blocked"),
            ("tier:3", "tier:3", "tier takes 1, 2"),
            ("tier:", "tier:", "a value is missing"),
            ("tier:1,", "tier:1,", "a value is missing"),
            ("needs:many", "needs:many", "needs takes a whole number from 1"),
            ("mine:maybe", "mine:maybe", "mine takes no, yes"),
            ("tool:*a*b*c*d*", "tool:*a*b*c*d*", "at most 4 asterisks"),
            ('a "b', "quotation mark", "close it"),
            ('x ""', 'Word 2 of the filter, ""', "a value is missing"),
        ],
    )
    def test_points_at_the_word_that_cannot_be_read(
        self, text: str, points_at: str, says: str
    ) -> None:
        said = refused(text)
        assert points_at in said
        assert says in said
        assert said.endswith(".")

    def test_shows_no_hidden_character_of_a_word(self) -> None:
        assert "cannot be seen" in refused("tier:1 a\u200bb")
        assert 'there is no field "ti\\u0435r"' in refused("ti\u0435r:1")  # looks like an e

    def test_has_bounds(self) -> None:
        assert "too long" in refused("x" * (FILTER_LENGTH + 1))
        assert "too many words" in refused(" ".join("abcdefghijklmnopqrstu"))

    @given(st.text(max_size=60))
    def test_reads_back_what_it_writes_or_refuses_it(self, text: str) -> None:
        with suppress(BadInput):
            asked = parse_filter(text)
            assert parse_filter(filter_text(asked.terms)) == asked
