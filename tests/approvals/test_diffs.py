import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from approvals import diffs
from console.kernel.templatetags.signalbox import hidden_count

DATA = Path(__file__).parents[1] / "data" / "tau_retail"

leaves = st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab\u202e ", max_size=4)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "x", "y"]), inner, max_size=3)
    ),
    max_leaves=6,
)
images = st.dictionaries(
    st.sampled_from(["orders", "users"]),
    st.dictionaries(
        st.sampled_from(["1", "2"]),
        st.dictionaries(st.sampled_from(["a", "b", "c"]), values, max_size=3),
        max_size=2,
    ),
    max_size=2,
)

# What a target may really hold: records that are no objects, kinds that hold no records.
shapes = st.dictionaries(
    st.sampled_from(["orders", "users"]),
    values | st.dictionaries(st.sampled_from(["1", "value"]), values, max_size=2),
    max_size=2,
)


def bare(value: Any) -> Any:
    """Drop what is null or empty, the way the data set's hash recipe does."""
    if isinstance(value, dict):
        return {key: bare(item) for key, item in value.items() if item is not None}
    return [bare(item) for item in value] if isinstance(value, list) else value


def known(image: Any) -> Any:
    return {
        kind: {key: bare(fields) for key, fields in records.items() if bare(fields)}
        for kind, records in image.items()
        if any(bare(fields) for fields in records.values())
    }


def image(**fields: Any) -> dict[str, Any]:
    return {"orders": {"#W1": fields}}


class TestRecordChanges:
    @given(images, images)
    def test_applied_to_before_gives_after(self, before: Any, after: Any) -> None:
        changes = diffs.record_changes(before, after)
        assert known(diffs.apply(before, changes)) == known(after)

    @given(images)
    def test_finds_nothing_between_equals(self, one: Any) -> None:
        assert diffs.record_changes(one, json.loads(json.dumps(one))) == {}

    @given(images, images, images)
    def test_composes(self, first: Any, then: Any, last: Any) -> None:
        both = diffs.compose(diffs.record_changes(first, then), diffs.record_changes(then, last))
        assert known(diffs.apply(first, both)) == known(last)
        assert both == diffs.record_changes(first, last)

    def test_equals_the_changes_of_the_data_set(self) -> None:
        tasks = json.loads((DATA / "expected.json").read_text())["tasks"]
        lines = (DATA / "bulk_tasks.jsonl").read_text(encoding="utf-8").splitlines()
        tasks += [json.loads(line) for line in lines]
        seen = 0
        for task in tasks:
            sides: dict[str, Any] = {"before": {}, "after": {}}
            for kind, records in task["changes"].items():
                for key, change in records.items():
                    for side, image_ in sides.items():
                        fields = {n: v for n, v in change[side].items() if v is not None}
                        image_.setdefault(kind, {})[key] = fields
            assert diffs.record_changes(sides["before"], sides["after"]) == task["changes"]
            seen += 1
        assert seen == 306


