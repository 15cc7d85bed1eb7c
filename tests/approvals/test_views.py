import re
from difflib import unified_diff
from typing import Any

import pytest
from django.test import Client

from approvals import commands
from approvals.cards import ProposalCard
from approvals.states import DispatchState, ProposalState
from console.kernel import clock
from console.kernel.ids import uuid7
from tests.approvals.desk import (
    agent,
    approve,
    approved,
    claim,
    content,
    facts,
    now,
    opened,
    reject,
)
from tests.cast import PASSWORD, Cast

BROWSER = {"Accept": "text/html,application/xhtml+xml;q=0.9"}


def form(card: ProposalCard, **other: Any) -> dict[str, Any]:
    values = {
        "choice": "approve",
        "revision_no": card.revision_no,
        "seen_digest": card.digest,
        "reason_code": "",
        "note": "",
        "agent_message": "",
        "record": "1",
    }
    return {name: value for name, value in {**values, **other}.items() if value is not None}


def text(answer: Any) -> str:
    return str(answer.content.decode())


class TestQueue:
    def test_lists_my_turn_with_links(self, cast: Cast) -> None:
        card = opened(cast)
        page = cast.client("ruth").get("/reviews/")
        assert page.status_code == 200
        assert f'href="/reviews/{card.id}/"' in text(page)
        assert "needs 1" in text(page)

    @pytest.mark.parametrize("view", ["mine", "waiting", "decided"])
    def test_says_which_list_is_empty(self, cast: Cast, view: str) -> None:
        page = cast.client("ruth").get(f"/reviews/?view={view}")
        assert page.status_code == 200
        assert 'class="empty"' in text(page)

    def test_answers_its_part_alone(self, cast: Cast) -> None:
        opened(cast)
        part = cast.client("ruth").get("/reviews/?part=rows&view=mine")
        assert text(part).lstrip().startswith("<sb-live")
        assert "<html" not in text(part)

    def test_counts_arrivals_instead_of_showing_them(self, cast: Cast) -> None:
        opened(cast)
        client = cast.client("ruth")
        source = re.search(r'src="([^"]*part=rows[^"]*)"', text(client.get("/reviews/")))
        assert source is not None
        opened(cast)
        part = text(client.get(source[1].replace("&amp;", "&")))
        assert "1 new." in part
        assert part.count("data-row") == 1

    @pytest.mark.parametrize(
        "query",
        [
            "view=mine2",
            "part=nothing",
            "after=%00",
            "after=x",
            f"after={'a' * 401}",
            "as_of=yesterday",
            "as_of=2026-11-20T10:00:00",
            "who=me",
            "view=%E2%80%AE",
        ],
    )
    def test_refuses_an_address_that_says_nothing(self, cast: Cast, query: str) -> None:
        page = cast.client("ruth").get(f"/reviews/?{query}")
        assert page.status_code == 400

    @pytest.mark.usefixtures("cast")
    def test_sends_strangers_to_the_sign_in(self, client: Any) -> None:
        page = client.get("/reviews/", SERVER_NAME="localhost")
        assert page.status_code == 302
        assert page["Location"].startswith("/sign-in/")

    def test_is_refused_without_the_permission(self, cast: Cast) -> None:
        cast.add("nobody", roles=())
        assert cast.client("nobody").get("/reviews/").status_code == 403


class TestFollowing:
    def test_goes_to_what_waits_first(self, cast: Cast) -> None:
        client = cast.client("ruth")
        assert client.get("/reviews/next/")["Location"] == "/reviews/"
        card = opened(cast)
        assert client.get("/reviews/next/")["Location"] == f"/reviews/{card.id}/"


