from typing import Any

import pytest

from approvals.cards import ProposalCard
from approvals.states import ProposalState
from console.kernel import clock
from console.kernel.ids import uuid7
from tests.approvals.desk import approve, approved, claim, now, opened
from tests.cast import Cast

BASE = "/api/v1/approvals/proposals"


def body(card: ProposalCard, **other: Any) -> dict[str, Any]:
    values = {"revision": card.revision_no, "digest": card.digest, "choice": "approve"}
    return {name: value for name, value in {**values, **other}.items() if value is not None}


def post(client: Any, card: ProposalCard, **other: Any) -> Any:
    return client.post(f"{BASE}/{card.id}/votes", body(card, **other), format="json")


class TestProposals:
    def test_lists_views(self, cast: Cast) -> None:
        card = opened(cast)
        answer = cast.api("ruth").get(f"{BASE}?view=mine")
        assert answer.status_code == 200
        assert [item["proposal"]["id"] for item in answer.json()["items"]] == [str(card.id)]
        assert answer.json()["next"] is None

    def test_serves_keys_that_may_read(self, cast: Cast) -> None:
        card = opened(cast)
        answer = cast.key_client("approvals.view").get(f"{BASE}?view=team")
        assert [item["proposal"]["id"] for item in answer.json()["items"]] == [str(card.id)]
        assert cast.key_client("runs.view").get(BASE).status_code == 403

    @pytest.mark.parametrize("query", ["view=x", "after=x", "surprise=1", "after=%00"])
    def test_refuses_bad_values(self, cast: Cast, query: str) -> None:
        answer = cast.api("ruth").get(f"{BASE}?{query}")
        assert answer.status_code == 400
        assert set(answer.json()) == {"code", "message", "details"}

    def test_shows_nothing_of_another_tenant(self, cast: Cast) -> None:
        opened(cast)
        assert cast.api("mallory").get(f"{BASE}?view=waiting").json()["items"] == []


class TestOneProposal:
    def test_is_whole_and_has_an_entity_tag(self, cast: Cast) -> None:
        card = opened(cast)
        client = cast.api("ruth")
        with clock.frozen(card.opened_at):
            first = client.get(f"{BASE}/{card.id}")
            again = client.get(f"{BASE}/{card.id}", HTTP_IF_NONE_MATCH=first["ETag"])
        assert first.status_code == 200
        assert first.json()["proposal"]["digest"] == card.digest
        assert first.json()["content"]["args"]["order_id"] == "#W1"
        assert again.status_code == 304

    def test_is_missing_elsewhere(self, cast: Cast) -> None:
        card = opened(cast)
        assert cast.api("mallory").get(f"{BASE}/{card.id}").status_code == 404
        assert cast.api("ruth").get(f"{BASE}/{uuid7()}").status_code == 404


