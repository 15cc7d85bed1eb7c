"""A request that is sent twice with one `Idempotency-Key` is one act; refusals are none."""

from typing import Any

from approvals import queries
from approvals.cards import ProposalCard
from approvals.states import ProposalState
from console.kernel.ids import uuid7
from tests.approvals import letters
from tests.approvals.desk import now
from tests.cast import Cast

BASE = "/api/v1/approvals/proposals"


def send(client: Any, card: ProposalCard, what: str, key: str, **body: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(f"{BASE}/{card.id}/{what}", body, format="json", headers=headers)


def seen(card: ProposalCard) -> dict[str, Any]:
    return {"revision": card.revision_no, "digest": card.digest}


class TestIdempotencyKey:
    def test_gives_the_first_answer_again(self, cast: Cast) -> None:
        card, client = letters.opened(cast), cast.api("ruth")
        acts: list[tuple[str, dict[str, Any]]] = [
            ("comments", {"kind": "question", "text": "Why?"}),
            ("comments", {"kind": "note", "text": "Hm."}),
            ("extend", {"reason": "A receipt is asked for.", "clock_no": 1}),
            ("revisions", {**seen(card), "args": {"to": "Mia", "stamps": 3}}),
        ]
        for what, body in acts:
            key = str(uuid7())
            first, again = (send(client, card, what, key, **body) for _ in range(2))
            assert first.status_code in {200, 201}, first.content
            assert (again.status_code, again.json()) == (first.status_code, first.json())
            assert again["Idempotent-Replay"] == "true"
        assert now(cast, card).card.revision_no == 2
        assert len(queries.thread(actor=cast.ruth, proposal_id=card.id)) == 2

    def test_votes_once_and_is_free_after_a_refusal(self, cast: Cast) -> None:
        card, client, key = letters.opened(cast), cast.api("ruth"), str(uuid7())
        client.get(f"{BASE}/{card.id}")
        body = {**seen(card), "choice": "approve"}
        refused = send(client, card, "votes", key, **{**body, "digest": "0" * 64})
        first, again = (send(client, card, "votes", key, **body) for _ in range(2))
        assert (refused.status_code, first.status_code, again.status_code) == (409, 201, 201)
        assert again.json()["event_uid"] == first.json()["event_uid"]
        assert now(cast, card).card.state is ProposalState.APPROVED


class TestTheSameQuestion:
    def test_is_one_while_it_waits(self, cast: Cast) -> None:
        card, client = letters.opened(cast), cast.api("ruth")
        body = {"kind": "question", "text": "Why?"}
        first, again = (send(client, card, "comments", "", **body) for _ in range(2))
        assert again.json()["id"] == first.json()["id"]
        # Another text, another kind and another person are another one.
        others = [
            send(client, card, "comments", "", **{**body, "text": "Why two?"}),
            send(client, card, "comments", "", **{**body, "kind": "request_changes"}),
            send(cast.api("ines"), card, "comments", "", **body),
        ]
        assert len({first.json()["id"], *(one.json()["id"] for one in others)}) == 4

    def test_is_another_note_once_somebody_spoke_in_between(self, cast: Cast) -> None:
        card, ruth, ines = letters.opened(cast), cast.api("ruth"), cast.api("ines")
        body = {"kind": "note", "text": "Seen."}
        said = [send(one, card, "comments", "", **body) for one in (ruth, ruth, ines, ruth)]
        ids = [one.json()["id"] for one in said]
        assert ids[0] == ids[1]
        assert len(set(ids)) == 3
