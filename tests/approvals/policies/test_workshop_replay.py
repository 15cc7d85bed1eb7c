"""A version asked about past calls: what would have been different, and how far it has come."""

from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from approvals import commands, queries
from approvals.cards import ReplayCard
from approvals.errors import PolicyConflict
from approvals.queries.replaying import stuck_replays
from approvals.states import ReplayState
from approvals.tasks import replay as task
from console.kernel import clock
from console.kernel.errors import BadInput, NotAllowed
from tests.approvals import desk
from tests.approvals.policies.rules import FINANCE, body, rule, spoken, when
from tests.cast import Cast

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
        (example,) = card.examples
        assert example["proposal"] == str(first.id)
        assert (example["was"], example["says"], example["rules"]) == (
            "hold", "deny", ["shop-writes/a"],
        )  # fmt: skip
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
