from uuid import UUID

import pytest

from approvals import queries
from approvals.models import Proposal
from approvals.queries import View, values
from console.kernel import clock
from console.kernel.transactions import in_tenant
from tests.approvals.desk import approve, facts, opened
from tests.approvals.plans import opened_plan
from tests.approvals.sql import as_owner, refused, run
from tests.cast import Cast

WORDS = (
    "",
    "agent:SANDBOX",
    "agent:sand*",
    'agent:"refunds v14"',
    "agent:*3,refunds",
    "-agent:*3",
    "-agent:*",
    '-agent:"Sandbox 3"',
    "-agent:*3,refunds",
    "tool:Refund.Create",
    "tool:refund.*",
    "tool:set_note",
    "tool:SET_*,refund.create",
    "-tool:set_note",
    "tool:plan",
    "tool:nothing",
    "-tool:nothing",
    "-tool:refund.*",
    "-tool:refund.undo,plan",
    "-tool:*",
    "group:care",
    'group:"+","*"',
    '-group:"+"',
    '-group:"+","*"',
    "-group:nobody",
    "mine:yes agent:sandbox",
)


def desk(cast: Cast) -> None:
    opened(cast)
    opened(cast, tier=2, tool="refund.create")
    opened(cast, tool="refund.undo", facts_=facts(1, agent_id="sandbox", agent_label="Sandbox 3"))
    opened(cast, tool="refund.undo", facts_=facts(1, agent_id="sandbox", agent_label="Sandbox 4"))
    opened_plan(cast, 2)


def lists(cast: Cast) -> dict[tuple[str, View], list[UUID]]:
    found = {}
    for words in WORDS:
        for view in (View.MINE, View.TEAM, View.WAITING):
            page = queries.awaiting_review(actor=cast.ruth, view=view, words=words)
            found[words, view] = [row.card.id for row in page.rows]
    return found


class TestValues:
    def test_select_what_a_condition_on_each_row_selects(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        desk(cast)
        by_value = lists(cast)
        monkeypatch.setattr(values, "MOST_VALUES", 0)
        assert lists(cast) == by_value
        assert len({tuple(found) for found in by_value.values()}) > 5

    def test_are_of_what_waits_and_filters_reach_what_does_not(self, cast: Cast) -> None:
        card = opened(cast, tool="refund.create")
        as_of = clock.now()
        approve(card, cast.ruth)
        opened(cast)
        for view in (View.DECIDED, View.MINE):
            page = queries.awaiting_review(
                actor=cast.ruth, view=view, words="tool:refund.* agent:refunds", as_of=as_of
            )
            assert [row.card.id for row in page.rows] == [card.id]

    def test_are_compared_as_row_level_security_lets_an_index_do(self, cast: Cast) -> None:
        leaky = """
            SELECT o.oid::regoperator FROM pg_operator o JOIN pg_proc p ON p.oid = o.oprcode
             WHERE o.oprname IN ('=', '>') AND o.oprleft = o.oprright AND NOT p.proleakproof
               AND o.oprleft IN ('uuid'::regtype, 'text'::regtype)
        """
        assert run(cast, leaky) == []
        indexes = "SELECT indexdef FROM pg_indexes WHERE indexname = ANY(%(names)s)"
        names = ["proposal_asked", "proposal_waiting_tool", "proposal_waiting_agent"]
        found = {row[0].split("USING btree ")[1] for row in run(cast, indexes, names=names)}
        waits = "WHERE ((state)::text = ANY"
        assert {each.partition(waits)[0].strip() for each in found} == {
            "(tenant_id, asked_key, agent_id, tool)",
            "(tenant_id, tool)",
            "(tenant_id, agent_id, agent_label)",
        }

    def test_are_nobodys_to_write(self, cast: Cast) -> None:
        card = opened(cast)
        of_it = {"id": card.id, "key": UUID(int=7)}
        with refused("42501"):
            run(
                cast, "UPDATE approvals_proposal SET asked_key = %(key)s WHERE id = %(id)s", **of_it
            )
        with in_tenant(cast.tenant_id):
            kept = Proposal.objects.get(pk=card.id).asked_key
        with as_owner() as owner:
            owner.execute(
                "SELECT set_config('signalbox.tenant_id', %s, true)", [str(cast.tenant_id)]
            )
            owner.execute("ALTER TABLE approvals_proposal DISABLE TRIGGER must_audit")
            written = owner.execute(
                "UPDATE approvals_proposal SET asked_key = %(key)s WHERE id = %(id)s "
                "RETURNING asked_key",
                of_it,
            ).fetchall()
        assert written == [(kept,)]
