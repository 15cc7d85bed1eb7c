from dataclasses import replace
from typing import Any

import pytest

from approvals.cards import Content
from console.kernel.canonical import NotCanonical
from tests.approvals.desk import content


class TestContentDigest:
    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("tool", "modify_pending_order_items"),
            ("contract_hash", "d" * 64),
            ("args", {"order_id": "#W2", "reason": "ordered by mistake"}),
            ("args", {"order_id": "#W1", "reason": "ordered by mistake", "extra": None}),
            ("before", {"orders": {"#W1": {"status": "pending", "total": 41801}}}),
            ("before", {}),
        ],
    )
    def test_changes_with_every_bound_field(self, field: str, value: Any) -> None:
        changes: dict[str, Any] = {field: value}
        assert replace(content(), **changes).digest != content().digest

    def test_does_not_depend_on_the_order_of_keys(self) -> None:
        args = {"reason": "ordered by mistake", "order_id": "#W1"}
        assert content(args=args).digest == content().digest

    def test_tells_equal_looking_texts_apart(self) -> None:
        composed, decomposed = content(args={"a": "\u00e9"}), content(args={"a": "e\u0301"})
        assert composed.digest != decomposed.digest

    def test_tells_types_apart(self) -> None:
        assert len({content(args={"a": a}).digest for a in (1, "1", True, [1])}) == 4

    def test_is_the_digest_of_a_fixed_vector(self) -> None:
        vector = Content(tool="t", contract_hash="0" * 64, args={"a": 1}, before={}, after={})
        # SHA-256 of {"args":{"a":1},"before":"44136f..8a","contract":"00..","tool":"t","type":...}
        assert vector.before_digest.hex() == (
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
        )
        assert vector.digest.hex() == (
            "c4463fdb969592d9f13e40d0f34f6d06287dfb76df33c1a0f58cb7c2933b8470"
        )

    @pytest.mark.parametrize("bad", [1.5, 2**53, "a\x00b", "\ud800", {1: 2}, {"a", "b"}])
    def test_refuses_what_has_no_canonical_form(self, bad: Any) -> None:
        with pytest.raises(NotCanonical):
            _ = content(args={"a": bad}).digest
