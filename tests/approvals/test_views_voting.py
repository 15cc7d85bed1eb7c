"""The form of a vote: recording, refusing, taking back, and where its address leads."""

import re
from typing import Any

import pytest
from django.test import Client

from approvals import commands
from approvals.states import ProposalState
from console.kernel import clock
from tests.approvals.desk import (
    agent,
    approved,
    claim,
    content,
    now,
    opened,
)
from tests.approvals.test_views import form, text
from tests.cast import PASSWORD, Cast

BROWSER = {"Accept": "text/html,application/xhtml+xml;q=0.9"}


class TestVote:
    def test_records_and_shows_the_receipt(self, cast: Cast) -> None:
        card = opened(cast)
        client = cast.client("ruth")
        client.get(f"/reviews/{card.id}/")
        answer = client.post(f"/reviews/{card.id}/vote/", form(card))
        assert answer.status_code == 302
        vote = now(cast, card).reviewers[1].vote
        page = text(client.get(f"/reviews/{card.id}/"))
        assert vote is not None
        assert str(vote.event_uid) in page
        assert 'aria-label="Your vote"' not in page

    def test_pressed_twice_votes_once(self, cast: Cast) -> None:
        """comet-ml/opik#7167: one's own vote is no conflict."""
        card = opened(cast)
        client = cast.client("ruth")
        client.get(f"/reviews/{card.id}/")
        answers = [client.post(f"/reviews/{card.id}/vote/", form(card)) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [302, 302]
        actions = [line.action for line in now(cast, card).history]
        assert actions.count("vote.cast") == 1

    def test_keeps_the_text_and_shows_what_changed_after_409(self, cast: Cast) -> None:
        """go-gitea/gitea#17850: what was typed got lost with the answer that refused it."""
        card = approved(cast)
        base = {"orders": {"#W1": {"status": "shipped"}}}
        claim(cast, card, before=base)
        commands.refresh(actor=agent(cast), proposal_id=card.id, content=content(before=base))
        answer = cast.client("ines").post(
            f"/reviews/{card.id}/vote/", form(card, note="I looked at <b>this</b>")
        )
        page = text(answer)
        assert answer.status_code == 409
        assert "revision 1 is not revision 2" in page
        assert "What changed since you looked" in page
        assert "I looked at &lt;b&gt;this&lt;/b&gt;" in page
        assert now(cast, card).card.digest in page
        assert not re.search(r'value="approve"[^>]*checked', page)

    def test_keeps_the_text_when_somebody_decided(self, cast: Cast) -> None:
        card = approved(cast)
        answer = cast.client("ines").post(
            f"/reviews/{card.id}/vote/",
            form(card, choice="reject", reason_code="other", note="My words"),
        )
        assert answer.status_code == 409
        assert "approved by Ruth at" in text(answer)
        assert "My words" in text(answer)

    def test_is_410_after_the_deadline(self, cast: Cast) -> None:
        card = opened(cast)
        client = cast.client("ruth")
        with clock.frozen(card.decide_by):
            answer = client.post(f"/reviews/{card.id}/vote/", form(card))
        assert answer.status_code == 410
        assert now(cast, card).card.state is ProposalState.EXPIRED

    @pytest.mark.parametrize("who", ["omar", "noor"])
    def test_is_403_for_whoever_may_not(self, cast: Cast, who: str) -> None:
        card = opened(cast)
        answer = cast.client(who).post(f"/reviews/{card.id}/vote/", form(card))
        assert answer.status_code == 403

    def test_is_404_elsewhere(self, cast: Cast) -> None:
        card = opened(cast)
        answer = cast.client("mallory").post(f"/reviews/{card.id}/vote/", form(card))
        assert answer.status_code == 404

    @pytest.mark.parametrize(
        "other",
        [
            {"choice": None},
            {"choice": "maybe"},
            {"revision_no": None},
            {"revision_no": "x"},
            {"revision_no": "0"},
            {"revision_no": "99999999999"},
            {"seen_digest": None},
            {"seen_digest": "abc"},
            {"seen_digest": "G" * 64},
            {"record": None},
            {"record": None, "guard": "1"},
            {"guard": "1"},
            {"note": "a\x00b"},
            {"note": "x" * 2001},
            {"agent_message": "x" * 501},
            {"choice": "reject"},
            {"choice": "reject", "reason_code": "other", "note": "\u2003 "},
            {"choice": "reject", "reason_code": "\u202eother", "note": "x"},
            {"surprise": "1"},
        ],
    )
    def test_is_400_for_bad_values_and_changes_nothing(
        self, cast: Cast, other: dict[str, Any]
    ) -> None:
        card = opened(cast)
        answer = cast.client("ruth").post(f"/reviews/{card.id}/vote/", form(card, **other))
        assert answer.status_code == 400, text(answer)
        assert "Not recorded." in text(answer)
        detail = now(cast, card)
        assert detail.card.state is ProposalState.OPEN
        assert "vote.cast" not in [line.action for line in detail.history]

    def test_takes_line_breaks_and_foreign_scripts(self, cast: Cast) -> None:
        card = opened(cast)
        note = "\r\n".join(["שלום"] * 400)[:2390]
        values = form(card, choice="reject", reason_code="other", note=note)
        answer = cast.client("ruth").post(f"/reviews/{card.id}/vote/", values)
        assert answer.status_code == 302, text(answer)

    def test_takes_no_get(self, cast: Cast) -> None:
        assert cast.client("ruth").get(f"/reviews/{opened(cast).id}/vote/").status_code == 405

    @pytest.mark.parametrize("form", ["vote/", "vote/withdraw/", "claim/release/"])
    def test_leads_a_browser_that_opens_its_address_to_the_proposal(
        self, cast: Cast, form: str
    ) -> None:
        page = f"/reviews/{opened(cast).id}/"
        answer = cast.client("ruth").get(page + form, follow=True, headers=BROWSER)
        assert answer.status_code == 200
        assert answer.request["PATH_INFO"] == page

    def test_leads_there_after_the_sign_in_too(self, cast: Cast) -> None:
        page = f"/reviews/{opened(cast).id}/"
        client = Client(SERVER_NAME="localhost")
        asked = client.get(f"{page}vote/", headers=BROWSER)
        signed_in = {"email": cast.email("ruth"), "password": PASSWORD}
        answer = client.post(asked["Location"], signed_in, follow=True, headers=BROWSER)
        assert (answer.status_code, answer.request["PATH_INFO"]) == (200, page)

    def test_leads_past_addresses_that_take_forms_only(self, cast: Cast) -> None:
        answer = cast.client("ruth").get(
            f"/reviews/views/{opened(cast).id}/rename/", follow=True, headers=BROWSER
        )
        assert [to for to, _status in answer.redirect_chain] == ["/reviews/views/", "/reviews/"]
        live = {**BROWSER, "HX-Request": "true"}
        assert cast.client("ruth").get("/reviews/views/", headers=live).status_code == 405

    def test_needs_the_form_token(self, cast: Cast) -> None:
        card = opened(cast)
        cast.client("ruth")
        client = cast.client("ruth")
        client.handler.enforce_csrf_checks = True
        answer = client.post(f"/reviews/{card.id}/vote/", form(card))
        assert answer.status_code == 403
        assert now(cast, card).card.state is ProposalState.OPEN


class TestWithdrawVote:
    def test_takes_the_vote_back(self, cast: Cast) -> None:
        card = approved(cast)
        client = cast.client("ruth")
        answer = client.post(f"/reviews/{card.id}/vote/withdraw/")
        assert answer.status_code == 302
        assert now(cast, card).card.state is ProposalState.OPEN

    def test_is_refused_without_a_vote_or_with_unknown_fields(self, cast: Cast) -> None:
        card = opened(cast)
        client = cast.client("ruth")
        assert client.post(f"/reviews/{card.id}/vote/withdraw/").status_code == 409
        assert client.post(f"/reviews/{card.id}/vote/withdraw/", {"x": "1"}).status_code == 400
