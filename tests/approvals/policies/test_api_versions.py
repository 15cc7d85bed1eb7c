"""Versions of policies by the API: the shadow, putting one away, and asking people."""

from typing import Any

import pytest

from approvals import commands, queries
from approvals.cards import PolicyVersionCard, Subject
from approvals.policies import GOVERNED_KIND
from tests.approvals import desk
from tests.approvals.policies.rules import body, rule, spoken
from tests.cast import Cast

BASE = "/api/v1/approvals/policies/versions"


def drafted(cast: Cast, *rules: dict[str, Any]) -> PolicyVersionCard:
    return commands.add_version(actor=cast.noor, body=body(*(rules or (rule("a", "deny"),))))


def post(client: Any, card: PolicyVersionCard, what: str, **sent: Any) -> Any:
    return client.post(f"{BASE}/{card.id}/{what}", sent, format="json")


class TestShadow:
    def test_is_put_on_and_off_and_says_what_it_said(self, cast: Cast) -> None:
        card, noor = drafted(cast), cast.api("noor")
        assert [post(noor, card, "shadow", on=on).json()["state"] for on in (True, True)] == [
            "shadow",
            "shadow",
        ]
        desk.opened(cast)
        told = cast.api("ruth").get(f"{BASE}/{card.id}/shadow?days=7").json()
        assert (told["calls"], told["differing"]) == (1, 1)
        assert told["lines"] == [
            {"said": "hold", "says": "deny", "rules": ["shop-writes/a"], "calls": 1}
        ]
        assert told["days"][0]["shadow_denied"] == 1
        assert post(noor, card, "shadow", on=False).json()["state"] == "draft"

    def test_holds_one_version_of_a_policy(self, cast: Cast) -> None:
        first, noor = drafted(cast), cast.api("noor")
        second = drafted(cast, rule("b", "deny"))
        post(noor, first, "shadow", on=True)
        answer = post(noor, second, "shadow", on=True)
        assert (answer.status_code, answer.json()["code"]) == (409, "policy.conflict")


class TestDiscard:
    def test_puts_away_what_never_spoke(self, cast: Cast) -> None:
        card, noor = drafted(cast), cast.api("noor")
        assert post(noor, card, "discard").json()["state"] == "retired"
        assert post(noor, card, "discard").status_code == 409
        speaks = spoken(cast, rule("c", "deny"))
        answer = post(noor, speaks, "discard")
        assert (answer.status_code, answer.json()["code"]) == (409, "policy.conflict")


class TestActivation:
    def test_asks_two_people_once(self, cast: Cast) -> None:
        card, noor = drafted(cast), cast.api("noor")
        first, again = post(noor, card, "activation"), post(noor, card, "activation")
        assert (first.status_code, again.status_code) == (201, 201)
        asked = first.json()
        assert (asked["tool"], asked["tier"], asked["needs"]) == ("policy.activate", 2, 2)
        assert again.json()["id"] == asked["id"]
        assert noor.get(f"{BASE}/{card.id}").json()["state"] == "draft"


class TestRetirement:
    def test_asks_two_people_about_what_speaks_and_nothing_else(self, cast: Cast) -> None:
        speaks, noor = spoken(cast, rule("c", "deny", match={"tool": "x.*"})), cast.api("noor")
        asked = post(noor, speaks, "retirement")
        assert (asked.status_code, asked.json()["tool"]) == (201, "policy.retire")
        refused = post(noor, drafted(cast, rule("d", "deny")), "retirement")
        assert (refused.status_code, refused.json()["code"]) == (409, "policy.conflict")


class TestEach:
    @pytest.mark.parametrize("what", ["shadow", "discard", "activation", "retirement"])
    def test_is_for_who_manages_policies_here(self, cast: Cast, what: str) -> None:
        card = drafted(cast)
        sent = {"on": True} if what == "shadow" else {}
        codes = {
            who: post(cast.api(who), card, what, **sent).status_code for who in ("ruth", "mallory")
        }
        assert codes == {"ruth": 403, "mallory": 404}
        key = post(cast.key_client("approvals.view"), card, what, **sent)
        assert (key.status_code, key.json()["code"]) == (403, "forbidden")
        assert post(cast.api("noor"), card, what, **sent, surprise=1).status_code == 400
        assert cast.api("noor").get(f"{BASE}/{card.id}").json()["state"] == "draft"
        subject = Subject(kind=GOVERNED_KIND, id=card.id)
        assert queries.proposal_for_subject(actor=cast.noor, subject=subject) is None
