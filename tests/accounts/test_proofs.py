"""Stepping up, and keeping passkeys."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from console.accounts import commands, policies, queries
from console.accounts.cards import Site
from console.accounts.errors import (
    AlreadyThere,
    PasskeyRefused,
    StepUpRequired,
    TooManyAttempts,
    WrongPassword,
)
from console.accounts.models import Passkey, SessionRecord
from console.accounts.states import Strength
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import NotAllowed, NotFound, SignedOut
from console.kernel.models import DatabaseNow
from console.kernel.transactions import in_tenant
from tests.accounts.trail import actions, events
from tests.approvals.sql import refused, run
from tests.authenticator import PRESENT, SITE, Authenticator, registered
from tests.cast import PASSWORD, Cast


def aged(actor: Actor, seconds: float) -> Actor:
    """Let the proof of a session be older than it is."""
    rows = SessionRecord.objects.filter(digest=actor.session)
    assert rows.update(proved_at=DatabaseNow() - timedelta(seconds=seconds)) == 1
    return actor


class TestProof:
    def test_is_fresh_after_signing_in(self, cast: Cast) -> None:
        found = queries.proof(actor=cast.ruth)
        assert found is not None
        assert found.by is Strength.PASSWORD
        assert 0 <= found.age_s < 60

    def test_ages_by_the_database_s_clock_and_no_other(self, cast: Cast) -> None:
        aged(cast.ruth, 400)
        with clock.frozen(clock.now() + timedelta(days=3)):
            assert 400 <= queries.fresh_for(actor=cast.ruth) < 460

    @pytest.mark.parametrize("change", [{"session": "0" * 64}, {"session": ""}])
    def test_is_none_without_an_open_session(self, cast: Cast, change: dict[str, str]) -> None:
        assert queries.proof(actor=replace(cast.ruth, **change)) is None  # type: ignore[arg-type]
        assert queries.fresh_for(actor=replace(cast.ruth, **change)) == float("inf")  # type: ignore[arg-type]

    def test_is_none_for_machines_and_in_somebody_else_s_session(self, cast: Cast) -> None:
        assert queries.proof(actor=cast.system) is None
        assert queries.proof(actor=replace(cast.ines, session=cast.ruth.session)) is None

    def test_is_not_renewed_by_changing_over(self, cast: Cast) -> None:
        """Choosing a tenant again gives a new session, and proves nothing."""
        client = cast.client("ruth")
        SessionRecord.objects.filter(person_id=cast.ruth.id).update(
            proved_at=DatabaseNow() - timedelta(hours=1)
        )
        answer = client.post("/sign-in/tenant/", {"tenant": str(cast.tenant_id)})

        newest = SessionRecord.objects.filter(person_id=cast.ruth.id).latest("created_at")
        age = clock.now() - newest.proved_at
        assert answer.status_code == 302
        assert timedelta(minutes=59) < age < timedelta(minutes=61)


class TestStepUp:
    def test_makes_a_session_fresh_and_tells_the_trail(self, cast: Cast) -> None:
        aged(cast.ruth, 4000)
        found = commands.step_up(actor=cast.ruth, password=PASSWORD)

        assert found.age_s < 60
        assert queries.fresh_for(actor=cast.ruth) < 60
        (event,) = [one for one in events(cast) if one["action"] == "session.proved"]
        assert event["bind"]["by"] == "password"

    def test_refuses_another_password(self, cast: Cast) -> None:
        aged(cast.ruth, 4000)
        with pytest.raises(WrongPassword):
            commands.step_up(actor=cast.ruth, password="something else 1")
        assert queries.fresh_for(actor=cast.ruth) > 3000

    def test_shares_the_five_answers_with_the_sign_in(self, cast: Cast) -> None:
        door = replace(queries.DOOR, address="192.0.2.7")
        here = replace(cast.ruth, address="192.0.2.7")
        for _ in range(2):
            with pytest.raises(WrongPassword):
                commands.step_up(actor=here, password="wrong")
        for _ in range(3):
            with pytest.raises(Exception, match="do not fit"):
                commands.prove(actor=door, email=cast.email("ruth"), password="wrong")
        with pytest.raises(TooManyAttempts):
            commands.step_up(actor=here, password=PASSWORD)

    def test_needs_an_open_session_of_a_person(self, cast: Cast) -> None:
        commands.sign_out(actor=cast.ruth)
        for actor in (cast.ruth, cast.system):
            with pytest.raises(SignedOut):
                commands.step_up(actor=actor, password=PASSWORD)


class TestAddPasskey:
    def test_keeps_the_public_key_and_nothing_secret(self, cast: Cast) -> None:
        device = Authenticator()
        card = registered(cast.ruth, device)

        assert queries.passkeys(actor=cast.ruth) == (card,)
        assert card.public_key == device.public_key
        (event,) = [one for one in events(cast) if one["action"] == "passkey.added"]
        assert event["bind"]["credential_id"] == card.credential_id

    def test_needs_a_fresh_sign_in_at_both_ends(self, cast: Cast) -> None:
        options = commands.challenge_passkey(actor=cast.ruth, site=SITE)
        aged(cast.ruth, policies.STEPUP_S + 1)
        with pytest.raises(StepUpRequired):
            commands.challenge_passkey(actor=cast.ruth, site=SITE)
        with pytest.raises(StepUpRequired):
            commands.add_passkey(
                actor=cast.ruth, name="x", made=Authenticator().made(options), site=SITE
            )

    @pytest.mark.parametrize(
        "device",
        [
            Authenticator(site=Site(host="localhost", origin="http://evil.example")),
            Authenticator(site=Site(host="evil.example", origin="http://localhost")),
            Authenticator(flags=PRESENT),
        ],
        ids=["other origin", "other relying party", "person not verified"],
    )
    def test_refuses_what_was_made_otherwise(self, cast: Cast, device: Authenticator) -> None:
        with pytest.raises(PasskeyRefused):
            registered(cast.ruth, device)
        assert queries.passkeys(actor=cast.ruth) == ()

    def test_takes_a_challenge_once_and_from_its_own_session(self, cast: Cast) -> None:
        options = commands.challenge_passkey(actor=cast.ruth, site=SITE)
        made = Authenticator().made(options)
        with pytest.raises(PasskeyRefused):
            commands.add_passkey(actor=cast.ines, name="x", made=made, site=SITE)
        commands.add_passkey(actor=cast.ruth, name="x", made=made, site=SITE)
        again = Authenticator().made(options)
        with pytest.raises(PasskeyRefused):
            commands.add_passkey(actor=cast.ruth, name="y", made=again, site=SITE)

    def test_takes_a_challenge_within_two_minutes(self, cast: Cast) -> None:
        options = commands.challenge_passkey(actor=cast.ruth, site=SITE)
        late = clock.now() + timedelta(seconds=policies.CHALLENGE_S + 5)
        made = Authenticator().made(options)
        with clock.frozen(late), pytest.raises(PasskeyRefused):
            commands.add_passkey(actor=cast.ruth, name="x", made=made, site=SITE)

    @pytest.mark.parametrize("part", ["client_data", "attestation", "credential_id"])
    @pytest.mark.parametrize("text", ["AAAA", "e30", "A", "_" * 40])
    def test_refuses_bytes_of_no_sense(self, cast: Cast, part: str, text: str) -> None:
        options = commands.challenge_passkey(actor=cast.ruth, site=SITE)
        made = replace(Authenticator().made(options), **{part: text})  # type: ignore[arg-type]
        with pytest.raises(PasskeyRefused):
            commands.add_passkey(actor=cast.ruth, name="x", made=made, site=SITE)

    def test_refuses_the_same_name_and_the_same_key_twice(self, cast: Cast) -> None:
        device = Authenticator()
        registered(cast.ruth, device)
        with pytest.raises(AlreadyThere):
            registered(cast.ruth, Authenticator())
        with pytest.raises(AlreadyThere):
            registered(cast.ines, device)

    def test_has_room_for_ten(self, cast: Cast) -> None:
        for number in range(policies.PASSKEYS_MOST):
            registered(cast.ruth, Authenticator(), name=f"key {number}")
        with pytest.raises(AlreadyThere, match="10 passkeys"):
            registered(cast.ruth, Authenticator(), name="one more")

    def test_is_for_people(self, cast: Cast) -> None:
        with pytest.raises(NotAllowed):
            commands.challenge_passkey(actor=cast.system, site=SITE)


class TestRemovePasskey:
    def test_lets_it_sign_nothing_any_more(self, cast: Cast) -> None:
        card = registered(cast.ruth, Authenticator())
        commands.remove_passkey(actor=cast.ruth, passkey_id=card.id)

        assert queries.passkeys(actor=cast.ruth) == ()
        assert not commands.use_passkey(actor=cast.ruth, passkey_id=card.id, sign_count=9)
        assert actions(cast, "passkey.") == ["passkey.added", "passkey.removed"]

    def test_is_only_for_one_s_own(self, cast: Cast) -> None:
        card = registered(cast.ruth, Authenticator())
        for stranger in (cast.ines, cast.mallory):
            with pytest.raises(NotFound):
                commands.remove_passkey(actor=stranger, passkey_id=card.id)

    def test_lasts(self, cast: Cast) -> None:
        card = registered(cast.ruth, Authenticator())
        commands.remove_passkey(actor=cast.ruth, passkey_id=card.id)
        with refused("passkey_moves_on"):
            run(cast, "UPDATE accounts_passkey SET removed_at = NULL")


class TestUsePasskey:
    def test_counts_up_and_makes_the_session_fresh(self, cast: Cast) -> None:
        card = registered(cast.ruth, Authenticator())
        aged(cast.ruth, 4000)

        assert commands.use_passkey(actor=cast.ruth, passkey_id=card.id, sign_count=4)
        found = queries.proof(actor=cast.ruth)
        assert found is not None
        assert (found.by, found.age_s < 60) == (Strength.PASSKEY, True)
        assert not commands.use_passkey(actor=cast.ruth, passkey_id=card.id, sign_count=4)
        assert not commands.use_passkey(actor=cast.ruth, passkey_id=card.id, sign_count=0)

    def test_takes_a_passkey_that_does_not_count(self, cast: Cast) -> None:
        card = registered(cast.ruth, Authenticator())
        uses = [
            commands.use_passkey(actor=cast.ruth, passkey_id=card.id, sign_count=0)
            for _ in range(2)
        ]
        assert uses == [True, True]

    def test_never_counts_down_even_by_hand(self, cast: Cast) -> None:
        card = registered(cast.ruth, Authenticator())
        commands.use_passkey(actor=cast.ruth, passkey_id=card.id, sign_count=4)
        with refused("passkey_moves_on"):
            run(cast, "UPDATE accounts_passkey SET sign_count = 3")
        with in_tenant(cast.tenant_id):
            assert Passkey.objects.get(pk=card.id).sign_count == 4


class TestPages:
    def test_step_up_goes_back_to_where_it_was_needed(self, cast: Cast) -> None:
        client = cast.client("ruth")
        page = client.get("/account/step-up/?next=/reviews/").content.decode()
        answer = client.post("/account/step-up/", {"password": PASSWORD, "next": "/reviews/"})

        assert 'value="/reviews/"' in page
        assert (answer.status_code, answer["Location"]) == (302, "/reviews/")

    @pytest.mark.parametrize("away", ["https://evil.example/", "//evil.example", "\\evil", "x"])
    def test_step_up_never_leads_away(self, cast: Cast, away: str) -> None:
        answer = cast.client("ruth").post("/account/step-up/", {"password": PASSWORD, "next": away})
        assert answer["Location"] == "/"

    def test_step_up_says_what_is_wrong_and_keeps_the_way_back(self, cast: Cast) -> None:
        answer = cast.client("ruth").post(
            "/account/step-up/", {"password": "wrong", "next": "/reviews/"}
        )
        page = answer.content.decode()
        assert answer.status_code == 400
        assert "The password does not fit" in page
        assert 'value="/reviews/"' in page
        assert 'value="wrong"' not in page

    def test_lists_passkeys_and_removes_them_without_script(self, cast: Cast) -> None:
        card = registered(cast.ruth, Authenticator(), name="My ring")
        client = cast.client("ruth")
        assert "My ring" in client.get("/account/passkeys/").content.decode()
        client.post(f"/account/passkeys/{card.id}/remove/")
        assert "My ring" not in client.get("/account/passkeys/").content.decode()

    def test_asks_for_a_fresh_sign_in_before_the_form(self, cast: Cast) -> None:
        client = cast.client("ruth")
        SessionRecord.objects.filter(person_id=cast.ruth.id).update(
            proved_at=DatabaseNow() - timedelta(hours=1)
        )
        page = client.get("/account/passkeys/").content.decode()
        assert "/account/step-up/?next=/account/passkeys/" in page
        assert "data-add-passkey" not in page


class TestApi:
    def test_steps_up(self, cast: Cast) -> None:
        answer = cast.api("ruth").post("/api/v1/step-up", {"password": PASSWORD}, format="json")
        assert (answer.status_code, answer.json()["by"]) == (200, "password")

    def test_adds_lists_and_removes(self, cast: Cast) -> None:
        client = cast.api("ruth")
        device = Authenticator()
        asked = client.post("/api/v1/passkeys/challenges", {}, format="json")
        made = device.made(asked.json()["options"])
        body = {
            "name": "laptop",
            "credential_id": made.credential_id,
            "client_data": made.client_data,
            "attestation": made.attestation,
            "transports": ["internal"],
        }
        added = client.post("/api/v1/passkeys", body, format="json")
        assert added.status_code == 201, added.content
        assert client.get("/api/v1/passkeys").json() == [added.json()]
        gone = client.delete(f"/api/v1/passkeys/{added.json()['id']}")
        assert gone.status_code == 204
        assert client.get("/api/v1/passkeys").json() == []

    @pytest.mark.parametrize(
        "ask",
        [
            lambda client: client.post("/api/v1/step-up", {"password": "x"}, format="json"),
            lambda client: client.post("/api/v1/passkeys/challenges", {}, format="json"),
            lambda client: client.post("/api/v1/passkeys", {}, format="json"),
        ],
    )
    def test_is_for_people(self, cast: Cast, ask: Callable[[Any], Any]) -> None:
        assert ask(cast.key_client("runs.view")).status_code == 403
