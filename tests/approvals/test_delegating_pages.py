"""The page and the API of delegations, and what the page of a proposal says of one."""

from approvals import queries
from console.kernel import clock
from tests.approvals.desk import (
    opened,
)
from tests.approvals.lent import DAY, finance, lend
from tests.cast import Cast


class TestPage:
    def test_names_somebody_and_ends_it(self, cast: Cast) -> None:
        browser = cast.client("ines")
        page = browser.get("/reviews/delegations/").content.decode()
        assert "Nobody stands in for anybody" in page
        form = {"person": cast.ruth.id, "group": "finance", "days": "14", "reason": "I am away."}
        assert browser.post("/reviews/delegations/", form).status_code == 302
        page = browser.get("/reviews/delegations/").content.decode()
        assert "I am away." in page
        assert "You named Ruth already" in page
        [made] = queries.delegations(actor=cast.ines)
        ended = browser.post(f"/reviews/delegations/{made.id}/end/")
        assert ended.status_code == 302
        assert "by Ines" in browser.get("/reviews/delegations/").content.decode()
        again = browser.post(f"/reviews/delegations/{made.id}/end/")
        assert again.status_code == 409
        page = again.content.decode()
        assert "there is nothing to end" in page
        assert "Name somebody" in page

    def test_says_why_not_and_keeps_what_was_typed(self, cast: Cast) -> None:
        form = {"person": cast.omar.id, "group": "finance", "days": "3", "reason": "I am away."}
        answer = cast.client("ines").post("/reviews/delegations/", form)
        assert answer.status_code == 403
        page = answer.content.decode()
        assert "name a reviewer" in page
        assert 'value="I am away."' in page

    def test_of_who_decides_nothing_has_no_form(self, cast: Cast) -> None:
        page = cast.client("noor").get("/reviews/delegations/").content.decode()
        assert "Only reviewers have a place to lend" in page
        assert "delegate-person" not in page

    def test_of_a_proposal_says_it_beside_the_vote(self, cast: Cast) -> None:
        card = finance(cast)
        lend(cast.ines, cast.ruth)
        browser = cast.client("ruth")
        page = browser.get(f"/reviews/{card.id}/").content.decode()
        assert "You decide in place of Ines" in page
        assert f'name="in_place_of" value="{cast.ines.id}"' in page
        form = {
            "choice": "approve",
            "revision_no": "1",
            "seen_digest": card.digest,
            "record": "1",
            "in_place_of": cast.ines.id,
        }
        assert browser.post(f"/reviews/{card.id}/vote/", form).status_code == 302
        page = browser.get(f"/reviews/{card.id}/").content.decode()
        assert "in place of Ines" in page

    def test_of_a_proposal_asks_in_which_capacity(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        lend(cast.ines, cast.ruth)
        page = cast.client("ruth").get(f"/reviews/{card.id}/").content.decode()
        assert "For yourself" in page
        assert "In place of Ines (finance)" in page


class TestApi:
    URL = "/api/v1/approvals/delegations"

    def test_makes_lists_and_ends(self, cast: Cast) -> None:
        card = finance(cast)
        api = cast.api("ines")
        body = {
            "person": cast.ruth.id,
            "group": "finance",
            "until": (clock.now() + DAY).isoformat(),
            "reason": "I am away.",
        }
        made = api.post(self.URL, body, format="json")
        assert made.status_code == 201, made.content
        [listed] = api.get(self.URL).json()["delegations"]
        assert (listed["to_person"], listed["live"]) == ("Ruth", True)
        ruth = cast.api("ruth")
        ruth.get(f"/api/v1/approvals/proposals/{card.id}")
        cast_ = ruth.post(
            f"/api/v1/approvals/proposals/{card.id}/votes",
            {
                "revision": 1,
                "digest": card.digest,
                "choice": "approve",
                "in_place_of": cast.ines.id,
            },
            format="json",
        )
        assert cast_.status_code == 201, cast_.content
        assert cast_.json()["in_place_of"] == "Ines"
        assert api.delete(f"{self.URL}/{made.json()['id']}").status_code == 204
        assert api.delete(f"{self.URL}/{made.json()['id']}").status_code == 409
