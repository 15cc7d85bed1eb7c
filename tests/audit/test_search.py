"""The query language: strict, with places, and one text for one question."""

import string
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.envelope import microseconds_of
from audit.errors import BadQuery, BadSearch, UnknownField
from audit.search import (
    FIELDS,
    Between,
    Compare,
    Exact,
    Prefix,
    Query,
    Takes,
    Term,
    Value,
    parse,
    span_of,
)

TEXTS = st.text(
    st.one_of(
        st.sampled_from(string.ascii_letters + string.digits + ' ":,*.<>=-\\_/@'),
        st.characters(exclude_categories=("C", "Z")),
    ),
    min_size=1,
    max_size=12,
)
DAYS = st.dates(
    min_value=datetime(2020, 1, 2).date(),  # noqa: DTZ001
    max_value=datetime(2030, 1, 2).date(),  # noqa: DTZ001
).map(str)
NUMBERS = st.integers(0, 10**9).map(str)


def ranges(bounds: st.SearchStrategy[str]) -> st.SearchStrategy[Value]:
    return st.one_of(
        bounds.map(Exact),
        st.builds(Compare, st.sampled_from([">=", ">", "<=", "<"]), bounds),
        st.lists(bounds, min_size=2, max_size=2).map(lambda two: Between(*sorted(two, key=int))),
    )


def values(name: str) -> st.SearchStrategy[Value]:
    match FIELDS[name].takes if name else Takes.TEXT:
        case Takes.TIME:
            return st.one_of(
                DAYS.map(Exact), st.builds(Compare, st.sampled_from([">=", "<"]), DAYS),
                st.lists(DAYS, min_size=2, max_size=2).map(lambda two: Between(*sorted(two))),
            )  # fmt: skip
        case Takes.NUMBER:
            return ranges(NUMBERS)
        case Takes.KIND:
            return st.sampled_from([Exact("read"), Exact("fact")])
        case Takes.HAS:
            return st.just(Exact("reason"))
        case Takes.WHOLE:
            return TEXTS.map(Exact)
        case _:
            return st.one_of(TEXTS.map(Exact), TEXTS.map(Prefix))


def term(name: str) -> st.SearchStrategy[Term]:
    some = st.lists(values(name), min_size=1, max_size=3).map(tuple)
    return st.builds(Term, field=st.just(name), values=some, negated=st.booleans())


TERMS = st.sampled_from(["", *FIELDS]).flatmap(term)


class TestParse:
    @given(st.lists(TERMS, max_size=6).map(lambda terms: Query(tuple(terms))))
    def test_reads_what_it_prints(self, query: Query) -> None:
        assert parse(str(query)) == query

    @given(st.text(max_size=60) | st.lists(TEXTS, max_size=5).map(" ".join))
    def test_refuses_with_a_place_or_reads_the_same_twice(self, text: str) -> None:
        try:
            query = parse(text)
        except (BadQuery, BadSearch, UnknownField) as refusal:
            start, end = refusal.details["start"], refusal.details["end"]
            assert 0 <= start < end <= len(text) + 1  # type: ignore[operator]
        else:
            assert parse(str(query)) == query

    def test_knows_every_form(self) -> None:
        text = 'action:vote.cast,proposal.* -kind:read index:3.. "two words" refund* via:"a,\\"b"'
        assert parse(text).terms == (
            Term(field="action", values=(Exact("vote.cast"), Prefix("proposal."))),
            Term(field="kind", values=(Exact("read"),), negated=True),
            Term(field="index", values=(Compare(">=", "3"),)),
            Term(values=(Exact("two words"),)),
            Term(values=(Prefix("refund"),)),
            Term(field="via", values=(Exact('a,"b'),)),
        )

    @pytest.mark.parametrize(
        ("text", "error", "start", "end"),
        [
            ("a colour:red", UnknownField, 2, 8),
            ("http://x", UnknownField, 0, 4),
            ('run:r1 "open', BadQuery, 7, 12),
            ("run:a*b", BadQuery, 5, 7),
            ("run:", BadQuery, 4, 5),
            ("run:a,,b", BadQuery, 6, 7),
            ('"a"b', BadQuery, 3, 4),
            ("a\u202eb", BadQuery, 1, 2),
            ("index:..", BadQuery, 6, 8),
            ("kind:nonsense", BadSearch, 5, 13),
            ("has:wings", BadSearch, 4, 9),
            ("index:9..3", BadSearch, 6, 10),
            ("created:2026-02-30", BadSearch, 8, 18),
            ("created:2026*", BadSearch, 8, 13),
            ("run:>=3", BadSearch, 4, 7),
            ("via:ru*", BadSearch, 4, 7),
            ("x" * 2001, BadQuery, 2000, 2001),
            ("a " * 41, BadQuery, 80, 81),
        ],
    )
    def test_points_at_what_is_wrong(
        self, text: str, error: type[BadQuery], start: int, end: int
    ) -> None:
        with pytest.raises(error) as caught:
            parse(text)
        assert (caught.value.details["start"], caught.value.details["end"]) == (start, end)
        assert caught.value.message.endswith(".")


class TestSpanOf:
    @pytest.mark.parametrize(
        ("text", "low", "high"),
        [
            ("2026-12", (2026, 12, 1), (2027, 1, 1)),
            ("2026-11-30", (2026, 11, 30), (2026, 12, 1)),
            ("2026-11-29T10:00", (2026, 11, 29, 10), (2026, 11, 29, 10, 1)),
            ("2026-11-29T10:00:01Z", (2026, 11, 29, 10, 0, 1), (2026, 11, 29, 10, 0, 2)),
            ("2026-11-01..2026-11-20", (2026, 11, 1), (2026, 11, 21)),
            (">2026-11-01", (2026, 11, 2), None),
            ("<=2026-11", None, (2026, 12, 1)),
            ("<2026-11", None, (2026, 11, 1)),
        ],
    )
    def test_takes_the_whole_of_what_is_named(
        self, text: str, low: tuple[int, ...] | None, high: tuple[int, ...] | None
    ) -> None:
        (value,) = parse(f"created:{text}").terms[0].values
        wanted = [
            None if at is None else microseconds_of(datetime(*at, tzinfo=UTC))  # type: ignore[misc,arg-type]
            for at in (low, high)
        ]
        assert span_of("created", value) == tuple(wanted)
