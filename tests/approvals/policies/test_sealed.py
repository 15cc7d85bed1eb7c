"""Stand-ins for what a contract hides: what they bind, and rules that look at one."""

import hashlib
import hmac

import pytest

from approvals.policies import sealed
from approvals.states import Says
from tests.approvals.policies.rules import rule, said, when

SALT = bytes(range(32))


class TestStandIn:
    def test_is_the_hmac_of_pointer_and_value_under_the_salt(self) -> None:
        bound = hmac.new(SALT, b'/account\x00"DE89"', hashlib.sha256).digest()
        assert sealed.mac_of(SALT, "/account", "DE89") == bound
        assert sealed.text_of(bound) == f"\u2022\u2022\u2022 sealed {bound.hex()}"

    def test_is_found_and_opened_at_any_depth(self) -> None:
        text = sealed.text_of(SALT)
        args = {"a": {"b/c": [text, "plain"]}, "d": f"not {text}"}
        assert list(sealed.sealed_in(args)) == [("/a/b~1c/0", text)]
        assert sealed.value_at(args, "/a/b~1c/0") == text
        assert sealed.opened(args, {text: "x"}) == {"a": {"b/c": ["x", "plain"]}, "d": args["d"]}


class TestRule:
    @pytest.mark.parametrize(
        ("effect", "op", "says"),
        [
            ("deny", ("eq", "#W1"), Says.DENY),
            ("deny", ("absent",), Says.DENY),
            ("hold", ("glob", "#X*"), Says.HOLD),
            ("allow", ("ne", "#W1"), Says.HOLD),
            ("allow", ("exists",), Says.HOLD),
        ],
    )
    def test_counts_for_the_stricter_answer(
        self, effect: str, op: tuple[str, ...], says: Says
    ) -> None:
        args = {"amount": "120.00", "order": sealed.text_of(b"\x01" * 32)}
        found = said(rule("a", effect, when=when("/args/order", *op)), args=args)
        assert found.says is says
        assert found.trace[0]["when"]["why"] == "/args/order is hidden by the contract"
