"""A worker is killed with SIGKILL in the middle of a replay; the next counts every call once."""

from datetime import timedelta

import pytest

from approvals import commands, queries
from approvals.queries.replaying import stuck_replays
from approvals.states import ReplayState
from approvals.tasks import replay
from console.kernel import clock
from tests.approvals import desk
from tests.approvals.policies.rules import body, rule, when
from tests.cast import Cast
from tests.crashes.conftest import Processes

CALLS = 7
PIECE = 2


class TestKilledReplay:
    @pytest.mark.parametrize(
        ("point", "done"),
        [
            ("INSERT approvals_replaycall", {0}),
            ("UPDATE approvals_replay", {0}),
            ("COMMIT", {0}),
            ("COMMIT sent", {0, PIECE}),
            ("COMMITTED", {PIECE}),
        ],
    )
    def test_goes_on_and_counts_no_call_twice(
        self, cast: Cast, processes: Processes, point: str, done: set[int]
    ) -> None:
        for no in range(CALLS):
            desk.opened(cast, args={"amount": str(no)})
        low = rule("low", "deny", when=when("/args/amount", "lt", "4"))
        version = commands.add_version(actor=cast.noor, body=body(low))
        card = commands.start_replay(actor=cast.noor, version_id=version.id, days=7)
        ids = {"replay": str(card.id), "tenant": str(cast.tenant_id)}
        assert processes.killed("replay", point=point, piece=PIECE, **ids)
        left = queries.replay(actor=cast.noor, replay_id=card.id)
        assert left.state is ReplayState.RUNNING
        assert left.done in done
        with clock.frozen(clock.now() + timedelta(minutes=1)):
            assert stuck_replays(actor=cast.system) == (card.id,)
        replay(replay_id=ids["replay"], tenant_id=ids["tenant"])
        found = queries.replay(actor=cast.noor, replay_id=card.id)
        assert (found.state, found.done) == (ReplayState.DONE, CALLS)
        assert found.counts == {"denied": 4, "unchanged": 3}
        named = queries.replayed_calls(actor=cast.noor, replay_id=card.id)
        assert [one.no for one in named] == [1, 2, 3, 4]
