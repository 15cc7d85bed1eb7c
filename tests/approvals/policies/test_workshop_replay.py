"""A version asked about past calls: what would have been different, and how far it has come."""

from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.core.management import CommandError, call_command

from approvals import commands, queries
from approvals.cards import ReplayCard
from approvals.commands import replaying
from approvals.errors import PolicyConflict
from approvals.queries.replaying import stuck_replays
from approvals.states import ReplayState
from approvals.tasks import replay as task
from approvals.views import trying
from console.kernel import clock
from console.kernel.errors import BadInput, NotAllowed
from tests.approvals import desk
from tests.approvals.policies.rules import FINANCE, body, rule, spoken, when
from tests.approvals.sql import as_owner, refused, run
from tests.cast import Cast

API = "/api/v1/approvals/policies"
CANCEL = {"match": {"tool": "cancel_*"}}


def started(cast: Cast, *rules: dict[str, Any], name: str = "shop-writes") -> ReplayCard:
    version = commands.add_version(actor=cast.noor, body=body(*rules, name=name))
    return commands.start_replay(actor=cast.noor, version_id=version.id, days=7)


def finished(cast: Cast, card: ReplayCard) -> ReplayCard:
    task(replay_id=str(card.id), tenant_id=str(cast.tenant_id))
    return queries.replay(actor=cast.ruth, replay_id=card.id)


def told(cast: Cast, *rules: dict[str, Any], name: str = "shop-writes") -> dict[str, int]:
    return dict(finished(cast, started(cast, *rules, name=name)).counts)


