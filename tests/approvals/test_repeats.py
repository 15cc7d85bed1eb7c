"""What people rejected is not put before them again for a day."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import Error, connection

from approvals import commands, queries
from approvals.cards import ProposalCard
from approvals.commands import repeats
from approvals.models import Proposal, Revision
from approvals.states import ProposalState
from console.kernel import clock
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant
from tests.accounts.trail import events
from tests.approvals.desk import agent, content, facts, now, opened, reject
from tests.approvals.policies.rules import rule, spoken
from tests.cast import Cast

DAY = timedelta(hours=24)


def rejected(cast: Cast) -> ProposalCard:
    card = opened(cast)
    reject(card, cast.ruth)
    return card


def decided_event(cast: Cast, card: ProposalCard) -> Mapping[str, Any]:
    """Return what the trail holds of how a proposal ended."""
    facts_of: Mapping[str, Any]
    found = [one["bind"] for one in events(cast) if one["action"] == "proposal.decided"]
    (facts_of,) = [one for one in found if one["proposal_id"] == str(card.id)]
    return facts_of


@contextmanager
def new_secret() -> Iterator[None]:
    old = settings.SECRET_KEY
    try:
        settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [old], "k" * 50
        yield
    finally:
        settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = old, []


class TestFingerprintOf:
    def test_is_of_tenant_tool_and_arguments_and_nothing_else(self) -> None:
        tenant = uuid7()
        base = repeats.fingerprint_of(tenant, content())
        moved = content(before={}, after={}, contract_hash="d" * 64)
        assert repeats.fingerprint_of(tenant, moved) == base
        assert len(base) == 32
        others = {
            repeats.fingerprint_of(uuid7(), content()),
            repeats.fingerprint_of(tenant, content(tool="another_tool")),
            repeats.fingerprint_of(tenant, content(args={"order_id": "#W2"})),
        }
        assert len(others | {base}) == 4

    def test_is_kept_with_each_revision(self, cast: Cast) -> None:
        card = opened(cast)
        with in_tenant(cast.tenant_id, read_only=True):
            found = Revision.objects.get(proposal_id=card.id).fingerprint
        assert bytes(found or b"") == repeats.fingerprint_of(cast.tenant_id, content())


class TestOpenProposal:
    def test_blocks_what_was_rejected_and_names_it(self, cast: Cast) -> None:
        first = rejected(cast)
        again = opened(cast)
        assert again.state is ProposalState.BLOCKED
        ending = queries.ending_of(actor=cast.system, proposal_id=again.id)
        assert (ending.cause, ending.repeats) == (repeats.REPEATED, first.id)
        event = decided_event(cast, again)
        assert event["repeats"] == str(first.id)
        assert event["code"] == "proposal.repeated"
        assert event["basis"] == ""
        assert "do not ask for it again" in event["agent_message"]

    def test_blocks_it_though_a_rule_allows_it(self, cast: Cast) -> None:
        rejected(cast)
        spoken(cast, rule("all", "allow", match={"tool": "cancel_*"}))
        assert opened(cast).state is ProposalState.BLOCKED

    def test_forgets_it_after_a_day(self, cast: Cast) -> None:
        first = rejected(cast)
        decided = now(cast, first).card.moved_at
        with clock.frozen(decided + DAY - timedelta(seconds=1)):
            assert opened(cast).state is ProposalState.BLOCKED
        with clock.frozen(decided + DAY):
            assert opened(cast).state is ProposalState.OPEN

    @pytest.mark.parametrize(
        "other", [{"tool": "return_order"}, {"args": {"order_id": "#W2"}}], ids=["tool", "args"]
    )
    def test_lets_another_call_through(self, cast: Cast, other: dict[str, Any]) -> None:
        rejected(cast)
        assert opened(cast, **other).state is ProposalState.OPEN

    def test_lets_another_agent_and_another_tenant_ask(self, cast: Cast) -> None:
        rejected(cast)
        by_another = opened(cast, facts_=facts(agent_id="sandbox"))
        assert by_another.state is ProposalState.OPEN

    def test_counts_only_what_people_rejected(self, cast: Cast) -> None:
        withdrawn = opened(cast)
        commands.withdraw(actor=agent(cast), proposal_id=withdrawn.id, cause="run ended")
        late = opened(cast)
        assert late.state is ProposalState.OPEN
        with clock.frozen(late.decide_by):
            assert opened(cast).state is ProposalState.OPEN

    def test_never_blocks_a_repeat_of_a_repeat_for_longer(self, cast: Cast) -> None:
        first = rejected(cast)
        decided = now(cast, first).card.moved_at
        with clock.frozen(decided + timedelta(hours=23)):
            opened(cast)
        with clock.frozen(decided + DAY):
            assert opened(cast).state is ProposalState.OPEN

    def test_finds_it_under_an_older_secret_key(self, cast: Cast) -> None:
        rejected(cast)
        with new_secret():
            assert opened(cast).state is ProposalState.BLOCKED


class TestConstraints:
    def test_keep_a_link_to_what_was_rejected_on_what_is_blocked_only(self, cast: Cast) -> None:
        first = rejected(cast)
        row = {"id": uuid7(), "repeats": first.id}
        with pytest.raises(Error, match="proposal_repeat_is_blocked"):
            self.copied(cast, opened(cast, args={"n": "1"}).id, **row)

    def test_let_nobody_change_either(self, cast: Cast) -> None:
        card = opened(cast)
        for table, column in (("proposal", "repeats"), ("revision", "fingerprint")):
            with (
                pytest.raises(Error, match="permission denied"),
                in_tenant(cast.tenant_id),
                connection.cursor() as cursor,
            ):
                cursor.execute(f"UPDATE approvals_{table} SET {column} = NULL")
        assert now(cast, card).card.state is ProposalState.OPEN

    def copied(self, cast: Cast, old: UUID, **other: object) -> None:
        with in_tenant(cast.tenant_id):
            row = Proposal.objects.get(pk=old)
            row.subject_id = uuid7()
            for name, value in other.items():
                setattr(row, name, value)
            row.save(force_insert=True)


class TestPage:
    def test_links_what_was_rejected(self, cast: Cast) -> None:
        first = rejected(cast)
        again = opened(cast)
        page = cast.client("ruth").get(f"/reviews/{again.id}/").content.decode()
        assert f'href="/reviews/{first.id}/">See what they rejected' in page
        assert "less than 24 hours" in page
