"""The web process is killed with SIGKILL at each thing that a request has the database keep.

Afterwards what the request does is there as a whole or not at all. Sent again, by the same session
with the same nonce or key, it does what is left of it and gives the receipt that was lost.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import count
from typing import Any, Final

import pytest
from django.test import Client

from approvals.cards import Claimed, ProposalCard
from approvals.errors import StaleRevision
from console.kernel.ids import uuid7
from tests.agents.world import SOFIA, World, calls, cancel, make_world
from tests.approvals import glass
from tests.approvals import outsider as them
from tests.approvals.desk import approve, claim, opened
from tests.approvals.outsider import ARGS, BASE, BEFORE, CONTRACT, Outsider, asked
from tests.approvals.plans import claim_step, opened_plan
from tests.approvals.sql import counts, run
from tests.authenticator import Authenticator, registered
from tests.cast import Cast
from tests.crashes.conftest import Processes
from tests.crashes.killing import Point
from tests.races.test_votes import at_once

# What leaves with the commit; the names of topics and tasks, without the id that they are about.
STATES: Final = "SELECT 'proposals ' || state, count(*) FROM approvals_proposal GROUP BY 1"
LEAVES: Final = (
    "SELECT 'outbox ' || kind || ' ' || split_part(target, ':', 1), count(*) FROM kernel_outbox "
    "WHERE tenant_id = %(tenant)s GROUP BY 1"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One request about a case of its own."""

    client: Client
    address: str
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    since: str = ""  # where the transaction begins that is looked at
    receipt: tuple[str, ...]  # what every answer has to say alike
    done: str = ""  # the code that refuses the same again, where it gets no receipt
    runs: Callable[[], list[Any]] = list  # whoever might run what came of it, at once
    runs_often: int = 0

    def send(self) -> dict[str, Any]:
        """Send it to a web process that lives; returns the receipt."""
        body = json.dumps(self.body)
        answer = self.client.post(
            self.address, body, content_type="application/json", headers=self.headers
        )
        found = answer.json()
        if answer.status_code == 409 and found["code"] == self.done:
            return {}
        assert answer.status_code < 300, answer.content
        return {name: found[name] for name in self.receipt}


@dataclass
class Bench:
    """Who sends the requests: Ruth's browser with her passkey, and an agent elsewhere."""

    cast: Cast
    lent: bool = False

    @cached_property
    def ruth(self) -> Client:
        return self.cast.api("ruth")

    @cached_property
    def world(self) -> World:
        return make_world(self.cast)

    @cached_property
    def passkey(self) -> Authenticator:
        device = Authenticator()
        registered(self.cast.ruth, device)
        return device

    @cached_property
    def outsider(self) -> Outsider:
        them.registered(self.cast)
        return them.outsider(self.cast)

    def vote(self, card: ProposalCard, choice: str = "approve", **more: Any) -> Act:
        """Return Ruth's vote on what her session was shown."""
        address = f"{BASE}/proposals/{card.id}"
        assert self.ruth.get(address).status_code == 200
        body = {"revision": 1, "digest": card.digest, "choice": choice, **more}
        if choice == "approve":
            passkey = self.passkey  # there has to be one before it is asked for
            asked = self.ruth.post(
                f"{address}/votes/challenges", json.dumps(body), content_type="application/json"
            )
            body["assertion"] = passkey.answered(asked.json())
        return Act(
            client=self.ruth,
            address=f"{address}/votes",
            body=body,
            receipt=("event_uid", "state", "given"),
            runs=lambda: at_once([partial(claim, self.cast, card)] * 2),
            runs_often=int(choice == "approve"),
        )

    def lend_glass(self) -> None:
        """Lend Ruth the right to break glass, and have somebody look at her last use."""
        if not self.lent:
            glass.lend(self.cast, self.cast.ruth)
            self.lent = True
        for waits in run(self.cast, "SELECT id FROM approvals_review_task WHERE closed_at IS NULL"):
            glass.close(waits[0], self.cast.ines)

    def sent(self, address: str, body: dict[str, Any], **more: Any) -> Act:
        """Return what the agent elsewhere sends; that its key was used is another transaction."""
        client = self.outsider.client
        return Act(client=client, address=f"{BASE}/{address}", body=body, **more)


def last_vote(bench: Bench) -> Act:
    """Approve in the highest tier, after somebody else, signed with a passkey: a nonce is used."""
    card = opened(bench.cast, tier=2)
    approve(card, bench.cast.ines)
    return bench.vote(card)


def rejection(bench: Bench) -> Act:
    # Another one each time: what people rejected is not asked again for a day.
    card = opened(bench.cast, args={"order_id": "#W1", "reason": str(uuid7())})
    return bench.vote(card, "reject", reason_code="not_asked_for", note="She asked for another.")


def plan(bench: Bench) -> Act:
    """Approve a plan, which hands it over and approves its changes in the same transaction."""
    found = opened_plan(bench.cast, 2)
    claims = [partial(claim_step, bench.cast, found, no) for no in (1, 1, 2)]
    return replace(bench.vote(found.plan), runs=lambda: at_once(claims))


