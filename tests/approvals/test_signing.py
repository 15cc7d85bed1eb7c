"""Signing a vote with a passkey: over this digest, by this person, once."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from approvals import commands
from approvals.cards import ProposalCard, Signed, Statement
from approvals.errors import (
    StaleRevision,
    VoteByMachine,
    VoteByPrincipal,
    VoteNotEligible,
)
from approvals.models import VoteNonce
from approvals.policies import verify_offline
from approvals.states import Choice, ProposalState
from console.accounts import commands as accounts
from console.accounts.cards import Site
from console.accounts.errors import NoPasskey, PasskeyRefused
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.transactions import in_tenant
from tests.accounts.test_proofs import aged
from tests.approvals.desk import agent, now, opened, pulse, shown
from tests.approvals.sql import refused, run
from tests.approvals.test_voting_grounds import cast_event, row_of, vote
from tests.authenticator import PRESENT, Authenticator, registered
from tests.cast import Cast


def challenge(card: ProposalCard, actor: Actor, choice: Choice = Choice.APPROVE) -> Any:
    return commands.challenge_vote(
        actor=actor,
        proposal_id=card.id,
        revision_no=card.revision_no,
        seen_digest=card.digest,
        choice=choice,
    )


class TestSigning:
    def signed(self, card: ProposalCard, actor: Actor, device: Authenticator) -> Signed:
        return device.signed(challenge(card, actor))

    def test_records_a_vote_that_verifies_offline(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        device = Authenticator()
        key = registered(cast.ruth, device, name="My ring")
        shown(card, cast.ruth)
        vote(card, cast.ruth, signed=self.signed(card, cast.ruth, device))

        row, event = row_of(cast, card), cast_event(cast)
        statement = Statement(
            tenant_id=cast.tenant_id,
            proposal_id=card.id,
            revision_no=event["bind"]["revision_no"],
            digest=event["bind"]["digest"],
            choice=event["bind"]["choice"],
            person_id=cast.members["ruth"].id,
        )
        assert row.signed_with == "My ring"
        assert row.assertion == event["bind"]["assertion"]
        assert event["bind"]["passkey_id"] == str(key.id)
        assert event["bind"]["strength"] == "passkey"
        assert verify_offline(event["bind"]["assertion"], statement) == 1
        with pytest.raises(PasskeyRefused):
            verify_offline(event["bind"]["assertion"], replace(statement, choice="reject"))

    def test_counts_as_a_fresh_sign_in_for_five_minutes(self, cast: Cast) -> None:
        device = Authenticator()
        registered(cast.ruth, device)
        aged(cast.ruth, 4000)
        cards = [opened(cast, tier=2) for _ in range(2)]
        for card in cards:
            shown(card, cast.ruth)
        vote(cards[0], cast.ruth, signed=self.signed(cards[0], cast.ruth, device))
        assert vote(cards[1], cast.ruth).given == 1

    @pytest.mark.parametrize("change", ["other proposal", "other choice", "other person"])
    def test_is_of_one_vote_only(self, cast: Cast, change: str) -> None:
        device = Authenticator()
        registered(cast.ruth, device)
        card, other = opened(cast), opened(cast)
        who = cast.ines if change == "other person" else cast.ruth
        said: dict[str, Any] = {"signed": self.signed(card, cast.ruth, device)}
        if change == "other choice":
            said |= {"choice": Choice.REJECT, "reason_code": "other", "note": "No."}
        target = other if change == "other proposal" else card
        shown(target, who)
        with pytest.raises(PasskeyRefused):
            vote(target, who, **said)
        assert now(cast, target).history[-1].action == "vote.refused"

    def test_is_good_once(self, cast: Cast) -> None:
        device = Authenticator()
        registered(cast.ruth, device)
        card = shown(opened(cast, tier=2), cast.ruth)
        signed = self.signed(card, cast.ruth, device)
        vote(card, cast.ruth, signed=signed)
        commands.withdraw_vote(actor=cast.ruth, proposal_id=card.id)
        with pytest.raises(PasskeyRefused):
            vote(card, cast.ruth, signed=signed)

    def test_is_good_for_two_minutes(self, cast: Cast) -> None:
        device = Authenticator()
        registered(cast.ruth, device)
        card = shown(opened(cast), cast.ruth)
        signed = self.signed(card, cast.ruth, device)
        late = clock.now() + timedelta(seconds=121)
        with clock.frozen(late), pytest.raises(PasskeyRefused):
            vote(card, cast.ruth, signed=signed)

    def test_is_good_in_the_session_that_asked(self, cast: Cast) -> None:
        device = Authenticator()
        registered(cast.ruth, device)
        card = opened(cast)
        elsewhere = replace(cast.ruth, session="ab" * 32)
        shown(card, elsewhere)
        with pytest.raises(PasskeyRefused):
            vote(card, elsewhere, signed=self.signed(card, cast.ruth, device))

    def test_refuses_a_counter_that_stood_still(self, cast: Cast) -> None:
        """Two devices with one key: the second one is a copy."""
        device = Authenticator(count=5)
        registered(cast.ruth, device)
        first, second = (shown(opened(cast), cast.ruth) for _ in range(2))
        vote(first, cast.ruth, signed=self.signed(first, cast.ruth, device))
        device.count -= 1
        with pytest.raises(PasskeyRefused):
            vote(second, cast.ruth, signed=self.signed(second, cast.ruth, device))

    @pytest.mark.parametrize(
        "change",
        [
            {"flags": PRESENT},
            {"site": Site(host="evil.example", origin="http://localhost")},
            {"site": Site(host="localhost", origin="http://evil.example")},
            {"key": Authenticator().key},
            {"credential_id": b"somebody else's" * 2},
        ],
        ids=["not verified", "relying party", "origin", "key", "credential"],
    )
    def test_refuses_what_was_signed_otherwise(self, cast: Cast, change: dict[str, Any]) -> None:
        device = Authenticator()
        registered(cast.ruth, device)
        card = shown(opened(cast), cast.ruth)
        with pytest.raises(PasskeyRefused):
            vote(card, cast.ruth, signed=self.signed(card, cast.ruth, replace(device, **change)))
        assert now(cast, card).card.state is ProposalState.OPEN

    def test_refuses_a_passkey_that_was_removed(self, cast: Cast) -> None:
        device = Authenticator()
        key = registered(cast.ruth, device)
        card = shown(opened(cast), cast.ruth)
        signed = self.signed(card, cast.ruth, device)
        accounts.remove_passkey(actor=cast.ruth, passkey_id=key.id)
        with pytest.raises(PasskeyRefused):
            vote(card, cast.ruth, signed=signed)

    def test_asks_no_machine_and_nobody_who_may_not_vote(self, cast: Cast) -> None:
        card = opened(cast)
        for actor, code in (
            (agent(cast), VoteByMachine),
            (pulse(cast), VoteByMachine),
            (cast.omar, VoteByPrincipal),
            (cast.add("viewer", roles=("operator",)), VoteNotEligible),
            (cast.ruth, NoPasskey),
        ):
            with pytest.raises(code):
                challenge(card, actor)
        with pytest.raises(StaleRevision):
            challenge(replace(card, digest="0" * 64), cast.ruth)

    def test_uses_a_nonce_up_even_by_hand(self, cast: Cast) -> None:
        registered(cast.ruth, Authenticator())
        challenge(opened(cast), cast.ruth)
        run(cast, "UPDATE approvals_nonce SET used_at = now()")
        with refused("nonce_used_once"):
            run(cast, "UPDATE approvals_nonce SET used_at = now()")
        with in_tenant(cast.tenant_id, read_only=True):
            assert VoteNonce.objects.get().used_at is not None

    def test_works_on_the_page_and_in_the_api(self, cast: Cast) -> None:
        device = Authenticator()
        registered(cast.ruth, device)
        cards = opened(cast), opened(cast)
        client, program = cast.client("ruth"), cast.api("ruth")
        for card, sender in zip(cards, (client, program), strict=True):
            address = f"/api/v1/approvals/proposals/{card.id}"
            sender.get(f"/reviews/{card.id}/")
            body = {"revision": 1, "digest": card.digest, "choice": "approve"}
            asked = sender.post(
                f"{address}/votes/challenges", json.dumps(body), content_type="application/json"
            )
            assert asked.status_code == 201, asked.content
            parts = device.answered(asked.json())
            answer: Any
            if sender is program:
                answer = sender.post(
                    f"{address}/votes", {**body, "assertion": parts}, format="json"
                )
            else:
                answer = sender.post(
                    f"/reviews/{card.id}/vote/",
                    {"choice": "approve", "revision_no": 1, "seen_digest": card.digest,
                     "record": "1", "assertion": json.dumps(parts)},
                )  # fmt: skip
            assert answer.status_code in {201, 302}, answer.content
            assert row_of(cast, card).signed_with == "laptop"
            page = sender.get(f"/reviews/{card.id}/").content.decode()
            assert "signed with passkey laptop" in page
