"""A passkey's signature verifies from its stored bytes alone, and from no others."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

from approvals.cards import Assertion, Statement, VoteChallenge
from approvals.policies import verify_offline
from console.accounts.cards import Site
from console.accounts.errors import PasskeyRefused
from console.kernel import clock
from console.kernel.ids import uuid7
from tests.authenticator import PRESENT, Authenticator

STATEMENT = Statement(
    tenant_id=uuid7(),
    proposal_id=uuid7(),
    revision_no=3,
    digest="ab" * 32,
    choice="approve",
    person_id=uuid7(),
)
FIELDS = ("nonce", "authenticator_data", "client_data", "signature", "public_key")


def signed(device: Authenticator, statement: Statement = STATEMENT) -> dict[str, str]:
    """Return the assertion of a device about a statement."""
    nonce = bytes_to_base64url(b"n" * 32)
    challenge = VoteChallenge(
        nonce=nonce, challenge=statement.challenge(nonce), credentials=(), expires_at=clock.now()
    )
    return device.signed(challenge).assertion(bytes_to_base64url(device.public_key)).as_dict()


def tampered(text: str) -> Iterator[str]:
    """Yield the base64url text with each byte another, one too few, one too many."""
    raw = base64url_to_bytes(text)
    for place in range(len(raw)):
        for change in (0x01, 0x80):
            other = bytearray(raw)
            other[place] ^= change
            yield bytes_to_base64url(bytes(other))
    yield bytes_to_base64url(raw[:-1])
    yield bytes_to_base64url(raw + b"\0")
    yield text + "="
    yield ""


class TestVerifyOffline:
    def test_returns_the_counter_of_what_was_signed(self) -> None:
        assert verify_offline(signed(Authenticator(count=6)), STATEMENT) == 7

    @pytest.mark.parametrize(
        "other",
        [
            {"tenant_id": uuid7()},
            {"proposal_id": uuid7()},
            {"revision_no": 4},
            {"digest": "ac" * 32},
            {"choice": "reject"},
            {"person_id": uuid7()},
        ],
        ids=lambda other: next(iter(other)),
    )
    def test_refuses_any_other_vote(self, other: dict[str, object]) -> None:
        with pytest.raises(PasskeyRefused):
            verify_offline(signed(Authenticator()), replace(STATEMENT, **other))  # type: ignore[arg-type]

    @pytest.mark.parametrize("name", FIELDS)
    def test_refuses_every_other_byte(self, name: str) -> None:
        kept = signed(Authenticator())
        accepted = []
        for text in tampered(kept[name]):
            try:
                verify_offline({**kept, name: text}, STATEMENT)
            except PasskeyRefused:
                continue
            accepted.append(text)
        assert accepted == []

    @pytest.mark.parametrize("name", ["origin", "rp_id", "type"])
    @pytest.mark.parametrize("text", ["", "https://evil.example", "localhost "])
    def test_refuses_another_place(self, name: str, text: str) -> None:
        with pytest.raises(PasskeyRefused):
            verify_offline({**signed(Authenticator()), name: text}, STATEMENT)

    @pytest.mark.parametrize("change", ["missing", "more", "no text"])
    def test_refuses_another_shape(self, change: str) -> None:
        kept: dict[str, object] = {**signed(Authenticator())}
        if change == "missing":
            del kept["nonce"]
        else:
            kept["nonce" if change == "no text" else "surprise"] = 7
        with pytest.raises(PasskeyRefused):
            verify_offline(kept, STATEMENT)

    @pytest.mark.parametrize(
        "device",
        [
            Authenticator(flags=PRESENT),
            Authenticator(flags=0),
            Authenticator(site=Site(host="evil.example", origin="http://localhost")),
            Authenticator(site=Site(host="localhost", origin="http://localhost:81")),
        ],
        ids=["not verified", "not present", "other relying party", "other origin"],
    )
    def test_refuses_a_device_that_did_otherwise(self, device: Authenticator) -> None:
        with pytest.raises(PasskeyRefused):
            verify_offline(signed(device), STATEMENT)

    def test_refuses_the_key_of_somebody_else(self) -> None:
        kept = signed(Authenticator())
        other = bytes_to_base64url(Authenticator().public_key)
        with pytest.raises(PasskeyRefused):
            verify_offline({**kept, "public_key": other}, STATEMENT)


class TestAssertion:
    def test_comes_back_as_it_was(self) -> None:
        kept = signed(Authenticator())
        assert Assertion.from_dict(kept).as_dict() == kept
