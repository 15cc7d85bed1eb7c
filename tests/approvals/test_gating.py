"""The gate itself is changed by the word of two people; what tightens it asks nobody."""

from typing import Any
from uuid import UUID

import pytest

from approvals import commands, queries
from approvals.cards import ProposalCard, ToolChange
from approvals.commands import external_tools, gating
from approvals.errors import ExternalToolTaken, NotEditable, PolicyConflict
from approvals.errors.breaking import BreakGlassNotOffered
from approvals.states import Choice, ProposalState
from console.accounts import commands as accounts
from console.kernel import relay
from console.kernel.actors import system
from console.kernel.ids import uuid7
from tests.accounts import trail
from tests.approvals import glass
from tests.approvals.desk import now, reject, shown, vote
from tests.approvals.outsider import TOOL, agreed, registered
from tests.approvals.sql import refused, run
from tests.cast import Cast, make_tenant, signed_in
from tests.races.test_votes import at_once


def add(cast: Cast, *, tier: int, name: str = TOOL, summary: str = "Phones.") -> ToolChange:
    return commands.add_external_tool(actor=cast.noor, name=name, tier=tier, summary=summary)


def retire(cast: Cast, tool_id: UUID) -> ToolChange:
    return commands.retire_external_tool(actor=cast.noor, tool_id=tool_id)


def offered(cast: Cast) -> dict[str, int]:
    tools = queries.external_tools(actor=cast.noor)
    return {one.name: one.tier for one in tools if one.retired_at is None}


def waits(change: ToolChange) -> ProposalCard:
    assert change.waiting is not None
    return change.waiting


def told(cast: Cast, action: str) -> dict[str, Any]:
    return [one for one in trail.events(cast) if one["action"] == action][-1]


