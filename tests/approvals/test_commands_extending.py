from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from approvals import commands, queries
from approvals.cards import ProposalCard
from approvals.errors import (
    AlreadyDecided,
    ClockMoved,
    ExtendNotEligible,
    ExtensionsSpent,
    ProposalExpired,
    ProposalFrozen,
    VoteByMachine,
)
from approvals.states import ProposalState
from audit.queries import events_of
from console.accounts import commands as accounts
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import BadInput, ConsoleError, NotFound
from tests.approvals.clocks import CARE_THEN_FINANCE, asking, due, happened, sweep
from tests.approvals.desk import agent, approve, now, opened, reject
from tests.approvals.sql import refused, run
from tests.cast import Cast

MINUTE = timedelta(minutes=1)
BASE = "/api/v1/approvals/proposals"


def extend(actor: Actor, card: ProposalCard, **other: Any) -> ProposalCard:
    values = {"reason": "The customer is asked for a receipt.", **other}
    return commands.extend(actor=actor, proposal_id=card.id, **values)


class TestExtend:
    def test_gives_half_a_window_twice(self, cast: Cast) -> None:
        card = opened(cast)
        assert extend(cast.ruth, card).decide_by == card.decide_by + 30 * MINUTE
        assert extend(cast.ines, card).decide_by == card.decide_by + 60 * MINUTE
        with pytest.raises(ExtensionsSpent) as spent:
            extend(cast.ruth, card)
        assert spent.value.code == "extend.spent"
        with clock.frozen(card.decide_by + 59 * MINUTE):
            assert approve(card, cast.ruth).state is ProposalState.APPROVED

    def test_keeps_who_and_why(self, cast: Cast) -> None:
        card = opened(cast)
        extend(cast.ruth, card)
        clock_card = queries.clock_of(actor=cast.ines, proposal_id=card.id)
        (line,) = clock_card.extensions
        assert (line.who, line.reason) == ("Ruth", "The customer is asked for a receipt.")
        assert (clock_card.extensions_left, clock_card.clock_no) == (1, 2)
        found = events_of(actor=cast.system, target_type="proposal", target_id=str(card.id))
        assert found[0].action == "proposal.extended"

    def test_moves_the_ladder_and_repeats_nothing_that_is_past(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asking(monkeypatch, **CARE_THEN_FINANCE)
        card = opened(cast)
        with clock.frozen(card.opened_at + 46 * MINUTE):
            sweep(cast, clock.now())
            extend(cast.ruth, card)
            assert due(cast, card) == {
                "decide": card.opened_at + 90 * MINUTE,
                "widen": card.opened_at + 72 * MINUTE,
            }
            sweep(cast, clock.now())
        assert happened(cast, card).count("proposal.reminded") == 1
        sweep(cast, card.opened_at + 72 * MINUTE)
        assert happened(cast, card)[-1] == "proposal.widened"

    def test_climbs_a_rung_that_was_missed(self, cast: Cast) -> None:
        card = opened(cast)
        with clock.frozen(card.opened_at + 50 * MINUTE):
            extend(cast.ruth, card)  # pulse was dead, so nobody was reminded at 30 minutes
            sweep(cast, clock.now())
        assert happened(cast, card)[-1] == "proposal.reminded"

    def test_is_for_voters_and_those_with_the_right(self, cast: Cast) -> None:
        card = opened(cast, chain=())
        clerk = cast.add("clerk", roles=("auditor",))
        with pytest.raises(ExtendNotEligible):
            extend(clerk, card)
        admin = cast.add("admin", roles=("admin",))
        assert extend(admin, card).decide_by > card.decide_by

    def test_is_not_for_who_had_a_part_in_it(self, cast: Cast) -> None:
        card = opened(cast)
        assert cast.noor.has("approvals.extend")
        with pytest.raises(ExtendNotEligible) as barred:
            extend(cast.noor, card)
        assert barred.value.status == 403

    def test_is_not_for_machines(self, cast: Cast) -> None:
        card = opened(cast)
        for actor in (agent(cast), cast.system):
            with pytest.raises(VoteByMachine):
                extend(actor, card)

    def test_is_too_late_after_the_deadline_and_keeps_the_expiry(self, cast: Cast) -> None:
        card = opened(cast)
        with clock.frozen(card.decide_by), pytest.raises(ProposalExpired):
            extend(cast.ruth, card)
        assert now(cast, card).card.state is ProposalState.EXPIRED

    def test_is_refused_when_nothing_waits(self, cast: Cast) -> None:
        card = opened(cast)
        commands.freeze(actor=cast.omar, proposal_ids=[card.id], cause="stop", since=clock.now())
        with pytest.raises(ProposalFrozen):
            extend(cast.ruth, card)
        reject(card, cast.ruth)
        with pytest.raises(AlreadyDecided):
            extend(cast.ines, card)

    @pytest.mark.parametrize("reason", ["", "  \n", "x" * 501, "a\x00b"])
    def test_needs_a_reason(self, cast: Cast, reason: str) -> None:
        card = opened(cast)
        with pytest.raises(BadInput) as wrong:
            extend(cast.ruth, card, reason=reason)
        assert "reason" in dict(wrong.value.details["fields"])  # type: ignore[call-overload]
        assert queries.clock_of(actor=cast.ruth, proposal_id=card.id).clock_no == 1

    def test_hides_the_proposal_from_another_tenant(self, cast: Cast) -> None:
        card = opened(cast)
        with pytest.raises(NotFound):
            extend(cast.mallory, card)

    def test_extends_once_when_two_press_at_once(self, cast: Cast) -> None:
        card = opened(cast)
        barrier = Barrier(4)

        def press(actor: Actor) -> str:
            try:
                barrier.wait()
                extend(actor, card, clock_no=1)
            except ConsoleError as refusal:
                return refusal.code
            finally:
                connection.close()
            return "ok"

        actors = [cast.ruth, cast.ines, cast.ruth, cast.ines]
        with ThreadPoolExecutor(4) as pool:
            said = sorted(pool.map(press, actors))
        assert said == [ClockMoved.code] * 3 + ["ok"]

    def test_is_limited_by_the_database_too(self, cast: Cast) -> None:
        card = opened(cast)
        with refused("proposal_extended_twice_at_most"):
            run(
                cast,
                "UPDATE approvals_proposal SET extensions = 3 WHERE id = %(id)s",
                id=card.id,
            )


class TestPage:
    def test_extends_and_says_so(self, cast: Cast) -> None:
        card = opened(cast)
        client = cast.client("ruth")
        page = client.get(f"/reviews/{card.id}/").content.decode()
        assert "Extend the time" in page
        assert "nothing runs, and the agent is told so" in page
        answer = client.post(
            f"/reviews/{card.id}/extend/", {"extend_reason": "Waiting for a call.", "clock_no": 1}
        )
        assert answer.status_code == 302
        assert "extended it: Waiting for a call." in client.get(answer["Location"]).content.decode()

    def test_keeps_what_was_typed_beside_the_refusal(self, cast: Cast) -> None:
        card = opened(cast)
        extend(cast.ines, card)
        answer = cast.client("ruth").post(
            f"/reviews/{card.id}/extend/", {"extend_reason": "Mine, typed.", "clock_no": 1}
        )
        assert answer.status_code == 409
        page = answer.content.decode()
        assert "extend.moved" in page
        assert "Mine, typed." in page

    def test_says_why_not_beside_the_disabled_control(self, cast: Cast) -> None:
        card = opened(cast)
        page = cast.client("noor").get(f"/reviews/{card.id}/").content.decode()
        assert "You have a part in this request" in page
        assert "Extend the time" not in page


class TestApi:
    def test_extends_by_the_clock_that_was_read(self, cast: Cast) -> None:
        card = opened(cast)
        client = cast.api("ruth")
        seen = client.get(f"{BASE}/{card.id}/clock").json()
        assert (seen["clock_no"], seen["extensions_left"], seen["fallback"]) == (1, 2, "refuse")
        body = {"reason": "Waiting for a call.", "clock_no": seen["clock_no"]}
        answer = client.post(f"{BASE}/{card.id}/extend", body, format="json")
        assert answer.status_code == 200
        assert answer.json()["clock_no"] == 2
        again = client.post(f"{BASE}/{card.id}/extend", body, format="json")
        assert (again.status_code, again.json()["code"]) == (409, "extend.moved")

    def test_is_for_people(self, cast: Cast) -> None:
        card = opened(cast)
        body = {"reason": "More.", "clock_no": 1}
        answer = cast.key_client("approvals.view").post(
            f"{BASE}/{card.id}/extend", body, format="json"
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "vote.machine")


class TestTheAdministrator:
    def test_may_extend_although_they_may_not_vote(self, cast: Cast) -> None:
        card = opened(cast, chain=())
        accounts.set_membership(
            actor=cast.noor, person_id=cast.members["omar"].id, roles=["admin"], groups=[],
            active=True,
        )  # fmt: skip
        refusal = queries.clock_of(actor=cast.omar, proposal_id=card.id).extend_refusal
        assert "part in this request" in refusal  # Omar started the run, whatever else he is