class TestBetween:
    @given(images, images)
    def test_shows_something_exactly_when_something_differs(self, old: Any, new: Any) -> None:
        shown = diffs.between(old, new).changes
        assert bool(shown) == bool(diffs.record_changes(old, new))

    @given(shapes, shapes)
    def test_takes_images_of_any_shape(self, old: Any, new: Any) -> None:
        changed = diffs.changed_paths(old, new)
        assert bool(changed) == bool(diffs.changed_paths(new, old))
        assert diffs.changed_paths(old, json.loads(json.dumps(old))) == ()
        assert diffs.three_way(old, old, old) == ()

    @pytest.mark.parametrize(
        ("old", "new", "path"),
        [
            ({"orders": {"#W1": "gone"}}, {"orders": {"#W1": {"a": 1}}}, "orders #W1 a"),
            ({"orders": {"#W1": {"a": 5}}}, {"orders": {"#W1": 5}}, "orders #W1 (value)"),
            ({"orders": {"#W1": None}}, {"orders": {"#W1": {"a": 1}}}, "orders #W1 a"),
            ({"orders": None}, {"orders": {"#W1": {"a": 1}}}, "orders #W1 a"),
            ({"orders": "gone"}, {"orders": {"#W1": {"a": 1}}}, "orders #W1 a"),
            ({"orders": ["#W1"]}, {"orders": ["#W2"]}, "orders (value) (value)[0]"),
        ],
    )
    def test_shows_what_is_no_record_as_one_field(self, old: Any, new: Any, path: str) -> None:
        assert path in diffs.changed_paths(old, new)
        assert path in [line.path for line in diffs.three_way(old, old, new)]

    def test_tells_types_apart(self) -> None:
        (change,) = diffs.between(image(a=1), image(a=True)).changes
        assert change.before is not None
        assert change.after is not None
        assert (change.before.type, change.after.type) == ("number", "boolean")

    def test_pairs_members_of_a_list_by_their_id(self) -> None:
        old = image(items=[{"item_id": "1", "price": 5}, {"item_id": "2", "price": 7}])
        new = image(items=[{"item_id": "1", "price": 5}, {"item_id": "2", "price": 8}])
        found = diffs.between(old, new)
        assert [change.path for change in found.changes] == ["items[2].price"]
        assert found.matched == ("items: by item_id",)

    def test_shows_a_mere_reordering(self) -> None:
        old = image(items=[{"id": "1"}, {"id": "2"}])
        new = image(items=[{"id": "2"}, {"id": "1"}])
        (change,) = diffs.between(old, new).changes
        assert change.path == "items (order)"

    def test_pairs_by_position_without_an_id_and_says_so(self) -> None:
        found = diffs.between(image(a=[{"x": 1}]), image(a=[{"x": 1}, {"x": 2}]))
        assert [change.path for change in found.changes] == ["a[1].x"]
        assert found.matched == ("a: by position",)

    @pytest.mark.parametrize(
        ("old", "new", "note", "alarm"),
        [
            (418, 4180, "+3762, 10 times as much", True),
            ("418.00", "4180.00", "+3762.00, 10 times as much", True),
            (4180, 418, "-3762, -90.0 %", True),
            (100, 110, "+10, +10.0 %", False),
            (0, 5, "+5", False),
            ("8538875209", "8538875210", "", False),
        ],
    )
    def test_says_how_far_a_number_moved(
        self, old: object, new: object, note: str, *, alarm: bool
    ) -> None:
        (change,) = diffs.between(image(a=old), image(a=new)).changes
        assert (change.note, change.alarm) == (note, alarm)

    def test_marks_words(self) -> None:
        (change,) = diffs.between(image(a="leave at door"), image(a="leave at shed")).changes
        assert [(piece.mark, piece.text) for piece in change.pieces] == [
            ("same", "leave at "),
            ("del", "door"),
            ("add", "shed"),
        ]

    def test_is_bounded_on_hostile_text(self) -> None:
        long = "ab " * 100_000
        (change,) = diffs.between(image(a=long), image(a=long + "c")).changes
        assert change.pieces == ()

    def test_counts_hidden_characters_everywhere(self) -> None:
        found = diffs.between(image(a="x\u202e", b="\u200b"), image(a="y\u2066\u2069", b="\u200b"))
        assert found.hidden == 4

    def test_lists_what_stays(self) -> None:
        found = diffs.between(image(a=1, b="x"), image(a=2, b="x"))
        assert found.unchanged == (("orders #W1 b", "x"),)


class TestHiddenCount:
    def test_agrees_with_what_pages_show_as_escapes(self) -> None:
        rng = random.Random(7)  # noqa: S311 - texts for a test
        pool = "ab \u202e\u200b\u2066\ufe0f\u00ad\u3164\U000e0041\u2764\u00a0\n\t\x07"
        for _ in range(500):
            text = "".join(rng.choice(pool) for _ in range(8))
            assert diffs.hidden_count(text) == hidden_count(text), repr(text)


class TestThreeWay:
    def test_marks_same_drifted_and_conflict(self) -> None:
        lines = diffs.three_way(
            image(status="pending", note="a", total=1),
            image(status="cancelled", note="a", total=2),
            image(status="shipped", note="b", total=1),
        )
        assert {line.path: line.mark for line in lines} == {
            "orders #W1 status": "conflict",
            "orders #W1 note": "drifted",
            "orders #W1 total": "same",
        }