class TestVotes:
    def test_gives_a_receipt_and_the_same_one_again(self, cast: Cast) -> None:
        card = opened(cast)
        client = cast.api("ruth")
        assert client.get(f"{BASE}/{card.id}").status_code == 200
        first, again = post(client, card), post(client, card)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json()["state"] == "approved"
        assert again.json()["event_uid"] == first.json()["event_uid"]

    def test_refuses_keys_of_every_scope(self, cast: Cast) -> None:
        card = opened(cast)
        answer = post(cast.key_client("approvals.view"), card)
        assert answer.status_code == 403
        assert answer.json()["code"] == "vote.machine"
        answer = cast.key_client("approvals.view").delete(f"{BASE}/{card.id}/votes/mine")
        assert (answer.status_code, answer.json()["code"]) == (403, "vote.machine")

    @pytest.mark.parametrize(
        ("who", "code"), [("omar", "vote.principal"), ("noor", "vote.principal")]
    )
    def test_refuses_the_principal_chain(self, cast: Cast, who: str, code: str) -> None:
        answer = post(cast.api(who), opened(cast))
        assert (answer.status_code, answer.json()["code"]) == (403, code)

    def test_refuses_the_stale_the_decided_and_the_late(self, cast: Cast) -> None:
        client = cast.api("ruth")
        card = opened(cast)
        stale = post(client, card, digest="0" * 64)
        assert (stale.status_code, stale.json()["code"]) == (409, "proposal.stale")
        assert stale.json()["details"]["digest"] == card.digest
        with clock.frozen(card.decide_by):
            late = post(client, card)
        assert (late.status_code, late.json()["code"]) == (410, "proposal.expired")
        assert now(cast, card).card.state is ProposalState.EXPIRED
        decided = opened(cast)
        approve(decided, cast.ines)
        answer = post(client, decided)
        assert (answer.status_code, answer.json()["code"]) == (409, "proposal.decided")
        assert "by Ines at" in answer.json()["message"]

    def test_keeps_an_expiry_with_an_idempotency_key_too(self, cast: Cast) -> None:
        card = opened(cast)
        client = cast.api("ruth")
        with clock.frozen(card.decide_by):
            answer = client.post(
                f"{BASE}/{card.id}/votes",
                body(card),
                format="json",
                HTTP_IDEMPOTENCY_KEY="0123456789",
            )
        assert answer.status_code == 410
        assert now(cast, card).card.state is ProposalState.EXPIRED

    @pytest.mark.parametrize(
        "other",
        [
            {"revision": "x"},
            {"revision": None},
            {"revision": 0},
            {"revision": 2**60},
            {"digest": None},
            {"digest": "abc"},
            {"digest": 7},
            {"choice": None},
            {"choice": "yes"},
            {"choice": ["approve"]},
            {"choice": "reject"},
            {"choice": "reject", "reason_code": "other"},
            {"choice": "reject", "reason_code": "nope", "note": "x"},
            {"note": "x" * 2001},
            {"note": "a\x00b"},
            {"note": 7},
            {"agent_message": {"a": 1}},
            {"surprise": 1},
        ],
    )
    def test_refuses_bad_values_and_changes_nothing(
        self, cast: Cast, other: dict[str, Any]
    ) -> None:
        card = opened(cast)
        answer = post(cast.api("ruth"), card, **other)
        assert answer.status_code == 400, answer.content
        assert answer.json()["message"].endswith(".")
        assert now(cast, card).card.state is ProposalState.OPEN

    @pytest.mark.parametrize("raw", [b"", b"[]", b"{", b'{"a":1,"a":2}', b"1.5", b"\xff"])
    def test_refuses_what_is_no_object(self, cast: Cast, raw: bytes) -> None:
        card = opened(cast)
        answer = cast.api("ruth").post(
            f"{BASE}/{card.id}/votes", raw, content_type="application/json"
        )
        assert answer.status_code == 400

    def test_hides_the_proposal_elsewhere(self, cast: Cast) -> None:
        assert post(cast.api("mallory"), opened(cast)).status_code == 404


class TestOwnVote:
    def test_is_taken_back(self, cast: Cast) -> None:
        card = approved(cast)
        answer = cast.api("ruth").delete(f"{BASE}/{card.id}/votes/mine")
        assert answer.status_code == 200
        assert answer.json()["state"] == "open"

    def test_takes_no_parameters(self, cast: Cast) -> None:
        card = approved(cast)
        address = f"{BASE}/{card.id}/votes/mine"
        for answer in (
            cast.api("ruth").delete(f"{address}?surprise=1"),
            cast.api("ruth").delete(address, {"surprise": 1}, format="json"),
            cast.api("ruth").get(f"{BASE}/{card.id}?surprise=1"),
        ):
            assert answer.status_code == 400
        assert now(cast, card).card.state is ProposalState.APPROVED

    def test_stays_after_dispatch(self, cast: Cast) -> None:
        card = approved(cast)
        claim(cast, card)
        answer = cast.api("ruth").delete(f"{BASE}/{card.id}/votes/mine")
        assert answer.status_code == 409