class TestReplay:
    def test_counts_each_difference(self, cast: Cast) -> None:
        first = desk.opened(cast, args={"amount": "10"})
        desk.opened(cast, args={"amount": "20"})
        card = finished(
            cast, started(cast, rule("a", "deny", when=when("/args/amount", "eq", "10")))
        )
        assert card.state is ReplayState.DONE
        assert (card.done, card.total, card.percent) == (2, 2, 100)
        assert card.counts == {"denied": 1, "unchanged": 1}
        (named,) = queries.replayed_calls(actor=cast.ruth, replay_id=card.id)
        assert (named.proposal_id, named.no) == (first.id, 1)
        assert (named.was, named.says, named.rules) == ("hold", "deny", ("shop-writes/a",))
        assert (card.held_before, card.held_after) == (2, 1)

    def test_names_what_is_released_and_held_anew(self, cast: Cast) -> None:
        desk.opened(cast)
        assert told(cast, rule("a", "allow", **CANCEL)) == {"released": 1}
        spoken(cast, rule("a", "allow", **CANCEL), name="other")
        desk.opened(cast)
        both = told(cast, rule("b", "hold", **CANCEL, require=FINANCE), name="other")
        assert both["held"] == 1

    def test_names_who_asks_more_people(self, cast: Cast) -> None:
        desk.opened(cast)
        two = {"all": [{"slots": [{"groups": ["finance"], "n": 2}]}]}
        assert told(cast, rule("a", "hold", **CANCEL, require=two)) == {"more_people": 1}

    def test_takes_totals_as_they_were(self, cast: Cast) -> None:
        total = {"sum": "/args/amount", "window": "24h", "op": "gt", "value": "25"}
        sums = rule("sum", "hold", **CANCEL, total=total)
        active = spoken(cast, sums)
        for amount in ("10", "20"):
            desk.opened(cast, args={"amount": amount})
        assert told(cast, {**sums, "effect": "deny"})["denied"] == 1
        other = {**sums, "total": {**total, "window": "48h"}}
        assert told(cast, other)["not_replayable"] == 2
        again = commands.start_replay(actor=cast.noor, version_id=active.id, days=7)
        assert "denied" not in finished(cast, again).counts

    def test_goes_on_where_it_was(self, cast: Cast) -> None:
        for _ in range(5):
            desk.opened(cast)
        card = started(cast, rule("a", "deny"))
        seen = []
        while card.state is ReplayState.RUNNING:
            card = commands.advance_replay(actor=cast.system, replay_id=card.id, most=2)
            seen.append(card.done)
        assert seen == [2, 4, 5]
        assert card.counts == {"denied": 5}
        done = commands.advance_replay(actor=cast.system, replay_id=card.id)
        assert done.counts == card.counts
        named = queries.replayed_calls(actor=cast.ruth, replay_id=card.id)
        assert [one.no for one in named] == [1, 2, 3, 4, 5]

    def test_counts_more_calls_than_it_names(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(3):
            desk.opened(cast)
        monkeypatch.setattr(replaying, "MOST_NAMED", 2)
        card = finished(cast, started(cast, rule("a", "deny")))
        assert card.counts == {"denied": 3}
        assert len(queries.replayed_calls(actor=cast.ruth, replay_id=card.id)) == 2

    def test_numbers_calls_that_committed_after_they_were_counted(self, cast: Cast) -> None:
        for _ in range(5):
            desk.opened(cast)
        card = started(cast, rule("a", "deny"))
        with as_owner() as owner:
            counted = "UPDATE approvals_replay SET total = 3 WHERE id = %s"
            assert owner.execute(counted, [card.id]).rowcount == 1
            owner.commit()
        while card.state is ReplayState.RUNNING:
            card = commands.advance_replay(actor=cast.system, replay_id=card.id, most=2)
        assert (card.done, card.total, card.counts) == (3, 3, {"denied": 5})
        named = queries.replayed_calls(actor=cast.ruth, replay_id=card.id)
        assert [one.no for one in named] == [1, 2, 3, 4, 5]

    def test_is_one_at_a_time_and_given_back_after_a_crash(self, cast: Cast) -> None:
        desk.opened(cast)
        card = started(cast, rule("a", "deny"))
        again = commands.start_replay(actor=cast.noor, version_id=card.version_id, days=30)
        assert again.id == card.id
        assert stuck_replays(actor=cast.system) == ()
        with clock.frozen(clock.now() + timedelta(minutes=2)):
            assert stuck_replays(actor=cast.system) == (card.id,)
            assert commands.resume_replays(actor=cast.system) == 1

    def test_has_nothing_to_do_without_calls(self, cast: Cast) -> None:
        card = started(cast, rule("a", "deny"))
        assert (card.state, card.percent) == (ReplayState.DONE, 100)

    def test_refuses_days_and_people(self, cast: Cast) -> None:
        card = started(cast, rule("a", "deny"))
        with pytest.raises(BadInput):
            commands.start_replay(actor=cast.noor, version_id=card.version_id, days=0)
        with pytest.raises(NotAllowed):
            commands.start_replay(actor=cast.ruth, version_id=card.version_id, days=7)


class TestCancelReplay:
    def test_ends_it_where_it_is(self, cast: Cast) -> None:
        desk.opened(cast)
        card = started(cast, rule("a", "deny"))
        assert commands.cancel_replay(actor=cast.noor, replay_id=card.id).state == "cancelled"
        assert finished(cast, card).done == 0
        with pytest.raises(PolicyConflict):
            commands.cancel_replay(actor=cast.noor, replay_id=card.id)


class TestPages:
    def test_start_show_and_cancel(self, cast: Cast) -> None:
        desk.opened(cast)
        version = commands.add_version(actor=cast.noor, body=body(rule("a", "deny")))
        noor = cast.client("noor")
        answer = noor.post(f"/reviews/policies/{version.id}/replay/", {"days": "7"})
        page = answer["Location"]
        assert "0 of 1 calls" in noor.get(page).content.decode()
        card = queries.replays_of(actor=cast.noor, version_id=version.id)[0]
        finished(cast, card)
        shown = noor.get(page, {"part": "now"}).content.decode()
        assert "Newly denied" in shown
        assert "<html" not in shown
        assert noor.post(f"{page}cancel/").status_code == 409

    def test_list_the_calls_behind_each_count(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for amount in ("10", "20", "30"):
            desk.opened(cast, args={"amount": amount})
        rules = (
            rule("low", "deny", when=when("/args/amount", "lt", "25")),
            rule("high", "allow", when=when("/args/amount", "gt", "25")),
        )
        card = finished(cast, started(cast, *rules))
        monkeypatch.setattr(trying, "PER_PAGE", 1)
        ruth, page = cast.client("ruth"), f"/reviews/policies/replays/{card.id}/"
        assert 'href="?difference=denied"' in ruth.get(page).content.decode()
        first = ruth.get(page, {"difference": "denied"}).content.decode()
        assert ("shop-writes/low" in first, "shop-writes/high" in first) == (True, False)
        assert "?difference=denied&amp;after=1" in first
        last = ruth.get(page, {"difference": "denied", "after": "1"}).content.decode()
        assert ('rel="next"' in last, "From the oldest" in last) == (False, True)


class TestApi:
    def test_starts_reads_lists_and_cancels(self, cast: Cast) -> None:
        for amount in ("10", "20", "30"):
            desk.opened(cast, args={"amount": amount})
        low = rule("low", "deny", when=when("/args/amount", "lt", "25"))
        version = commands.add_version(actor=cast.noor, body=body(low))
        noor, of_version = cast.api("noor"), f"{API}/versions/{version.id}/replays"
        made = noor.post(of_version, {"days": 7}, format="json")
        assert (made.status_code, made.json()["state"], made.json()["total"]) == (201, "running", 3)
        card = queries.replay(actor=cast.noor, replay_id=made.json()["id"])
        finished(cast, card)
        one = f"{API}/replays/{card.id}"
        assert noor.get(one).json()["counts"] == {"denied": 2, "unchanged": 1}
        assert [each["id"] for each in noor.get(of_version).json()["replays"]] == [str(card.id)]
        first = noor.get(f"{one}/calls?difference=denied&limit=1").json()
        last = noor.get(f"{one}/calls?difference=denied&limit=1&after={first['next']}").json()
        found = [each["no"] for each in (*first["items"], *last["items"])]
        assert (found, last["next"]) == ([1, 2], None)
        assert noor.get(f"{one}/calls?difference=held").json()["items"] == []
        answer = noor.post(f"{one}/cancel", {}, format="json")
        assert (answer.status_code, answer.json()["code"]) == (409, "policy.conflict")

    def test_is_for_people(self, cast: Cast) -> None:
        card = started(cast, rule("a", "deny"))
        program = cast.key_client("approvals.view")
        for path in (f"replays/{card.id}", f"replays/{card.id}/calls"):
            assert program.get(f"{API}/{path}").status_code == 403
        ruth = cast.api("ruth")
        assert ruth.get(f"{API}/replays/{card.id}").status_code == 200
        assert ruth.post(f"{API}/replays/{card.id}/cancel", {}, format="json").status_code == 403


class TestConstraints:
    def test_a_call_names_a_replay_and_a_proposal_of_its_own_tenant(self, cast: Cast) -> None:
        desk.opened(cast)
        finished(cast, started(cast, rule("a", "deny")))
        copy = (
            "INSERT INTO approvals_replaycall (id, tenant_id, replay_id, no, proposal_id, tool,"
            " difference, was, was_people, says, people, rules) SELECT gen_random_uuid(), {0}, {1},"
            " {2}, {3}, tool, difference, was, was_people, says, people, rules"
            " FROM approvals_replaycall WHERE tenant_id = %(tenant)s"
        )
        with refused("replay_call_once"):
            run(
                cast,
                copy.format("tenant_id", "replay_id", "no", "proposal_id"),
                tenant=cast.tenant_id,
            )
        stranger = copy.format("tenant_id", "replay_id", "9", "gen_random_uuid()")
        with refused("replay_call_of_proposal"):
            run(cast, stranger, tenant=cast.tenant_id)
        with as_owner() as owner, pytest.raises(psycopg.Error) as error:
            owner.execute(
                copy.format(f"'{cast.elsewhere.id}'", "replay_id", "9", "proposal_id"),
                {"tenant": cast.tenant_id},
            )
        assert error.value.diag.constraint_name == "replay_call_of_replay"

    def test_a_call_that_was_named_stays_as_it_is(self, cast: Cast) -> None:
        desk.opened(cast)
        finished(cast, started(cast, rule("a", "deny")))
        with as_owner() as owner, pytest.raises(psycopg.Error):
            owner.execute("UPDATE approvals_replaycall SET no = 8")


class TestCommandLine:
    def test_prints_what_is_different(self, cast: Cast) -> None:
        desk.opened(cast)
        version = commands.add_version(actor=cast.noor, body=body(rule("a", "deny")))
        out = StringIO()
        call_command("replay_policy", str(version.id), "--days", "7", stdout=out)
        assert "denied 1" in out.getvalue()
        assert "1 of 1 calls; done" in out.getvalue()

    def test_knows_no_other_id(self) -> None:
        with pytest.raises(CommandError, match="no such version"):
            call_command("replay_policy", str(uuid4()))
