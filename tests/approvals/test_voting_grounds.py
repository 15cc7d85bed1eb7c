"""What a vote rests on: a fresh sign-in, all of the change on the screen, and maybe a signature."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from approvals import commands, policies, queries
from approvals.cards import ProposalCard
from approvals.errors import (
    NotFullyShown,
)
from approvals.models import Served, Vote
from approvals.policies import requirement, view_digest
from approvals.states import Choice, ProposalState
from console.accounts import commands as accounts
from console.accounts import queries as people
from console.accounts.errors import StepUpRequired
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.transactions import in_tenant
from tests.accounts.test_proofs import aged
from tests.accounts.trail import events
from tests.approvals.desk import agent, approve, now, opened, pulse, reject, shown
from tests.approvals.sql import refused, run
from tests.cast import PASSWORD, Cast

LONG = "\n".join(f"line {number}" for number in range(400))


def vote(card: ProposalCard, actor: Actor, **other: Any) -> Any:
    """Vote without looking first."""
    values: dict[str, Any] = {"choice": Choice.APPROVE, **other}
    return commands.cast_vote(
        actor=actor,
        proposal_id=card.id,
        revision_no=card.revision_no,
        seen_digest=card.digest,
        **values,
    )


def row_of(cast: Cast, card: ProposalCard) -> Vote:
    with in_tenant(cast.tenant_id, read_only=True):
        return Vote.objects.filter(proposal_id=card.id).latest("cast_at")


def cast_event(cast: Cast) -> dict[str, Any]:
    found: dict[str, Any] = [one for one in events(cast) if one["action"] == "vote.cast"][-1]
    return found


class TestStepUp:
    def test_is_asked_for_an_old_sign_in_of_the_highest_tier(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        with pytest.raises(StepUpRequired) as asked:
            approve(card, aged(cast.ruth, 301))
        assert asked.value.details == {"within_s": 300}
        assert now(cast, card).history[-1].action == "vote.refused"

        accounts.step_up(actor=cast.ruth, password=PASSWORD)
        assert approve(card, cast.ruth).given == 1

    def test_is_not_asked_for_below(self, cast: Cast) -> None:
        assert approve(opened(cast), aged(cast.ruth, 9000)).state is ProposalState.APPROVED

    def test_never_holds_up_a_rejection(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        assert reject(card, aged(cast.ruth, 9000)).state is ProposalState.REJECTED

    def test_counts_by_the_database_s_clock(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        with clock.frozen(card.decide_by - timedelta(seconds=1)):
            assert approve(card, cast.ruth).given == 1

    def test_is_kept_with_the_vote_and_in_the_trail(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        approve(card, cast.ruth)
        proof = people.proof(actor=cast.ruth)
        assert proof is not None
        assert row_of(cast, card).stepup_at == proof.at
        assert cast_event(cast)["bind"]["stepup_at"] == proof.at.isoformat()

    def test_is_told_before_the_vote(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        client = cast.client("ruth")
        fresh = client.get(f"/reviews/{card.id}/").content.decode()
        session = people.digest_of(str(client.session.session_key))
        aged(replace(cast.ruth, session=session), 301)
        old = client.get(f"/reviews/{card.id}/").content.decode()
        assert "yours counts until" in fresh
        assert f"/account/step-up/?next=/reviews/{card.id}/" in old
        answer = client.post(
            f"/reviews/{card.id}/vote/",
            {"choice": "approve", "revision_no": 1, "seen_digest": card.digest, "record": "1",
             "note": "my words"},
        )  # fmt: skip
        assert answer.status_code == 403
        assert "my words" in answer.content.decode()


class TestServeParts:
    def test_lets_nobody_approve_what_they_never_saw(self, cast: Cast) -> None:
        card = opened(cast)
        with pytest.raises(NotFullyShown):
            vote(card, cast.ruth)
        shown(card, cast.ines)  # that somebody else saw it is no help
        with pytest.raises(NotFullyShown):
            vote(card, cast.ruth)
        shown(card, cast.ruth)
        assert vote(card, cast.ruth).state is ProposalState.APPROVED

    def test_counts_in_the_session_that_saw_it(self, cast: Cast) -> None:
        card = opened(cast)
        shown(card, cast.ruth)
        other = replace(cast.ruth, session="ab" * 32)
        with pytest.raises(NotFullyShown):
            vote(card, other)

    def test_counts_for_its_revision_only(self, cast: Cast) -> None:
        card = opened(cast)
        shown(replace(card, revision_no=2), cast.ruth)
        with in_tenant(cast.tenant_id, read_only=True):
            assert not Served.objects.filter(proposal_id=card.id).exists()

    def test_needs_folded_parts_to_be_opened(self, cast: Cast) -> None:
        after = {"orders": {"#W1": {"status": "pending", "total": 41800, "note": LONG}}}
        card = opened(cast, after=after)
        client = cast.client("ruth")
        client.get(f"/reviews/{card.id}/")
        actor = replace(cast.ruth, session=people.digest_of(str(client.session.session_key)))
        with pytest.raises(NotFullyShown) as missing:
            vote(card, actor)
        folded = missing.value.details["missing"]
        assert folded
        client.get(f"/reviews/{card.id}/?open={','.join(map(str, folded))}")  # type: ignore[call-overload]
        assert vote(card, actor).state is ProposalState.APPROVED

    def test_is_done_by_the_api_as_a_whole(self, cast: Cast) -> None:
        card = opened(cast)
        client = cast.api("ruth")
        body = {"revision": 1, "digest": card.digest, "choice": "approve"}
        address = f"/api/v1/approvals/proposals/{card.id}"
        before = client.post(f"{address}/votes", body, format="json")
        assert (before.status_code, before.json()["code"]) == (409, "vote.not_fully_shown")
        client.get(f"{address}/votes/mine")
        assert client.post(f"{address}/votes", body, format="json").status_code == 409
        client.get(address)
        assert client.post(f"{address}/votes", body, format="json").status_code == 201

    def test_never_holds_up_a_rejection(self, cast: Cast) -> None:
        card = opened(cast)
        said = {"choice": Choice.REJECT, "reason_code": "other", "note": "No."}
        assert vote(card, cast.ruth, **said).state is ProposalState.REJECTED
        assert row_of(cast, card).view_digest is None

    def test_is_kept_with_the_vote_and_in_the_trail(self, cast: Cast) -> None:
        card = opened(cast)
        approve(card, cast.ruth)
        with in_tenant(cast.tenant_id, read_only=True):
            served = [row.card() for row in Served.objects.filter(proposal_id=card.id)]
        digest = view_digest(card.digest, served)
        row, bind = row_of(cast, card), cast_event(cast)["bind"]
        assert row.view_digest is not None
        assert bytes(row.view_digest) == digest
        assert bind["view_digest"] == digest.hex()
        assert row.served_at == max(one.served_at for one in served) <= row.cast_at

    def test_keeps_each_part_once_and_only_of_people_while_it_is_open(self, cast: Cast) -> None:
        card = opened(cast)
        for actor in (cast.ruth, cast.ruth, agent(cast), pulse(cast)):
            shown(card, actor)
        reject(card, cast.ines)
        shown(card, cast.noor)
        with in_tenant(cast.tenant_id, read_only=True):
            rows = Served.objects.filter(proposal_id=card.id).order_by("served_at")
            assert [str(row.person_id) for row in rows] == [cast.ruth.id, cast.ines.id]

    def test_tells_others_nothing(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        before = now(cast, card, cast.ines)
        shown(card, cast.ruth)
        after = now(cast, card, cast.ines)
        assert replace(after, read_at=before.read_at) == before
        mine = queries.served_parts(actor=cast.ines, proposal_id=card.id, revision_no=1)
        assert mine == frozenset()

    def test_is_never_changed(self, cast: Cast) -> None:
        shown(opened(cast), cast.ruth)
        with refused("42501"):
            run(cast, "UPDATE approvals_served SET parts = '{page}'")
        with refused("42501"):
            run(cast, "DELETE FROM approvals_served")


class TestDenyThreshold:
    @pytest.fixture
    def card(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> ProposalCard:
        """Return a proposal that two rejections settle."""
        cast.add("third", roles=("reviewer",), groups=("care",))
        asked = replace(policies.requirement_for(2), deny_threshold=2)
        monkeypatch.setitem(requirement._DEFAULTS, 2, asked)
        card = opened(cast, tier=2)
        assert now(cast, card).requirement.deny_threshold == 2
        return card

    def test_settles_with_that_many(self, cast: Cast, card: ProposalCard) -> None:
        assert reject(card, cast.ruth).state is ProposalState.OPEN
        assert reject(card, cast.ines).state is ProposalState.REJECTED

    def test_hides_the_first_rejection_as_it_hides_an_approval(
        self, cast: Cast, card: ProposalCard
    ) -> None:
        before = now(cast, card, cast.ines)
        reject(card, cast.ruth)
        after = now(cast, card, cast.ines)
        assert after.blind
        assert replace(after, read_at=before.read_at) == before

    def test_lets_approvals_settle_before_it(self, cast: Cast, card: ProposalCard) -> None:
        reject(card, cast.members["third"].actor)
        approve(card, cast.ruth)
        assert approve(card, cast.ines).state is ProposalState.APPROVED

    def test_counts_a_rejection_taken_back_no_more(self, cast: Cast, card: ProposalCard) -> None:
        reject(card, cast.ruth)
        commands.withdraw_vote(actor=cast.ruth, proposal_id=card.id)
        assert reject(card, cast.ines).state is ProposalState.OPEN


class TestTheRefusedPage:
    def test_is_a_page_from_which_one_can_vote(self, cast: Cast) -> None:
        """Without script, the answer to a refused vote is what the next vote is cast from."""
        card = opened(cast)
        client = cast.client("ruth")
        body = {"choice": "approve", "revision_no": 1, "seen_digest": card.digest, "record": "1"}
        answers = [client.post(f"/reviews/{card.id}/vote/", body) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [409, 302]
