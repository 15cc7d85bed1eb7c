import re
from typing import Any

import pytest

from approvals import commands, queries
from approvals.queries import View
from approvals.states import SnoozeFor
from console.kernel import clock
from tests.approvals.desk import approve, facts, now, opened
from tests.approvals.test_views import same, text
from tests.cast import Cast

API = "/api/v1/approvals/proposals"


def refetch(page: str) -> str:
    """Return the address from which a page's list is fetched again."""
    found = re.search(r'src="([^"]*part=rows[^"]*)"', page)
    assert found is not None
    return found[1].replace("&amp;", "&")


class TestQueue:
    def test_has_tabs_with_counts(self, cast: Cast) -> None:
        opened(cast)
        page = text(cast.client("ruth").get("/reviews/?view=team"))
        tabs = re.findall(r'<a href="/reviews/\?view=(\w+)"[^>]*>[^<]*(?:<span[^>]*>(\d+))?', page)
        assert tabs == [("mine", "1"), ("team", "1"), ("waiting", "0"), ("decided", "")]

    def test_shows_words_as_chips_that_go_away(self, cast: Cast) -> None:
        card = opened(cast)
        client = cast.client("ruth")
        page = text(client.get("/reviews/?view=mine&q=tier:1+-agent:x&sort=newest"))
        assert f"/reviews/{card.id}/?q=tier%3A1+-agent%3Ax&amp;sort=newest&amp;list=mine" in page
        chips = re.findall(r'class="chip" href="([^"]+)"', page)
        assert chips == [
            "/reviews/?view=mine&amp;q=-agent%3Ax&amp;sort=newest",
            "/reviews/?view=mine&amp;q=tier%3A1&amp;sort=newest",
        ]
        assert "1 item<" in page
        assert 'value="tier:1 -agent:x"' in page

    def test_points_at_a_word_it_cannot_read(self, cast: Cast) -> None:
        opened(cast)
        answer = cast.client("ruth").get("/reviews/?q=is:open+agnet:x")
        page = text(answer)
        assert answer.status_code == 400
        assert "Word 2 of the filter, agnet:x: there is no field &quot;agnet&quot;" in page
        assert 'value="is:open agnet:x"' in page
        assert "data-row" not in page
        assert 'href="/reviews/?view=mine">Clear the filter' in page

    def test_brings_the_rooms_with_their_counts_when_it_is_refetched(self, cast: Cast) -> None:
        opened(cast)
        client = cast.client("ruth")
        page = text(client.get("/reviews/?view=team"))
        topics = dict(re.findall(r'<sb-live[^>]* id="([^"]+)"[^>]* topics="([^"]*)"', page))
        assert (topics["nav"], topics["queue"]) == ("controls", "reviews.queue reviews.claims")
        opened(cast)
        rows = text(client.get(refetch(page)))
        nav = rows[rows.index('id="nav"') :]
        assert (rows.count("<sb-live"), 'hx-swap-oob="outerMorph"' in nav) == (2, True)
        assert re.search(r'id="nav-reviews".*?<span class="count"[^>]*>2<', nav, re.DOTALL)

    def test_leaves_the_rooms_alone_where_its_filter_cannot_be_read(self, cast: Cast) -> None:
        page = text(cast.client("ruth").get("/reviews/?q=agnet:x"))
        topics = dict(re.findall(r'<sb-live[^>]* id="([^"]+)"[^>]* topics="([^"]*)"', page))
        assert (topics["nav"], topics["queue"]) == ("reviews.queue controls", "")

    def test_asks_for_the_same_in_every_tab_until_something_happens(self, cast: Cast) -> None:
        card = opened(cast)
        client = cast.client("ruth")
        first, second = (refetch(text(client.get("/reviews/?view=team"))) for _ in range(2))
        assert first == second
        approve(card, cast.ines)
        after = refetch(text(client.get("/reviews/?view=team")))
        assert after != first
        assert "data-gone" in text(client.get(first))  # what left since stays in place
        assert "data-gone" not in text(client.get(after))
        opened(cast)
        assert "1 new." in text(client.get(after))

    @pytest.mark.parametrize(
        ("query", "says"),
        [
            ("view=mine", "Nothing waits for you"),
            ("view=team", "Nothing waits for anybody"),
            ("view=waiting", "Nothing of yours waits on others"),
            ("view=decided", "Nothing has been decided yet"),
            ("view=team&q=tier:2", "No proposal matches"),
        ],
    )
    def test_says_why_it_is_empty(self, cast: Cast, query: str, says: str) -> None:
        assert says in text(cast.client("ruth").get(f"/reviews/?{query}"))

    @pytest.mark.parametrize(
        "query", ["sort=best", "view=decided&sort=deadline", "q=%00", f"q={'x' * 301}"]
    )
    def test_refuses_an_address_that_says_nothing(self, cast: Cast, query: str) -> None:
        assert cast.client("ruth").get(f"/reviews/?{query}").status_code == 400

    def test_says_who_is_at_work_and_why_it_is_my_turn(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        commands.claim(actor=cast.ines, proposal_id=card.id)
        commands.claim(actor=cast.ruth, proposal_id=card.id)
        page = text(cast.client("ruth").get("/reviews/"))
        assert "Ines viewing, until" in page
        assert "claimed: you, until" in page
        assert "asked of you, <time" in page
        assert 'topics="reviews.queue reviews.claims"' in page

    def test_strikes_through_what_was_decided_since(self, cast: Cast) -> None:
        card = opened(cast)
        client = cast.client("ruth")
        source = re.search(r'src="([^"]*part=rows[^"]*)"', text(client.get("/reviews/?view=team")))
        assert source is not None
        approve(card, cast.ines)
        part = text(client.get(source[1].replace("&amp;", "&")))
        assert f'id="proposal-{card.id}"  data-gone' in part
        assert "data-gone" not in text(client.get("/reviews/?view=decided"))

    def test_hides_hostile_text(self, cast: Cast) -> None:
        nasty = "<script>alert(1)</script>\u202eis:open"
        opened(cast, facts_=facts(1, title=nasty, agent_label=nasty))
        page = text(cast.client("ruth").get("/reviews/?q=script"))
        assert "<script>alert" not in page
        assert "\u202e" not in page
        page = text(cast.client("ruth").get("/reviews/?q=%E2%80%AE%3Cscript%3E"))
        assert "<script>" not in page.replace("<script nonce", "")

    def test_is_refused_without_the_permission(self, cast: Cast) -> None:
        cast.add("nobody", roles=())
        answer = cast.client("nobody").get("/reviews/?view=team&q=is:open")
        assert answer.status_code == 403
        assert "approvals.view" in text(answer)


class TestSavedViews:
    def test_are_kept_opened_and_changed_by_forms(self, cast: Cast) -> None:
        client = cast.client("ruth")
        made = client.post("/reviews/views/", {"name": "Big", "view": "team", "q": "tier:2"})
        assert made["Location"] == "/reviews/?view=team&q=tier%3A2"
        card = queries.saved_views(actor=cast.ruth)[0]
        page = text(client.get("/reviews/"))
        assert 'href="/reviews/?view=team&amp;q=tier%3A2">Big' in page
        client.post(f"/reviews/views/{card.id}/default/", {"on": "1"})
        assert client.get("/reviews/")["Location"] == "/reviews/?view=team&q=tier%3A2"
        assert client.get("/reviews/?view=mine").status_code == 200
        client.post(f"/reviews/views/{card.id}/rename/", {"name": "Bigger"})
        card = queries.saved_views(actor=cast.ruth)[0]
        assert (card.name, card.is_default) == ("Bigger", True)
        client.post(f"/reviews/views/{card.id}/delete/")
        assert client.get("/reviews/").status_code == 200

    def test_refuse_with_the_text_kept(self, cast: Cast) -> None:
        client = cast.client("ruth")
        client.post("/reviews/views/", {"name": "Big"})
        answer = client.post("/reviews/views/", {"name": "Big"})
        assert answer.status_code == 409
        assert "You have a view of this name already" in text(answer)


class TestFollowing:
    def test_goes_to_the_neighbour_in_a_list(self, cast: Cast) -> None:
        cards = [opened(cast, tier=1 + n % 2) for n in range(4)]
        client = cast.client("ruth")
        ask = f"/reviews/next/?view=mine&q=tier:1&than={cards[0].id}"
        assert client.get(ask)["Location"] == f"/reviews/{cards[2].id}/"
        back = f"/reviews/next/?view=mine&q=tier:1&way=prev&than={cards[0].id}"
        assert client.get(back)["Location"] == "/reviews/?view=mine&q=tier%3A1"


class TestClaim:
    def test_is_shown_on_the_page_and_taken_by_a_button(self, cast: Cast) -> None:
        card = opened(cast)
        ruth, ines = cast.client("ruth"), cast.client("ines")
        assert "Nobody is at work on this." in text(ruth.get(f"/reviews/{card.id}/"))
        answer = ruth.post(f"/reviews/{card.id}/claim/")
        assert answer["Location"] == f"/reviews/{card.id}/"
        assert "You are at work on this until" in text(ruth.get(f"/reviews/{card.id}/claim/"))
        page = text(ines.get(f"/reviews/{card.id}/"))
        assert "Ruth is viewing this, until" in page
        assert "You can reject it now" in page
        assert "data-claims=" not in page
        assert ines.post(f"/reviews/{card.id}/claim/").status_code == 409
        assert ruth.post(f"/reviews/{card.id}/claim/release/")["Location"] == "/reviews/"
        assert "Nobody is at work on this." in text(ines.get(f"/reviews/{card.id}/"))

    def test_is_taken_over_by_a_lead_alone(self, cast: Cast) -> None:
        card = opened(cast)
        commands.claim(actor=cast.ruth, proposal_id=card.id)
        address = f"/reviews/{card.id}/claim/take-over/"
        assert cast.client("ines").post(address).status_code == 403
        assert address not in text(cast.client("ines").get(f"/reviews/{card.id}/claim/"))
        noor = cast.client("noor")
        assert "Take over" in text(noor.get(f"/reviews/{card.id}/claim/"))
        assert noor.post(address).status_code == 302
        assert "Ruth" not in text(noor.get(f"/reviews/{card.id}/claim/"))

    def test_offers_nothing_where_there_is_nothing_to_decide(self, cast: Cast) -> None:
        card = opened(cast)
        for who in ("omar", "noor"):
            part = text(cast.client(who).get(f"/reviews/{card.id}/claim/"))
            assert "<button" not in part
        approve(card, cast.ruth)
        assert "<button" not in text(cast.client("ines").get(f"/reviews/{card.id}/claim/"))

    def test_has_equal_bytes_before_and_after_the_vote_of_another(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        client, api = cast.client("ruth"), cast.api("ruth")
        pages = [
            f"/reviews/{card.id}/claim/",
            f"/reviews/{card.id}/",
            "/reviews/?view=team",
            "/reviews/?view=mine&q=is:claimed",
            "/reviews/?view=waiting&sort=tier",
        ]
        lists = [f"{API}?view=team&q=is:claimed", f"{API}?view=mine&sort=newest"]
        at = clock.now()

        def seen() -> list[Any]:
            with clock.frozen(at):
                html = [same(text(client.get(page))) for page in pages]
                answers = [api.get(path) for path in lists]
            return [*html, *((answer.content, answer["ETag"]) for answer in answers)]

        with clock.frozen(at):
            commands.claim(actor=cast.ines, proposal_id=card.id)
        client.get(pages[1])  # keeps what was shown
        before = seen()
        assert "Ines is viewing this" in before[0]
        approve(card, cast.ines, note="It looks right.")
        assert seen() == before


class TestClaimByTheApi:
    def test_takes_renews_and_gives_back(self, cast: Cast) -> None:
        card = opened(cast)
        ruth, ines = cast.api("ruth"), cast.api("ines")
        address = f"{API}/{card.id}/claim"
        first = ruth.post(address, {"by_itself": True}, format="json")
        assert first.status_code == 200
        assert first.json()["mine"]["name"] == "Ruth"
        assert ruth.post(address, {}, format="json").status_code == 200
        refused = ines.post(address, {}, format="json")
        assert (refused.status_code, refused.json()["code"]) == (409, "proposal.claimed")
        assert refused.json()["details"]["holder"] == "Ruth"
        rows = ines.get(f"{API}?view=mine&q=is:claimed").json()["items"]
        assert [row["claims"][0]["name"] for row in rows] == ["Ruth"]
        assert rows[0]["turn"]["reason"] == "opened"
        assert ruth.delete(address).json()["mine"] is None
        assert ines.post(address, {}, format="json").status_code == 200

    def test_is_for_people_and_its_taking_over_for_leads(self, cast: Cast) -> None:
        card = opened(cast)
        address = f"{API}/{card.id}/claim"
        key = cast.key_client("approvals.view")
        assert key.post(address, {}, format="json").json()["code"] == "vote.machine"
        over = cast.api("ruth").post(address, {"take_over": True}, format="json")
        assert (over.status_code, over.json()["code"]) == (403, "forbidden")

    def test_refuses_a_filter_that_cannot_be_read(self, cast: Cast) -> None:
        answer = cast.api("ruth").get(f"{API}?q=nope:1")
        assert answer.status_code == 400
        assert "Word 1 of the filter" in answer.json()["details"]["fields"]["q"][0]


class TestSnooze:
    def test_leaves_the_list_and_says_how_many(self, cast: Cast) -> None:
        card = opened(cast)
        client = cast.client("ruth")
        answer = client.post(
            f"/reviews/{card.id}/snooze/", {"for_how_long": "hour", "next": "/reviews/?view=mine"}
        )
        assert answer["Location"] == "/reviews/?view=mine"
        page = text(client.get("/reviews/?view=mine"))
        assert "Put off until" in page
        assert "1 snoozed" in page
        assert f"proposal-{card.id}" not in page
        page = text(client.get("/reviews/?view=mine&q=is:snoozed"))
        assert f"proposal-{card.id}" in page
        assert "snoozed until" in page
        client.post(f"/reviews/{card.id}/wake/")
        assert f"proposal-{card.id}" in text(client.get("/reviews/"))

    @pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "/people/"])
    def test_goes_back_to_a_list_only(self, cast: Cast, back: str) -> None:
        card = opened(cast)
        answer = cast.client("ruth").post(
            f"/reviews/{card.id}/snooze/", {"for_how_long": "day", "next": back}
        )
        assert answer["Location"] == "/reviews/"

    def test_is_refused_to_whoever_has_no_turn(self, cast: Cast) -> None:
        card = opened(cast)
        answer = cast.client("omar").post(f"/reviews/{card.id}/snooze/", {"for_how_long": "hour"})
        assert answer.status_code == 403
        commands.snooze(actor=cast.ruth, proposal_id=card.id, for_how_long=SnoozeFor.HOUR)
        assert queries.awaiting_review(actor=cast.ruth, view=View.MINE).rows == ()
        assert now(cast, card).card.state == "open"
