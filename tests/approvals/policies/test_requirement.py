"""Requirements in versions: a later one asks at least as much."""

from dataclasses import replace
from typing import Any

import pytest
from django.db import DatabaseError

from approvals import policies
from approvals.cards import Block, ProposalCard, Requirement, Rung, Slot
from approvals.commands.desk import must_lock
from approvals.models import RequirementRow
from console.kernel import clock
from console.kernel.transactions import in_tenant
from tests.accounts import trail
from tests.approvals import desk
from tests.approvals.sql import refused
from tests.cast import Cast

FINANCE = Block(slots=(Slot(groups=("finance",), n=1),))


def ask(cast: Cast, card: ProposalCard, cause: str = "widened", **change: Any) -> Requirement:
    with in_tenant(cast.tenant_id):
        found = must_lock(actor=cast.system, proposal_id=card.id)
        found.ask(replace(found.requirement, **change), cause=cause, at=clock.now())
        return found.requirement


class TestAsk:
    def test_adds_a_row_and_the_newest_counts(self, cast: Cast) -> None:
        card = desk.opened(cast)
        first = desk.now(cast, card).requirement
        more = ask(cast, card, blocks=(*first.blocks, FINANCE))
        assert desk.now(cast, card).requirement == more
        with in_tenant(cast.tenant_id):
            rows = RequirementRow.objects.filter(proposal_id=card.id).order_by("no")
            assert [(row.no, row.cause) for row in rows] == [(1, "opened"), (2, "widened")]

    def test_is_told_with_the_groups_that_are_new(self, cast: Cast) -> None:
        card = desk.opened(cast)
        ask(cast, card, blocks=(*desk.now(cast, card).requirement.blocks, FINANCE))
        told = [e for e in trail.events(cast) if e["action"] == "proposal.widened"]
        assert [e["bind"]["groups"] for e in told] == [["finance"]]

    def test_leaves_a_change_by_policy_to_the_event_of_its_move(self, cast: Cast) -> None:
        card = desk.opened(cast)
        blocks = (*desk.now(cast, card).requirement.blocks, FINANCE)
        with pytest.raises(DatabaseError):  # no event in the transaction, so it is refused
            ask(cast, card, cause="policy", blocks=blocks)

    def test_makes_a_completed_requirement_incomplete(self, cast: Cast) -> None:
        card = desk.opened(cast)
        ask(cast, card, blocks=(*desk.now(cast, card).requirement.blocks, FINANCE))
        desk.approve(card, cast.ruth)
        assert desk.now(cast, card).card.state == "open"
        desk.approve(card, cast.ines)
        assert desk.now(cast, card).card.state == "approved"

    def test_flags_what_nobody_can_complete(self, cast: Cast) -> None:
        card = desk.opened(cast)
        nobody = Block(slots=(Slot(groups=("legal",), n=1),))
        ask(cast, card, blocks=(*desk.now(cast, card).requirement.blocks, nobody))
        with in_tenant(cast.tenant_id):
            found = must_lock(actor=cast.system, proposal_id=card.id)
            assert found.row.unfillable_since is not None

    @pytest.mark.parametrize(
        "looser",
        [
            {"blocks": (Block(slots=(Slot(groups=("*",), n=1),)),)},  # fewer people
            {"blind": False},
            {"stepup_s": 0},
            {"stepup_s": 600},
            {"deny_threshold": 2},
            {"execute_s": 3600},
            {"batch_most": 5},
            {"standing": True},
            {"on_expiry": "approve"},
        ],
    )
    def test_never_asks_less(self, cast: Cast, looser: dict[str, Any]) -> None:
        card = desk.opened(cast, tier=2)
        before = desk.now(cast, card).requirement
        names = {"on_expiry": "requirement_approves_tier_1"}
        name = names.get(next(iter(looser)), "requirement_never_loosened")
        with refused(name):
            ask(cast, card, **looser)
        assert desk.now(cast, card).requirement == before

    def test_never_takes_a_block_away(self, cast: Cast) -> None:
        card = desk.opened(cast)
        one = desk.now(cast, card).requirement.blocks
        ask(cast, card, blocks=(*one, FINANCE))
        with refused("requirement_never_loosened"):
            ask(cast, card, blocks=one)
        with refused("requirement_never_loosened"):
            ask(cast, card, blocks=(FINANCE, FINANCE))  # those who were asked are not any more


class TestRequirementFor:
    def test_gives_the_defaults_of_the_tiers(self) -> None:
        one, two = policies.requirement_for(1), policies.requirement_for(2)
        assert (one.stepup_s, one.batch_most, one.standing) == (0, 25, True)
        assert (two.stepup_s, two.batch_most, two.standing) == (300, 0, False)
        assert one.ladder == (Rung(at="0.5", act="remind"), Rung(at="0.8", act="widen"))
        assert two.ladder == (Rung(at="0.25", act="remind"), Rung(at="0.5", act="widen"))

    def test_survives_being_stored(self, cast: Cast) -> None:
        for tier in (1, 2):
            card = desk.opened(cast, tier=tier)
            assert desk.now(cast, card).requirement == policies.requirement_for(tier)
