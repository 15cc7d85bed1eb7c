"""Pages of the workshop: versions, drafts, trying rules on calls, coverage."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection

from agents.tools import registry
from approvals import commands, queries
from approvals.cards import ProposalFacts, ToolFacts
from approvals.policies import Active, covered, parse, sentence_of
from approvals.states import PolicyState, Says
from console.kernel import clock, tenancy
from console.kernel.ids import uuid7
from tests.approvals import desk
from tests.approvals.policies.rules import FINANCE, body, rule, spoken, when
from tests.cast import Cast

HOLD = rule("a", "hold", match={"tool": "cancel_*"}, require=FINANCE)
LIST = "/reviews/policies/"


def text(answer: Any) -> str:
    return str(answer.content.decode())


def drafted(cast: Cast, *rules: dict[str, Any]) -> Any:
    return commands.add_version(actor=cast.noor, body=body(*(rules or (HOLD,))))


class TestList:
    def test_says_what_holds_without_a_policy(self, cast: Cast) -> None:
        page = text(cast.client("ruth").get(LIST))
        assert "tier 1 waits for one reviewer" in page
        assert "/policies/new/" not in page

    def test_names_versions_and_who_agreed(self, cast: Cast) -> None:
        spoken(cast, HOLD)
        drafted(cast, rule("b", "deny"))
        page = text(cast.client("noor").get(LIST))
        assert "Ruth and Ines" in page
        assert page.count("Version 1") == page.count("Version 2") == 1
        assert "New version" in page

    def test_is_not_for_everybody(self, cast: Cast) -> None:
        assert cast.client("ruth").get(f"{LIST}new/").status_code == 403


class TestVersion:
    def test_shows_rules_in_words_and_what_differs(self, cast: Cast) -> None:
        spoken(cast, HOLD)
        card = drafted(cast, rule("a", "deny", match={"tool": "cancel_*"}))
        page = text(cast.client("noor").get(f"{LIST}{card.id}/"))
        assert "Never lets calls of cancel_* run." in page
        assert "Against version 1, which is active" in page
        assert "Propose to activate" in page

    def test_offers_nothing_to_who_only_reads(self, cast: Cast) -> None:
        page = text(cast.client("ruth").get(f"{LIST}{drafted(cast).id}/"))
        assert "/propose/" not in page
        assert "/shadow/" not in page

    def test_buttons_do_what_they_say(self, cast: Cast) -> None:
        card, noor = drafted(cast), cast.client("noor")

        def state() -> PolicyState:
            return queries.version(actor=cast.noor, version_id=card.id).state

        noor.post(f"{LIST}{card.id}/shadow/", {"on": "1"})
        assert state() is PolicyState.SHADOW
        desk.opened(cast)
        assert "calls of the last" in text(noor.get(f"{LIST}{card.id}/"))
        noor.post(f"{LIST}{card.id}/shadow/", {})
        answer = noor.post(f"{LIST}{card.id}/propose/", {"what": "activate"})
        page = text(cast.client("ruth").get(answer["Location"]))
        assert "Activate version 1 of the policy shop-writes" in page
        noor.post(f"{LIST}{card.id}/discard/")
        assert state() is PolicyState.RETIRED

    def test_retiring_a_draft_is_refused_with_what_to_do(self, cast: Cast) -> None:
        card = drafted(cast)
        answer = cast.client("noor").post(f"{LIST}{card.id}/propose/", {"what": "retire"})
        assert answer.status_code == 409
        assert "discard this one instead" in text(answer)


class TestDraft:
    def test_keeps_a_draft(self, cast: Cast) -> None:
        sent = {"body": json.dumps(body(HOLD)), "note": "Cancellations are costly."}
        answer = cast.client("noor").post(f"{LIST}new/", sent)
        assert answer.status_code == 302
        assert "Cancellations are costly." in text(cast.client("noor").get(answer["Location"]))

    @pytest.mark.parametrize(
        ("typed", "said"),
        [
            (json.dumps(body(rule("a", "perhaps"))), "/rules/0/effect"),
            ('{"policy": "x",', "line 1"),
            ('{"policy": "x", "policy": "y", "rules": []}', "stands twice"),
            ('{"policy": "x", "rules": [{"priority": NaN}]}', "NaN"),
            ("[" * 5000, "simplify"),
        ],
    )
    def test_names_the_fault_and_keeps_the_text(self, cast: Cast, typed: str, said: str) -> None:
        answer = cast.client("noor").post(f"{LIST}new/", {"body": typed, "note": "n"})
        assert answer.status_code == 400
        assert said in text(answer)
        assert typed[:6].replace('"', "&quot;") in text(answer)

    def test_starts_from_the_active_body(self, cast: Cast) -> None:
        spoken(cast, HOLD)
        page = text(cast.client("noor").get(f"{LIST}new/?policy=shop-writes"))
        assert "cancel_*" in page


def counts(cast: Cast) -> dict[str, int]:
    found = {}
    with tenancy.scope(cast.tenant_id, read_only=True), connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relname LIKE 'approvals\\_%%'"
                       " AND relkind = 'r'")  # fmt: skip
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT count(*) FROM "{table}"')
            found[table] = cursor.fetchone()[0]
    return found


class TestSimulate:
    def test_tries_a_past_call_and_writes_nothing(self, cast: Cast) -> None:
        past = desk.opened(cast)
        card = drafted(
            cast, rule("a", "hold", when=when("/args/reason", "exists"), require=FINANCE)
        )
        noor = cast.client("noor")
        before = counts(cast)
        assert before["approvals_evaluation"] == 1
        answer = noor.post(f"{LIST}{card.id}/simulate/", {"proposal": str(past.id)})
        assert counts(cast) == before
        assert "one of finance" in text(answer)
        assert "ordered by mistake" in text(answer)

    def test_tries_a_call_that_is_written_down(self, cast: Cast) -> None:
        card = drafted(cast, rule("a", "deny", match={"tool": "refund.*"}))
        call = json.dumps({"tool": "refund.create", "tier": 1, "args": {"amount": 1.5}})
        answer = cast.client("ruth").post(f"{LIST}{card.id}/simulate/", {"call": call})
        assert "Denied" in text(answer)

    @pytest.mark.parametrize(
        "call", ["", "[]", '{"tool": "x"}', '{"tool": "x", "tier": true}', '{"tool": 1, "tier": 1}',
                 '{"tool": "x", "tier": 1, "other": 1}'],
    )  # fmt: skip
    def test_refuses_what_is_no_call_and_keeps_it(self, cast: Cast, call: str) -> None:
        card = drafted(cast)
        answer = cast.client("ruth").post(f"{LIST}{card.id}/simulate/", {"call": call})
        assert answer.status_code == 400
        assert call.replace('"', "&quot;") in text(answer)

    def test_finds_no_proposal_of_others(self, cast: Cast) -> None:
        card = drafted(cast)
        sent = {"proposal": str(uuid4())}
        answer = cast.client("ruth").post(f"{LIST}{card.id}/simulate/", sent)
        assert answer.status_code == 404


class TestExplain:
    def test_names_rules_people_and_reasons(self, cast: Cast) -> None:
        spoken(cast, rule("a", "hold", when=when("/args/reason", "exists"), require=FINANCE))
        card = desk.opened(cast)
        page = text(cast.client("ruth").get(f"/reviews/{card.id}/explain/"))
        assert "shop-writes/a" in page
        assert "one of finance" in page
        assert "is in no review group that this needs" in page

    def test_masks_what_is_sensitive(self, cast: Cast) -> None:
        spoken(cast, rule("a", "hold", when=when("/args/reason", "eq", "x")))
        facts: ProposalFacts = desk.facts(sensitive=("/args/reason",))
        card = desk.opened(cast, facts_=facts)
        page = text(cast.client("ruth").get(f"/reviews/{card.id}/explain/"))
        assert "ordered by mistake" not in page

    def test_hides_another_tenants(self, cast: Cast) -> None:
        card = desk.opened(cast)
        assert cast.client("mallory").get(f"/reviews/{card.id}/explain/").status_code == 404


def tool(tier: int = 1, name: str = "refund.create") -> ToolFacts:
    return ToolFacts(name=name, tier=tier, writes=True)


def under(*rules: dict[str, Any], tier: int = 1) -> Any:
    policy = parse(body(*rules))
    return covered(tool(tier), [Active(version=uuid7(), policy=policy)])


class TestCoverage:
    def test_every_registered_write_has_a_tier_and_is_gated(self, cast: Cast) -> None:
        writes = {one.name for one in registry.every() if one.writes}
        assert writes
        found = {one.tool.name: one for one in queries.coverage(actor=cast.ruth)}
        assert writes <= set(found)
        for name in writes:
            assert found[name].tool.tier in (1, 2), name
            assert found[name].says is Says.HOLD, name

    def test_follows_rules_without_conditions(self) -> None:
        allow = rule("a", "allow", match={"tool": "refund.*"})
        assert under(allow).says is Says.ALLOW
        assert under(allow, tier=2).says is Says.HOLD
        assert under(allow, rule("b", "deny")).says is Says.DENY
        assert under(allow, rule("b", "hold")).settled_by == ("shop-writes/b",)
        assert under({**allow, "match": {"tool": "other"}}).says is Says.HOLD

    def test_names_rules_that_depend_on_the_call(self) -> None:
        found = under(rule("a", "deny", when=when("/args/x", "exists")))
        assert (found.says, found.perhaps) == (Says.HOLD, (("deny", "shop-writes/a"),))

    def test_page_lists_tools(self, cast: Cast) -> None:
        spoken(cast, rule("a", "deny", match={"tool": "cancel_pending_order"}))
        page = text(cast.client("ruth").get(f"{LIST}coverage/"))
        assert "cancel_pending_order" in page
        assert "shop-writes/a" in page


class TestSentence:
    @pytest.mark.parametrize(
        ("written", "said"),
        [
            (rule("a", "deny"), "Never lets any call run."),
            (HOLD, "Holds calls of cancel_* for people: one of finance."),
            (rule("a", "hold", match={"tier": 2}),
             "Holds every call in tier 2 for people of its tier."),
            (rule("a", "allow", when={"not": when("/args/x", "gt", "5")}),
             "Lets every call run without people when not (/args/x is more than 5)."),
            (rule("a", "hold", decide="4h",
                  when={"any": [when("/args/x", "in", ["a", "b"]), when("/args/y", "absent")]}),
             ("Holds every call for people when (/args/x is one of a, b or /args/y is not there): "
             "4 hours to decide.")),
        ],
    )  # fmt: skip
    def test_says_a_rule(self, written: dict[str, Any], said: str) -> None:
        assert sentence_of(parse(body(written)).rules[0]) == said


class TestApi:
    ROOT = "/api/v1/approvals"

    def test_keeps_and_lists_versions(self, cast: Cast) -> None:
        sent = {"body": body(HOLD), "note": "n"}
        made = cast.api("noor").post(f"{self.ROOT}/policies", sent, format="json")
        assert (made.status_code, made.data["state"]) == (201, "draft")
        ruth = cast.api("ruth")
        listed = ruth.get(f"{self.ROOT}/policies?policy=shop-writes").data["versions"]
        assert [one["id"] for one in listed] == [made.data["id"]]
        one = ruth.get(f"{self.ROOT}/policies/versions/{made.data['id']}")
        assert one.data["body"] == body(HOLD)
        assert ruth.post(f"{self.ROOT}/policies", sent, format="json").status_code == 403

    def test_tries_a_call(self, cast: Cast) -> None:
        address = f"{self.ROOT}/policies/versions/{drafted(cast).id}/simulate"
        sent = {"call": {"tool": "cancel_order", "tier": 1}}
        found = cast.api("ruth").post(address, sent, format="json")
        assert (found.data["says"], found.data["needs"]) == ("hold", ["one of finance"])
        past = {"proposal": str(desk.opened(cast).id)}
        assert cast.api("ruth").post(address, past, format="json").status_code == 200
        assert cast.api("ruth").post(address, {}, format="json").status_code == 400

    def test_explains_and_covers(self, cast: Cast) -> None:
        spoken(cast, HOLD)
        card = desk.opened(cast)
        ruth = cast.api("ruth")
        found = ruth.get(f"{self.ROOT}/proposals/{card.id}/explain")
        assert (found.data["rules"], found.data["needs"]) == (
            ["shop-writes/a"], ["one of finance"],
        )  # fmt: skip
        tools = ruth.get(f"{self.ROOT}/coverage").data["tools"]
        assert {one["says"] for one in tools} == {"hold"}


class TestShadow:
    def test_is_drawn_and_told_day_by_day(self, cast: Cast) -> None:
        card, noor = drafted(cast, rule("a", "deny")), cast.client("noor")
        commands.shadow_version(actor=cast.noor, version_id=card.id, on=True)
        desk.opened(cast)
        with clock.frozen(clock.now() + timedelta(days=2)):
            found = queries.shadow_tally(actor=cast.noor, version_id=card.id, days=30)
        assert [(day.held, day.shadow_held, day.shadow_denied) for day in found.days] == [
            (1, 0, 1), (0, 0, 0), (0, 0, 0),
        ]  # fmt: skip

        page = text(noor.get(f"{LIST}{card.id}/"))
        assert f'data-src="{LIST}{card.id}/shadow.json"' in page
        figure = noor.get(f"{LIST}{card.id}/shadow.json").json()["data"]
        lines = {one["name"]: (one["y"], one["line"]["dash"], one["meta"]["hue"]) for one in figure}
        assert lines["Held, active"] == ([1], "solid", 0)
        assert lines["Held, shadow"] == ([0], "dot", 0)
        assert lines["Denied, shadow"] == ([1], "dot", 2)
        file = noor.get(f"{LIST}{card.id}/shadow.csv")
        assert file["Content-Type"].startswith("text/csv")
        assert file.content.decode().splitlines()[1].endswith(",1,0,0,0,0,1")

    def test_has_no_drawing_before_the_first_call(self, cast: Cast) -> None:
        card = drafted(cast)
        commands.shadow_version(actor=cast.noor, version_id=card.id, on=True)
        page = text(cast.client("noor").get(f"{LIST}{card.id}/"))
        assert "No call was judged" in page
        assert "shadow.json" not in page