class TestAddExternalTool:
    def test_asks_nobody_for_a_new_name_with_the_highest_tier(self, cast: Cast) -> None:
        assert add(cast, tier=2).waiting is None
        assert offered(cast) == {TOOL: 2}

    def test_asks_two_people_for_a_new_name_with_a_lower_one(self, cast: Cast) -> None:
        card = waits(add(cast, tier=1))

        assert offered(cast) == {}
        detail = now(cast, card, cast.ruth)
        assert (detail.card.tier, detail.requirement.people) == (2, 2)
        assert detail.card.title == f"Register the tool {TOOL} with tier 1"
        after = {"offered": True, "tier": 1, "summary": "Phones.", "schema": None}
        assert (detail.content.before, detail.content.after) == (
            {},
            {"external_tools": {TOOL: after}},
        )
        assert agreed(cast, card).state is ProposalState.DISPATCHED
        assert offered(cast) == {TOOL: 1}
        event = told(cast, "external_tool.added")
        assert event["bind"]["proposal_id"] == str(card.id)
        (tool,) = queries.external_tools(actor=cast.noor)
        assert (tool.added_by, tool.agreed_by) == (cast.noor.label, card.id)

    def test_lets_nobody_lower_the_floor_of_a_name_that_was_there(self, cast: Cast) -> None:
        """An administrator alone retires a tool and registers it anew at a lower tier."""
        tool_id = registered(cast, tier=2)
        with pytest.raises(ExternalToolTaken):
            add(cast, tier=1)
        gone = waits(retire(cast, tool_id))
        assert offered(cast) == {TOOL: 2}
        agreed(cast, gone)

        card = waits(add(cast, tier=1))
        detail = now(cast, card, cast.ruth)
        before = detail.content.before["external_tools"][TOOL]
        assert (before["offered"], before["tier"]) == (False, 2)
        assert offered(cast) == {}
        # Another summary under the same name misleads as well as a lower tier does.
        assert add(cast, tier=2, summary="Harmless.").waiting is not None
        assert now(cast, card).card.state is ProposalState.SUPERSEDED

    def test_is_decided_by_two_others(self, cast: Cast) -> None:
        cast.add("nils", roles=("admin", "reviewer"), groups=("care",))
        nils = cast.members["nils"].actor
        card = waits(commands.add_external_tool(actor=nils, name=TOOL, tier=1, summary="Phones."))
        assert "started" in now(cast, card, nils).refusal
        vote(shown(card, cast.ruth), cast.ruth, Choice.APPROVE)
        assert now(cast, card).card.state is ProposalState.OPEN

    def test_does_not_ask_again_for_what_people_rejected(self, cast: Cast) -> None:
        reject(waits(add(cast, tier=1)), cast.ruth)
        assert waits(add(cast, tier=1)).state is ProposalState.BLOCKED
        page = cast.client("noor").post(
            "/reviews/tools/", {"name": TOOL, "tier": "1", "summary": "Phones."}, follow=True
        )
        assert b"Nobody is asked again" in page.content

    def test_asks_nobody_while_a_tenant_is_being_founded(self) -> None:
        tenant = make_tenant("Alone", "alone")
        made = accounts.add_person(
            actor=system("tests", tenant.id),
            email=f"fay.{uuid7().hex[-12:]}@alone.example",
            name="Fay",
            roles=("admin",),
            groups=(),
            password_hash="x",
        )
        fay = signed_in(tenant.id, made.person)
        added = commands.add_external_tool(actor=fay, name=TOOL, tier=1, summary="Phones.")
        assert added.tool is not None
        ended = commands.retire_external_tool(actor=fay, tool_id=added.tool.id)
        assert (ended.waiting, ended.tool and ended.tool.retired_at is not None) == (None, True)

    def test_two_that_carry_it_out_at_once_do_it_once(self, cast: Cast) -> None:
        card = waits(add(cast, tier=1))
        for person in (cast.ruth, cast.ines):
            vote(shown(card, person), person, Choice.APPROVE)
        at_once(
            [lambda: commands.carry_out(actor=cast.system, proposal_id=card.id) for _ in range(2)]
        )
        assert commands.carry_out_due(actor=cast.system) == 0
        assert offered(cast) == {TOOL: 1}

    def test_goes_stale_when_the_name_was_taken_meanwhile(self, cast: Cast) -> None:
        card = waits(add(cast, tier=1))
        add(cast, tier=2)
        assert agreed(cast, card).state is ProposalState.STALE
        assert offered(cast) == {TOOL: 2}

    def test_is_no_change_of_anybody_else(self, cast: Cast) -> None:
        """Nobody forces it or edits it, on the page or past it."""
        card = waits(add(cast, tier=1))
        glass.lend(cast, cast.ruth)
        with pytest.raises(BreakGlassNotOffered):
            glass.use(card, cast.ruth)
        with pytest.raises(NotEditable):
            commands.edit(
                actor=cast.ruth,
                proposal_id=card.id,
                revision_no=1,
                seen_digest=card.digest,
                args={"name": TOOL, "tier": 2, "summary": "Phones."},
            )


class TestCarriedOut:
    def test_only_by_the_proposal_that_says_so(self, cast: Cast) -> None:
        card = waits(add(cast, tier=1))
        args = {"name": TOOL, "tier": 1, "summary": "Phones.", "schema": None}
        with pytest.raises(PolicyConflict):
            external_tools.register_agreed(
                actor=cast.noor, subject_id=card.subject.id, args=args, proposal_id=card.id
            )
        assert offered(cast) == {}

    def test_follows_from_the_last_vote(self, cast: Cast) -> None:
        card = waits(add(cast, tier=1))
        for person in (cast.ruth, cast.ines):
            vote(shown(card, person), person, Choice.APPROVE)
        relay.relay_all(tenant_id=cast.tenant_id)
        assert offered(cast) == {TOOL: 1}