def edit(bench: Bench) -> Act:
    """Change what somebody approved: their vote is void, and the editor is out.

    The same again is refused, as one of a revision that does not count any more.
    """
    said = bench.world.say("Cancel it", customer=SOFIA)
    with bench.world.answering(calls(cancel())):
        bench.world.advance(said.run_id)
    (call,) = bench.world.calls(said.run_id)
    card = bench.world.card(call)
    approve(card, bench.cast.ines)
    args = {**call.args, "reason": "no longer needed"}
    body = {"revision": 1, "digest": card.digest, "args": args}
    address = f"{BASE}/proposals/{card.id}/revisions"
    return Act(client=bench.ruth, address=address, body=body, receipt=(), done=StaleRevision.code)


def broken_glass(bench: Bench) -> Act:
    """Decide alone: the decision, the use, the review and what others are told, in one."""
    bench.lend_glass()
    card = opened(bench.cast, tier=2)
    address = f"{BASE}/proposals/{card.id}"
    assert bench.ruth.get(address).status_code == 200
    body = {"revision": 1, "digest": card.digest, "reason": "It is down.", "ticket": "INC-7"}
    return Act(
        client=bench.ruth,
        address=f"{address}/break-glass",
        body=body,
        receipt=("event_uid", "review_task"),
        runs=lambda: at_once([partial(claim, bench.cast, card)] * 2),
        runs_often=1,
    )


def batch(bench: Bench) -> Act:
    """Approve two requests of one kind in one act."""
    orders = [{"order_id": f"#{uuid7()}", "reason": "ordered by mistake"} for _ in range(2)]
    cards = [opened(bench.cast, args=args) for args in orders]
    for card in cards:
        assert bench.ruth.get(f"{BASE}/proposals/{card.id}").status_code == 200
    items = [{"proposal": str(c.id), "revision": 1, "digest": c.digest} for c in cards]
    body = {"items": items, "choice": "approve"}
    return Act(client=bench.ruth, address=f"{BASE}/batches", body=body, receipt=("results",))


def dispatch(bench: Bench) -> Act:
    """Take up an approved change; the call's own key is what makes it the same."""
    found = bench.outsider.approved()
    key = str(uuid7())
    body = {"call_key": key, "args": ARGS, "before": BEFORE, "contract": CONTRACT}
    return bench.sent(
        f"proposals/{found['id']}/dispatch",
        body,
        since="INSERT approvals_evaluation",
        receipt=("dispatch_id", "args"),
    )


def proposal(bench: Bench) -> Act:
    """Ask for a change with an `Idempotency-Key`."""
    return bench.sent(
        "proposals",
        asked(),
        headers={"Idempotency-Key": str(uuid7())},
        since="INSERT kernel_idempotency",
        receipt=("id", "state"),
    )


LAST: Final = ("INSERT kernel_outbox", "COMMIT", "COMMIT sent", "COMMITTED")
CASES: Final[dict[Callable[[Bench], Act], Iterable[Point]]] = {
    last_vote: count(1),  # each of them
    rejection: ("INSERT approvals_vote", *LAST),
    plan: ("INSERT approvals_dispatch", *LAST),
    edit: ("INSERT approvals_revision", *LAST),
    broken_glass: ("INSERT approvals_break_glass", *LAST),
    dispatch: ("INSERT approvals_dispatch", "UPDATE approvals_proposal", *LAST),
    proposal: ("INSERT approvals_proposal", "UPDATE kernel_idempotency", *LAST),
}


def kept(cast: Cast) -> Counter[str]:
    """Return what the database holds, once no transaction is under way any more."""
    # A killed process's last words may still be on their way: its locks go when they are read.
    run(cast, "SELECT FROM approvals_proposal FOR UPDATE")
    found = counts(cast, STATES, LEAVES.replace("%(tenant)s", f"'{cast.tenant_id}'"))
    del found["request.refused"]  # the trail has each attempt
    return found


def added(cast: Cast, before: Counter[str]) -> dict[str, int]:
    now = kept(cast)
    return {name: now[name] - before[name] for name in {*now, *before} if now[name] != before[name]}


class TestKilledAtEachWrite:
    @pytest.mark.parametrize("prepare", CASES, ids=lambda prepare: prepare.__name__)
    def test_leaves_all_of_it_or_nothing(
        self, cast: Cast, processes: Processes, prepare: Callable[[Bench], Act]
    ) -> None:
        bench = Bench(cast)
        unharmed, before = prepare(bench), kept(cast)
        unharmed.send()
        whole = added(cast, before)

        found = []
        for point in CASES[prepare]:
            act, before = prepare(bench), kept(cast)
            if not processes.killed_while_answering(point, act):
                break
            found.append(added(cast, before))
            receipt = act.send()
            assert (act.send(), added(cast, before)) == (receipt, whole), point
            assert sum(isinstance(one, Claimed) for one in act.runs()) == act.runs_often
        # Nothing up to some point, and from there on all of it.
        none, all_of_it = found.count({}), found.count(whole)
        assert found == [{}] * none + [whole] * all_of_it
        assert min(none, all_of_it) > 0


class TestKilledBetweenVotes:
    def test_leaves_each_vote_of_a_batch_whole(self, cast: Cast, processes: Processes) -> None:
        """A batch is a transaction for each vote; the same batch again casts what is missing."""
        bench, left = Bench(cast), []
        for point in ("INSERT approvals_vote", "COMMIT", "COMMITTED"):
            act = batch(bench)
            before = kept(cast)
            assert processes.killed_while_answering(point, act)
            left.append(added(cast, before).get("approvals_vote", 0))
            for _ in range(2):
                act.send()
                now_there = added(cast, before)
                assert (now_there["approvals_vote"], now_there["proposals approved"]) == (2, 2)
        assert left == [0, 0, 1]
