"""What a confirm card says of a change."""

from typing import Any

from agents.runtime.summary import lines

PAID = {"amount": "182.03", "payment_method_id": "paypal_7", "transaction_type": "payment"}
BACK = {**PAID, "transaction_type": "refund"}


def of(before: Any, after: Any) -> list[dict[str, str]]:
    return lines({"orders": {"#W1": before}}, {"orders": {"#W1": after}})


class TestLines:
    def test_names_only_what_changes(self) -> None:
        assert of({"status": "pending", "total": "9"}, {"status": "cancelled", "total": "9"}) == [
            {"field": "status", "before": "pending", "after": "cancelled"}
        ]

    def test_says_what_is_added_to_a_list(self) -> None:
        assert of({"payments": [PAID]}, {"payments": [PAID, BACK]}) == [
            {
                "field": "payments",
                "before": "",
                "after": "added: amount 182.03, payment method paypal_7, transaction type refund",
            }
        ]

    def test_says_what_is_taken_out_of_a_list(self) -> None:
        assert of({"items": ["a", "b"]}, {"items": ["b"]}) == [
            {"field": "items", "before": "a", "after": "removed"}
        ]

    def test_sets_what_goes_against_what_comes(self) -> None:
        assert of({"items": ["a", "b"]}, {"items": ["c", "b"]}) == [
            {"field": "items", "before": "a", "after": "c"}
        ]

    def test_counts_members_that_are_there_twice(self) -> None:
        assert of({"items": ["a"]}, {"items": ["a", "a"]})[0]["after"] == "added: a"

    def test_says_when_only_the_order_differs(self) -> None:
        assert of({"items": ["a", "b"]}, {"items": ["b", "a"]})[0]["after"] == (
            "in another order: b; a"
        )

    def test_names_the_changed_parts_of_a_record(self) -> None:
        before = {"address": {"city": "Austin", "zip": "1"}}
        after = {"address": {"city": "Austin", "zip": "2"}}

        assert of(before, after) == [{"field": "address", "before": "zip 1", "after": "zip 2"}]

    def test_leaves_out_long_numbers_that_only_name_a_row(self) -> None:
        item = {"item_id": "3799046073", "name": "Lamp"}

        assert of({"items": []}, {"items": [item]})[0]["after"] == "added: name Lamp"

    def test_a_new_field_has_no_before(self) -> None:
        assert of({}, {"cancel_reason": "no longer needed"}) == [
            {"field": "cancel_reason", "before": "", "after": "no longer needed"}
        ]
