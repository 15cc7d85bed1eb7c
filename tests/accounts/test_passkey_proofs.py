"""Stepping up by a passkey: one challenge, one session, one purpose, once."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from approvals.cards import VoteChallenge
from approvals.commands import challenge_vote
from approvals.states import Choice, ProposalState
from console.accounts import commands, policies, queries
from console.accounts.assertions import PasskeyAnswer
from console.accounts.cards import Proof, Site
from console.accounts.errors import NoPasskey, PasskeyRefused
from console.accounts.states import Strength
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import SignedOut
from tests.accounts.test_proofs import aged
from tests.accounts.trail import events
from tests.approvals.desk import approve, opened, shown
from tests.approvals.sql import refused, run
from tests.authenticator import PRESENT, SITE, Authenticator, registered
from tests.cast import Cast, signed_in
from tests.races.test_votes import at_once


def asked(actor: Actor) -> Any:
    return commands.challenge_step_up(actor=actor, site=SITE)


def step_up(actor: Actor, answer: PasskeyAnswer, site: Site = SITE) -> Proof:
    return commands.step_up_by_passkey(actor=actor, answer=answer, site=site)


def no(act: Callable[[], Any]) -> None:
    with pytest.raises(PasskeyRefused, match="try again, or use your password"):
        act()


@pytest.fixture
def device(cast: Cast) -> Authenticator:
    """Return a passkey of Ruth, whose sign-in is old."""
    found = Authenticator()
    registered(cast.ruth, found)
    aged(cast.ruth, 4000)
    return found


class TestStepUpByPasskey:
    def test_makes_the_session_fresh_and_tells_the_trail(
        self, cast: Cast, device: Authenticator
    ) -> None:
        found = step_up(cast.ruth, device.proved(asked(cast.ruth)))
        assert (found.by, found.age_s < 60) == (Strength.PASSKEY, True)
        (event,) = [one for one in events(cast) if one["action"] == "session.proved"]
        (key,) = queries.passkeys(actor=cast.ruth)
        assert (event["bind"]["by"], event["bind"]["passkey_id"]) == ("passkey", str(key.id))

    def test_is_enough_for_a_vote_of_the_highest_tier(
        self, cast: Cast, device: Authenticator
    ) -> None:
        step_up(cast.ruth, device.proved(asked(cast.ruth)))
        assert approve(opened(cast, tier=2), cast.ruth).state is ProposalState.OPEN

    def test_takes_a_challenge_once(self, cast: Cast, device: Authenticator) -> None:
        options = asked(cast.ruth)
        answer = device.proved(options)
        step_up(cast.ruth, answer)
        no(partial(step_up, cast.ruth, answer))
        no(partial(step_up, cast.ruth, device.proved(options)))

    def test_takes_one_of_two_at_once(self, cast: Cast, device: Authenticator) -> None:
        answer = device.proved(asked(cast.ruth))
        found = at_once([partial(step_up, cast.ruth, answer)] * 2)
        assert sorted(type(one).__name__ for one in found) == ["PasskeyRefused", "Proof"]

    def test_takes_it_within_two_minutes(self, cast: Cast, device: Authenticator) -> None:
        answer = device.proved(asked(cast.ruth))
        with clock.frozen(clock.now() + timedelta(seconds=policies.CHALLENGE_S + 1)):
            no(partial(step_up, cast.ruth, answer))

    def test_takes_it_in_the_session_that_asked(self, cast: Cast, device: Authenticator) -> None:
        card = queries.person_card(actor=cast.ruth, person_id=cast.members["ruth"].id)
        other = signed_in(cast.tenant_id, card)
        no(partial(step_up, other, device.proved(asked(cast.ruth))))
        no(partial(step_up, cast.ruth, device.proved(asked(other))))

    def test_takes_no_challenge_for_something_else(self, cast: Cast, device: Authenticator) -> None:
        step_up(cast.ruth, device.proved(asked(cast.ruth)))
        to_add = dict(commands.challenge_passkey(actor=cast.ruth, site=SITE))
        no(partial(step_up, cast.ruth, device.proved({**to_add, "userVerification": "required"})))
        vote: VoteChallenge = challenge_vote(
            actor=cast.ruth,
            proposal_id=(card := shown(opened(cast), cast.ruth)).id,
            revision_no=1,
            seen_digest=card.digest,
            choice=Choice.APPROVE,
        )
        no(partial(step_up, cast.ruth, device.proved(vote.options(SITE.host))))

    def test_adds_no_passkey(self, cast: Cast, device: Authenticator) -> None:
        step_up(cast.ruth, device.proved(asked(cast.ruth)))
        made = Authenticator().made(asked(cast.ruth))
        with pytest.raises(PasskeyRefused):
            commands.add_passkey(actor=cast.ruth, name="y", made=made, site=SITE)

    def test_takes_no_key_of_somebody_else_or_removed(
        self, cast: Cast, device: Authenticator
    ) -> None:
        stranger = Authenticator()
        registered(cast.ines, stranger)
        no(partial(step_up, cast.ruth, stranger.proved(asked(cast.ruth))))
        forged = replace(
            device.proved(asked(cast.ruth)), signature=stranger.proved(asked(cast.ines)).signature
        )
        no(partial(step_up, cast.ruth, forged))
        answer = device.proved(asked(cast.ruth))
        (key,) = queries.passkeys(actor=cast.ruth)
        commands.remove_passkey(actor=cast.ruth, passkey_id=key.id)
        no(partial(step_up, cast.ruth, answer))

    @pytest.mark.parametrize(
        "change",
        [
            {"flags": PRESENT},
            {"site": Site(host="localhost", origin="http://evil.example")},
            {"site": Site(host="evil.example", origin="http://localhost")},
        ],
        ids=["person not verified", "other origin", "other relying party"],
    )
    def test_takes_nothing_that_was_signed_otherwise(
        self, cast: Cast, device: Authenticator, change: dict[str, Any]
    ) -> None:
        other = replace(device, **change)
        no(partial(step_up, cast.ruth, other.proved(asked(cast.ruth))))
        assert queries.fresh_for(actor=cast.ruth) > 3000

    def test_takes_no_counter_of_a_copy(self, cast: Cast, device: Authenticator) -> None:
        copy = replace(device)
        step_up(cast.ruth, device.proved(asked(cast.ruth)))
        no(partial(step_up, cast.ruth, copy.proved(asked(cast.ruth))))

    @pytest.mark.parametrize(
        "part", ["credential_id", "authenticator_data", "client_data", "signature"]
    )
    @pytest.mark.parametrize("text", ["AAAA", "e30", "A", "_" * 40])
    def test_refuses_bytes_of_no_sense(
        self, cast: Cast, device: Authenticator, part: str, text: str
    ) -> None:
        answer = replace(device.proved(asked(cast.ruth)), **{part: text})
        no(partial(step_up, cast.ruth, answer))

    def test_needs_an_open_session_of_a_person(self, cast: Cast, device: Authenticator) -> None:
        answer = device.proved(asked(cast.ruth))
        commands.sign_out(actor=cast.ruth)
        for actor in (cast.ruth, cast.system):
            with pytest.raises(SignedOut):
                step_up(actor, answer)
            with pytest.raises(SignedOut):
                asked(actor)

    def test_says_so_without_a_passkey(self, cast: Cast) -> None:
        with pytest.raises(NoPasskey, match="use your password"):
            asked(cast.ines)


class TestTable:
    def test_knows_two_purposes_and_keeps_them(self, cast: Cast, device: Authenticator) -> None:
        asked(cast.ruth)
        with refused("42501"):
            run(cast, "UPDATE accounts_passkeychallenge SET purpose = 'add'")


class TestDoors:
    def test_offer_it_to_who_has_a_passkey(self, cast: Cast, device: Authenticator) -> None:
        page = "/account/step-up/?next=/reviews/"
        with_key = cast.client("ruth").get(page).content.decode()
        assert "data-by-passkey" in with_key
        assert "js/pages/step-up.js" in with_key
        assert "data-by-passkey" not in cast.client("ines").get(page).content.decode()

    def test_step_up_by_the_api(self, cast: Cast, device: Authenticator) -> None:
        client = cast.api("ruth")
        options = client.post("/api/v1/step-up/challenges", {}, format="json").json()["options"]
        answer = device.proved(options)
        body = {name: getattr(answer, name) for name in PasskeyAnswer.__slots__}
        found = client.post("/api/v1/step-up/passkey", body, format="json")
        assert (found.status_code, found.json()["by"]) == (200, "passkey")
        again = client.post("/api/v1/step-up/passkey", body, format="json")
        assert (again.status_code, again.json()["code"]) == (403, "passkey.refused")
