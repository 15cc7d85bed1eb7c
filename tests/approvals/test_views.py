import re
from difflib import unified_diff
from typing import Any

import pytest

from approvals import commands
from approvals.cards import ProposalCard
from approvals.states import DispatchState
from console.kernel import clock
from console.kernel.ids import uuid7
from tests.approvals.desk import (
    agent,
    approve,
    approved,
    claim,
    facts,
    opened,
    reject,
)
from tests.cast import Cast


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
        assert "You started this; someone else has to decide this." in page
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
