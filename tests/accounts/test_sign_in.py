"""Proving who one is: counting, one sentence, the trail."""

import threading
from dataclasses import replace

import pytest
from django.db import connection

from console.accounts import commands, policies, queries
from console.accounts.errors import NoMembership, TooManyAttempts, WrongCredentials
from console.accounts.models import SignInAttempt
from console.kernel import tenancy
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError
from console.kernel.ids import uuid7
from tests.accounts.trail import actions, events
from tests.cast import PASSWORD, Cast

WRONG = "wrong"


@pytest.fixture
def door() -> Actor:
    """Return the door with an address of its own, so that tests do not lock each other out."""
    digits = uuid7().hex
    return replace(queries.DOOR, address=f"2001:db8::{digits[-4:]}:{digits[-8:-4]}")


def attempt(door: Actor, email: str, password: str = WRONG) -> ConsoleError | None:
    try:
        commands.prove(actor=door, email=email, password=password)
    except ConsoleError as error:
        return error
    return None


class TestProve:
    def test_takes_the_address_in_any_case(self, cast: Cast, door: Actor) -> None:
        email = f" {cast.email('ruth').upper()} "

        proved = commands.prove(actor=door, email=email, password=PASSWORD)

        assert proved.person_id == cast.members["ruth"].id
        assert [tenant.id for tenant in proved.tenants] == [cast.tenant_id]

    def test_says_the_same_of_known_and_unknown_addresses(self, cast: Cast, door: Actor) -> None:
        unknown = f"nobody.{uuid7().hex}@meridian.example"
        for number in range(policies.ATTEMPTS_PER_PAIR + 2):
            known = attempt(door, cast.email("ruth"))
            stranger = attempt(door, unknown)
            assert known is not None
            assert stranger is not None
            assert (known.code, known.message) == (stranger.code, stranger.message)
            locked = number >= policies.ATTEMPTS_PER_PAIR
            assert isinstance(known, TooManyAttempts if locked else WrongCredentials)

    def test_locks_out_the_right_password_too(self, cast: Cast, door: Actor) -> None:
        for _ in range(policies.ATTEMPTS_PER_PAIR):
            attempt(door, cast.email("ruth"))

        refusal = attempt(door, cast.email("ruth"), PASSWORD)

        assert isinstance(refusal, TooManyAttempts)
        assert 0 < int(str(refusal.details["retry_after_s"])) <= policies.LOCK_S

    def test_does_not_lock_the_person_out_elsewhere(self, cast: Cast, door: Actor) -> None:
        for _ in range(policies.ATTEMPTS_PER_PAIR + 1):
            attempt(door, cast.email("ruth"))

        assert attempt(replace(door, address="192.0.2.200"), cast.email("ruth"), PASSWORD) is None

    def test_a_right_answer_starts_the_count_anew(self, cast: Cast, door: Actor) -> None:
        for _ in range(policies.ATTEMPTS_PER_PAIR - 1):
            attempt(door, cast.email("ruth"))
        assert attempt(door, cast.email("ruth"), PASSWORD) is None
        for _ in range(policies.ATTEMPTS_PER_PAIR - 1):
            assert isinstance(attempt(door, cast.email("ruth")), WrongCredentials)

    def test_stops_one_address_that_tries_many_accounts(
        self, cast: Cast, door: Actor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(policies, "ATTEMPTS_PER_ADDRESS", 3)

        refusals = [attempt(door, f"{uuid7().hex}@x.example") for _ in range(4)]

        assert isinstance(refusals[-1], TooManyAttempts)
        assert isinstance(attempt(door, cast.email("ruth"), PASSWORD), TooManyAttempts)

    def test_parallel_guesses_get_five_looks_in_all(self, cast: Cast, door: Actor) -> None:
        barrier = threading.Barrier(12)
        refusals: list[ConsoleError | None] = []

        def guess() -> None:
            barrier.wait()
            refusals.append(attempt(door, cast.email("ruth")))
            connection.close()

        threads = [threading.Thread(target=guess) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        looks = [one for one in refusals if isinstance(one, WrongCredentials)]
        assert len(looks) == policies.ATTEMPTS_PER_PAIR

    def test_the_lock_ends_by_the_databases_clock(self, cast: Cast, door: Actor) -> None:
        for _ in range(policies.ATTEMPTS_PER_PAIR + 1):
            attempt(door, cast.email("ruth"))
        with tenancy.unscoped(), connection.cursor() as cursor:
            cursor.execute(
                "UPDATE accounts_signinattempt SET window_ends_at = clock_timestamp()"
                " WHERE failures = %s AND window_ends_at > clock_timestamp()",
                [policies.ATTEMPTS_PER_PAIR + 1],
            )

        assert attempt(door, cast.email("ruth"), PASSWORD) is None

    @pytest.mark.parametrize(
        ("email", "password"),
        [("", ""), ("\u202eruth", "x"), ("a" * 300, "b" * 2000), ("x@y.example\n", "x")],
    )
    def test_refuses_nonsense_like_anything_wrong(
        self, door: Actor, email: str, password: str
    ) -> None:
        assert isinstance(attempt(door, email, password), WrongCredentials)

    def test_an_account_without_tenant_is_told_so(self, cast: Cast, door: Actor) -> None:
        person_id = cast.members["omar"].id
        commands.set_membership(
            actor=cast.noor, person_id=person_id, roles=[], groups=[], active=False
        )

        assert isinstance(attempt(door, cast.email("omar"), PASSWORD), NoMembership)

    def test_keeps_no_addresses_in_the_counts(self, cast: Cast, door: Actor) -> None:
        attempt(door, cast.email("ruth"))

        with tenancy.unscoped():
            assert all(len(bytes(row.bucket)) == 32 for row in SignInAttempt.objects.all())


class TestNoteRefusals:
    def drain(self) -> None:
        while commands.note_refusals():
            pass

    def test_brings_refusals_into_the_trail_once(self, cast: Cast, door: Actor) -> None:
        attempt(door, cast.email("ruth"))
        attempt(door, f"{uuid7().hex}@x.example")

        self.drain()
        self.drain()

        assert actions(cast, "sign_in.") == ["sign_in.refused"]
        last = events(cast)[-1]
        assert last["target"] == {"type": "person", "id": cast.ruth.id}
        assert "wrong" not in str(last["bind"])