class TestRawSql:
    """The application's role, past every command."""

    INSERT = (
        "INSERT INTO approvals_external_tool (id, tenant_id, name, tier, summary, added_by,"
        " agreed_by) VALUES (%(id)s, %(tenant)s, %(name)s, %(tier)s, 'X.', 'Noor', %(by)s)"
    )

    def insert(self, cast: Cast, **other: Any) -> None:
        values = {"id": uuid7(), "tenant": cast.tenant_id, "name": TOOL, "tier": 1, "by": None}
        run(cast, self.INSERT, **{**values, **other})

    def test_registers_nothing_looser_alone(self, cast: Cast) -> None:
        with refused("external_tool_was_agreed"):
            self.insert(cast)
        registered(cast, "seen.before", tier=2)
        with refused("external_tool_was_agreed"):
            self.insert(cast, name="seen.before", tier=2)

    def test_uses_no_agreement_for_another_tool_or_twice(self, cast: Cast) -> None:
        card = waits(add(cast, tier=1))
        by = card.id
        with refused("external_tool_was_agreed"):  # nobody agreed yet
            self.insert(cast, by=by)
        agreed(cast, card)
        (tool,) = queries.external_tools(actor=cast.noor)
        with refused("external_tool_was_agreed"):
            self.insert(cast, name="crm.delete", by=by)
        agreed(cast, retire(cast, tool.id).waiting)
        with refused("external_tool_agreed_once"):
            self.insert(cast, by=by)

    def test_ends_nothing_alone_and_brings_nothing_back(self, cast: Cast) -> None:
        tool_id = registered(cast, tier=2)
        end = "UPDATE approvals_external_tool SET retired_at = now() WHERE id = %(id)s"
        with refused("external_tool_was_agreed"):
            run(cast, end, id=tool_id)
        agreed(cast, retire(cast, tool_id).waiting)
        with refused("external_tool_only_ends"):
            run(
                cast,
                "UPDATE approvals_external_tool SET retired_at = NULL WHERE id = %(id)s",
                id=tool_id,
            )

    def test_switches_no_checks_off(self, cast: Cast) -> None:
        commands.switch_checks(actor=cast.noor, is_on=True)
        with refused("checks_off_was_agreed"):
            run(cast, "UPDATE approvals_checksetting SET is_on = false")


class TestSwitchChecks:
    def test_off_asks_two_people(self, cast: Cast) -> None:
        commands.switch_checks(actor=cast.noor, is_on=True)
        asked = commands.switch_checks(actor=cast.noor, is_on=False)
        assert (asked.is_on, asked.blocked) == (True, False)
        assert asked.waiting_id is not None
        assert queries.check_setting(actor=cast.ruth).waiting_id == asked.waiting_id
        page = cast.client("noor").get("/reviews/attention/").content.decode()
        assert f"/reviews/{asked.waiting_id}/" in page
        assert "Plant no more checks" not in page

        card = queries.proposal(actor=cast.noor, proposal_id=asked.waiting_id).card
        assert card.title == "Plant no more checks"
        assert agreed(cast, card).state is ProposalState.DISPATCHED

        is_now = queries.check_setting(actor=cast.ruth)
        assert (is_now.is_on, is_now.set_by, is_now.waiting_id) == (False, cast.noor.label, None)
        event = told(cast, "checks.switched")
        assert event["bind"] | {"is_on": False, "proposal_id": str(card.id)} == event["bind"]

    def test_off_is_nothing_where_they_are_off(self, cast: Cast) -> None:
        assert not commands.switch_checks(actor=cast.noor, is_on=False).is_on
        assert queries.gate_waiting(actor=cast.noor, tools=(gating.STOP_CHECKS,)) == ()

    def test_answers_the_same_by_the_api(self, cast: Cast) -> None:
        api = cast.api("noor")
        path = "/api/v1/approvals/attention/checks"
        on = api.post(path, {"is_on": True}, format="json").json()
        off = api.post(path, {"is_on": False}, format="json").json()
        assert (on["is_on"], on["waiting_id"]) == (True, None)
        assert (off["is_on"], off["blocked"]) == (True, False)
        assert off["waiting_id"]
