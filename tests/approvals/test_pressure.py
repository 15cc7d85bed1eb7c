"""At most 10 requests of a run, 50 of an agent and 1,000 of a tenant wait for people at once."""

from collections import Counter
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.db import connection

from approvals import commands
from approvals.cards import ProposalCard, Subject
from approvals.commands.pressure import MOST_OF_AGENT, MOST_OF_RUN, MOST_OF_TENANT
from approvals.errors import Backpressure
from approvals.models import Proposal
from approvals.states import ProposalState
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant
from tests.approvals.desk import agent, approve, content, facts, opened, principals
from tests.approvals.policies.rules import rule, spoken
from tests.architecture.watch import Watch
from tests.cast import Cast
from tests.races.test_votes import at_once

# Copies of one open proposal, made by the table: a flood of a thousand takes no minute.
COPIES = """
    INSERT INTO approvals_proposal
    SELECT made.* FROM approvals_proposal one, generate_series(1, %(many)s) n,
      LATERAL jsonb_populate_record(one, jsonb_build_object(
        'id', gen_random_uuid(), 'subject_id', gen_random_uuid(), 'run_id', gen_random_uuid(),
        'agent_id', 'agent-' || n %% 50)) made
     WHERE one.id = %(one)s
"""


def waiting(cast: Cast) -> int:
    with in_tenant(cast.tenant_id, read_only=True):
        return Proposal.objects.filter(state=ProposalState.OPEN.value).count()


def fill_run(cast: Cast, run_id: UUID, many: int = MOST_OF_RUN) -> list[ProposalCard]:
    return [opened(cast, facts_=facts(run_id=run_id)) for _ in range(many)]


class TestLimits:
    def test_are_those_of_the_design(self) -> None:
        assert (MOST_OF_RUN, MOST_OF_AGENT, MOST_OF_TENANT) == (10, 50, 1_000)


class TestOpenProposal:
    def test_refuses_the_eleventh_of_a_run_and_keeps_the_ten(self, cast: Cast) -> None:
        run = uuid7()
        fill_run(cast, run)
        with pytest.raises(Backpressure, match="10 requests of this run wait") as refused:
            opened(cast, facts_=facts(run_id=run))
        assert (refused.value.code, refused.value.status) == ("proposal.backpressure", 409)
        assert waiting(cast) == MOST_OF_RUN
        assert opened(cast).state is ProposalState.OPEN  # of another run

    def test_has_room_again_after_a_decision(self, cast: Cast) -> None:
        run = uuid7()
        first, *_ = fill_run(cast, run)
        approve(first, cast.ruth)
        assert opened(cast, facts_=facts(run_id=run)).state is ProposalState.OPEN

    def test_replaces_its_own_in_a_full_run(self, cast: Cast) -> None:
        run, subject = uuid7(), Subject(kind="tool_call", id=uuid7())
        opened(cast, subject=subject, facts_=facts(run_id=run))
        fill_run(cast, run, MOST_OF_RUN - 1)
        other: dict[str, Any] = {"args": {"order_id": "#W2"}}
        made = opened(cast, subject=subject, facts_=facts(run_id=run), **other)
        assert made.state is ProposalState.OPEN
        assert waiting(cast) == MOST_OF_RUN
        again = opened(cast, subject=subject, facts_=facts(run_id=run), **other)
        assert again.id == made.id

    def test_leaves_what_a_rule_settles_alone(self, cast: Cast) -> None:
        run = uuid7()
        fill_run(cast, run)
        spoken(cast, rule("some", "allow", match={"tool": "cancel_*"}))
        assert opened(cast, facts_=facts(run_id=run)).state is ProposalState.APPROVED

    def test_refuses_the_fifty_first_of_an_agent(self, cast: Cast) -> None:
        for _ in range(MOST_OF_AGENT):
            opened(cast)
        with pytest.raises(Backpressure, match="50 requests of this agent wait"):
            opened(cast)
        assert opened(cast, facts_=facts(agent_id="sandbox")).state is ProposalState.OPEN
        assert waiting(cast) == MOST_OF_AGENT + 1

    def test_refuses_what_floods_a_tenant_and_no_other_tenant(self, cast: Cast) -> None:
        with in_tenant(cast.tenant_id), connection.cursor() as cursor:
            first = opened(cast)
            cursor.execute(COPIES, {"one": first.id, "many": MOST_OF_TENANT - 1})
        with pytest.raises(Backpressure, match="1000 requests of the whole tenant wait"):
            opened(cast, facts_=facts(agent_id="sandbox"))
        assert waiting(cast) == MOST_OF_TENANT
        elsewhere = commands.open_proposal(
            actor=cast.mallory,
            subject=Subject(kind="tool_call", id=uuid7()),
            content=content(),
            facts=facts(),
            principals=(),
        )
        assert elsewhere.state is ProposalState.OPEN


class TestFlood:
    def test_of_ten_thousand_is_one_attempt_after_the_other(self, cast: Cast) -> None:
        """C39. The ten thousandth attempt meets what the fifty-first met.

        An attempt beyond the limit is shown to leave every row of every table as it is, the trail
        and what leaves with a commit included. So whoever comes next, of whatever run, meets the
        same tables, and a hundred attempts from eight threads say what ten thousand would.
        """
        waits = {opened(cast).id for _ in range(MOST_OF_AGENT)}
        before = Watch(cast).rows(all_of_it=True)
        got = at_once([partial(self.attempts, cast)] * 8)
        assert got == [{"proposal.backpressure": 13}] * 8
        assert Watch(cast).rows(all_of_it=True) == before
        with in_tenant(cast.tenant_id, read_only=True):
            rows = Proposal.objects.filter(state=ProposalState.OPEN.value)
            assert set(rows.values_list("id", flat=True)) == waits

    def attempts(self, cast: Cast) -> Counter[str]:
        """Ask again and again, each time for something else in another run."""
        said: Counter[str] = Counter()
        for n in range(13):
            try:
                opened(cast, args={"order_id": f"#{n}"})
            except Backpressure as refusal:
                said[refusal.code] += 1
        return said


class TestAtOnce:
    def test_twenty_openings_of_a_run_make_exactly_ten(self, cast: Cast) -> None:
        run = uuid7()
        got = at_once([partial(opened, cast, facts_=facts(run_id=run)) for _ in range(20)])
        assert sum(isinstance(one, ProposalCard) for one in got) == MOST_OF_RUN
        assert sum(isinstance(one, Backpressure) for one in got) == 20 - MOST_OF_RUN
        assert waiting(cast) == MOST_OF_RUN

    def test_one_subject_opened_by_many_is_one(self, cast: Cast) -> None:
        run = uuid7()
        fill_run(cast, run, MOST_OF_RUN - 1)
        ask = partial(
            commands.open_proposal,
            actor=agent(cast),
            subject=Subject(kind="tool_call", id=uuid7()),
            content=content(),
            facts=facts(run_id=run),
            principals=principals(cast),
        )
        found = at_once([ask] * 8)
        assert {one.id for one in found if isinstance(one, ProposalCard)} != set()
        assert len({one.id for one in found if isinstance(one, ProposalCard)}) == 1
        assert waiting(cast) == MOST_OF_RUN