class TestDetail:
    def test_keeps_the_order_of_its_parts(self, cast: Cast) -> None:
        page = text(cast.client("ruth").get(f"/reviews/{opened(cast).id}/"))
        parts = [
            'class="consequence"',
            'id="reason"',
            'id="change"',
            'id="evidence"',
            'aria-label="People"',
            'aria-label="Your vote"',
            'id="past"',
        ]
        places = [page.index(part) for part in parts]
        assert places == sorted(places)

    def test_shows_raw_content_and_the_whole_digest(self, cast: Cast) -> None:
        card = opened(cast)
        page = text(cast.client("ruth").get(f"/reviews/{card.id}/?view=raw"))
        assert page.count(card.digest) >= 2
        assert "ordered by mistake" in page

    def test_escapes_hostile_text_and_counts_it(self, cast: Cast) -> None:
        nasty = '<script>alert(1)</script>\u202eApproved by M. Ito\u200b"onload=x'
        card = opened(
            cast,
            facts_=facts(1, title=nasty, why=nasty, agent_label=nasty, tool_summary=nasty),
            before={"orders": {nasty: {"note": nasty}}},
            after={"orders": {nasty: {"note": nasty + "x", nasty: nasty}}},
            args={"note": nasty},
        )
        page = ""
        for view in ("", "?view=raw"):
            page = text(cast.client("ruth").get(f"/reviews/{card.id}/{view}"))
            assert "<script>alert" not in page
            assert "\u202e" not in page
            assert "\u200b" not in page
            assert "U+202E" in page
        assert "invisible or reordering characters" in page

    def test_shows_recorded_decided_and_executed_apart(self, cast: Cast) -> None:
        card = approved(cast)
        client = cast.client("ruth")
        page = text(client.get(f"/reviews/{card.id}/"))
        assert "recorded" in page
        assert "Not yet" in page
        got = claim(cast, card)
        assert "Sent, not confirmed yet" in text(client.get(f"/reviews/{card.id}/"))
        commands.report_outcome(
            actor=agent(cast),
            dispatch_id=got.dispatch_id,
            outcome=DispatchState.UNKNOWN,
            after={},
            evidence={},
        )
        assert "whether it happened, reported" in text(client.get(f"/reviews/{card.id}/"))

    def test_shows_then_proposed_and_now_when_stale(self, cast: Cast) -> None:
        card = approved(cast)
        claim(cast, card, before={"orders": {"#W1": {"status": "shipped"}}})
        page = text(cast.client("ruth").get(f"/reviews/{card.id}/"))
        assert "What changed meanwhile" in page
        assert "shipped" in page
        assert "conflict" in page

    def test_disables_the_bar_with_the_sentence_of_the_refusal(self, cast: Cast) -> None:
        page = text(cast.client("omar").get(f"/reviews/{opened(cast).id}/"))
        assert "You started the run; someone else has to decide this." in page
        assert re.search(r'name="record"[^>]*disabled', page)

    def test_says_what_expiry_was(self, cast: Cast) -> None:
        card = opened(cast)
        with clock.frozen(card.decide_by):
            commands.settle(actor=cast.system, proposal_id=card.id)
        page = text(cast.client("ruth").get(f"/reviews/{card.id}/"))
        assert "Nobody decided in time. Nothing ran." in page
        assert "rejected" not in page.lower()

    def test_answers_with_all_that_a_hint_of_it_changes_and_nothing_else(self, cast: Cast) -> None:
        page = text(cast.client("ruth").get(f"/reviews/{opened(cast).id}/?part=now"))
        assert page.lstrip().startswith("<sb-live")
        assert re.findall(r'id="([^"]+)" [^>]*hx-swap-oob="outerMorph"', page) == [
            "thread-list",
            "history",
        ]
        assert "<form" not in page

    def test_follows_a_proposal_by_one_region(self, cast: Cast) -> None:
        card = opened(cast)
        page = text(cast.client("ruth").get(f"/reviews/{card.id}/"))
        follows = re.findall(r'<sb-live id="([^"]+)"[^>]* topics="proposal:[^"]+"', page)
        assert (follows, "hx-swap-oob" in page) == (["proposal"], False)

    def test_is_missing_elsewhere_and_when_unknown(self, cast: Cast) -> None:
        card = opened(cast)
        assert cast.client("mallory").get(f"/reviews/{card.id}/").status_code == 404
        assert cast.client("ruth").get(f"/reviews/{uuid7()}/").status_code == 404
        assert cast.client("ruth").get("/reviews/4411/").status_code == 404
        assert cast.client("ruth").get(f"/reviews/{card.id}/?view=x").status_code == 400

    def test_has_equal_bytes_before_and_after_the_vote_of_another(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        client, api = cast.client("ruth"), cast.api("ruth")
        pages = [
            f"/reviews/{card.id}/",
            f"/reviews/{card.id}/?part=now&view=fields",
            "/reviews/",
            "/reviews/?view=waiting",
            "/reviews/?view=decided",
        ]
        data = [
            f"/api/v1/approvals/proposals/{card.id}",
            "/api/v1/approvals/proposals?view=mine",
        ]

        def seen() -> list[Any]:
            with clock.frozen(card.opened_at):
                html = [same(text(client.get(page))) for page in pages]
                answers = [api.get(path) for path in data]
            return [*html, *((answer.content, answer["ETag"]) for answer in answers)]

        before = seen()
        approve(card, cast.ines, note="It looks right.")
        with pytest.raises(Exception, match="voted to approve"):
            reject(card, cast.ines)
        after = seen()
        for was, is_now in zip(before, after, strict=True):
            assert was == is_now, "\n".join(
                unified_diff(str(was).split("\n"), str(is_now).split("\n"))
            )
        approve(card, cast.ruth)
        assert seen() != before


def same(page: str) -> str:
    """Take out what differs between any two answers: nonces, tokens, request ids, the time."""
    page = re.sub(r'(nonce|value)="[A-Za-z0-9+/=_-]{16,}"', "", page)
    page = re.sub(r"X-CSRFToken[^}]*", "", page)
    page = re.sub(r">request [^<]*<", "", page)
    page = re.sub(r"<time[^>]*>[^<]*</time>", "", page)
    return re.sub(r'data-now="[^"]*"|\bin \d+ (?:h|min|s)(?: \d+ min)?\b', "", page)


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
        card = opened(cast)
        client = cast.client("ruth")
        client.get(f"/reviews/{card.id}/")
        answers = [client.post(f"/reviews/{card.id}/vote/", form(card)) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [302, 302]
        actions = [line.action for line in now(cast, card).history]
        assert actions.count("vote.cast") == 1

    def test_keeps_the_text_and_shows_what_changed_after_409(self, cast: Cast) -> None:
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
