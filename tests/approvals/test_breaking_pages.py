"""The pages and the API of break-glass and of duties."""

import re
from typing import Any

import pytest

from approvals import queries
from approvals.cards import ProposalCard
from approvals.models import BreakGlassGrant
from approvals.states import ProposalState, ReviewVerdict
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant
from tests.approvals.desk import now, opened
from tests.approvals.glass import broken, close, lend
from tests.cast import Cast

API = "/api/v1/approvals"
WHY = {"reason": "It is down.", "ticket": "INC-7"}


@pytest.fixture
def card(cast: Cast) -> ProposalCard:
    return opened(cast, tier=2)


def form(card: ProposalCard, **other: str) -> dict[str, str]:
    return {"revision_no": "1", "seen_digest": card.digest, "sure": "1", **WHY, **other}


class TestProposalPage:
    def test_offers_it_to_who_holds_the_right_and_to_nobody_else(
        self, cast: Cast, card: ProposalCard
    ) -> None:
        lend(cast, cast.ruth)
        page = cast.client("ruth").get(f"/reviews/{card.id}/").content.decode()
        assert re.search(
            r'<details class="confirm" id="break-glass-form"[^>]*data-tone="danger" >', page
        )
        assert "1 person who could decide this is told" in page
        for name in ("ines", "omar", "noor"):
            assert (
                "reak glass" not in cast.client(name).get(f"/reviews/{card.id}/").content.decode()
            )

    def test_says_beside_the_button_why_not(self, cast: Cast) -> None:
        lend(cast, cast.ruth)
        broken(opened(cast, tier=2), cast.ruth)
        page = cast.client("ruth").get(f"/reviews/{opened(cast).id}/").content.decode()
        assert re.search(r'disabled aria-describedby="break-glass-refusal">Break glass', page)
        assert "Your last use of break-glass is not reviewed yet" in page
        assert "break-glass-form" not in page

    def test_takes_it_from_what_the_page_showed(self, cast: Cast, card: ProposalCard) -> None:
        lend(cast, cast.ruth)
        ruth = cast.client("ruth")
        early = ruth.post(f"/reviews/{card.id}/break-glass/", form(card))
        assert early.status_code == 409
        assert early.refusal.code == "vote.not_fully_shown"  # type: ignore[attr-defined]
        page = early.content.decode()
        assert "It is down." in page
        assert 'id="break-glass-form" data-tone="danger" open' in page
        answer = ruth.post(f"/reviews/{card.id}/break-glass/", form(card))
        assert answer.status_code == 302
        after = ruth.get(f"/reviews/{card.id}/").content.decode()
        assert "Ruth broke glass" in after
        assert "by Ruth, with break-glass" in after
        assert "INC-7: It is down." in after
        assert "It waits to be reviewed" in after

    def test_keeps_what_it_showed_to_a_holder_who_is_no_reviewer(
        self, cast: Cast, card: ProposalCard
    ) -> None:
        helper = cast.add("helper", roles=("operator",))
        lend(cast, helper)
        client = cast.client("helper")
        client.get(f"/reviews/{card.id}/")
        assert client.post(f"/reviews/{card.id}/break-glass/", form(card)).status_code == 302
        assert now(cast, card).card.state is ProposalState.APPROVED

    @pytest.mark.parametrize("wrong", [{"sure": ""}, {"guard": "1"}, {"reason": " "}])
    def test_records_nothing_by_accident(
        self, cast: Cast, card: ProposalCard, wrong: dict[str, str]
    ) -> None:
        lend(cast, cast.ruth)
        ruth = cast.client("ruth")
        ruth.get(f"/reviews/{card.id}/")
        answer = ruth.post(f"/reviews/{card.id}/break-glass/", form(card, **wrong))
        assert answer.status_code == 400
        assert now(cast, card).card.state is ProposalState.OPEN

    def test_hides_votes_all_the_same(self, cast: Cast, card: ProposalCard) -> None:
        lend(cast, cast.ruth)
        page = cast.client("ruth").get(f"/reviews/{card.id}/").content.decode()
        assert "break-glass-form" in page
        assert now(cast, card, cast.ruth).blind


class TestGrants:
    def test_are_lent_and_taken_away_on_a_page(self, cast: Cast) -> None:
        noor = cast.client("noor")
        assert "Nobody may break glass now" in noor.get("/reviews/break-glass/").content.decode()
        values = {"person": cast.ruth.id, "minutes": "30", "reason": "The shop is down."}
        assert noor.post("/reviews/break-glass/", values).status_code == 302
        page = noor.get("/reviews/break-glass/").content.decode()
        assert "Ruth may break glass until" in page
        assert "The shop is down." in page
        with in_tenant(cast.tenant_id, read_only=True):
            grant = BreakGlassGrant.objects.get()
        assert noor.post(f"/reviews/break-glass/{grant.id}/revoke/").status_code == 302
        after = noor.get("/reviews/break-glass/").content.decode()
        assert "Nobody may break glass now" in after
        assert "by Noor" in after
        again = noor.post(f"/reviews/break-glass/{grant.id}/revoke/")
        assert again.status_code == 409
        assert "Lend it" in again.content.decode()  # the list, with what is left to do

    def test_offer_everybody_but_oneself(self, cast: Cast) -> None:
        page = cast.client("noor").get("/reviews/break-glass/").content.decode()
        assert f'<option value="{cast.ruth.id}"' in page
        assert f'<option value="{cast.noor.id}"' not in page

    def test_keep_what_was_typed_when_they_are_refused(self, cast: Cast) -> None:
        lend(cast, cast.ruth)
        values = {"person": cast.ruth.id, "minutes": "15", "reason": "Once more."}
        answer = cast.client("noor").post("/reviews/break-glass/", values)
        assert answer.status_code == 409
        assert "Once more." in answer.content.decode()

    def test_are_no_reviewer_s_business(self, cast: Cast) -> None:
        assert cast.client("ruth").get("/reviews/break-glass/").status_code == 403


class TestDuties:
    def test_list_what_waits_and_what_was_answered(self, cast: Cast) -> None:
        ines = cast.client("ines")
        assert "Nothing waits to be looked at" in ines.get("/reviews/duties/").content.decode()
        lend(cast, cast.ruth)
        task = broken(opened(cast, tier=2), cast.ruth).task_id
        page = ines.get("/reviews/duties/").content.decode()
        assert f"/reviews/duties/{task}/" in page
        assert "Break-glass" in page
        assert (
            "Nothing was answered yet" in ines.get("/reviews/duties/?show=closed").content.decode()
        )
        close(task, cast.ines, verdict=ReviewVerdict.DISAGREE)
        assert "Disagreed" in ines.get("/reviews/duties/?show=closed").content.decode()

    def test_show_the_change_as_it_was_decided(self, cast: Cast, card: ProposalCard) -> None:
        lend(cast, cast.ruth)
        task = broken(card, cast.ruth).task_id
        page = cast.client("ines").get(f"/reviews/duties/{task}/").content.decode()
        for said in ("cancelled", "INC-7", "Orders go out twice a minute.", "nothing yet"):
            assert said in page, said
        own = cast.client("ruth").get(f"/reviews/duties/{task}/").content.decode()
        assert "This is about your own use of break-glass" in own
        assert own.count("disabled aria-describedby") == 2

    def test_are_answered_on_their_page(self, cast: Cast, card: ProposalCard) -> None:
        lend(cast, cast.ruth)
        task = broken(card, cast.ruth).task_id
        ines = cast.client("ines")
        wrong = ines.post(f"/reviews/duties/{task}/close/", {"verdict": "agree", "note": ""})
        assert wrong.status_code == 400
        assert "Say what you found." in wrong.content.decode()
        sent = {"verdict": "disagree", "note": "It could wait."}
        assert ines.post(f"/reviews/duties/{task}/close/", sent).status_code == 302
        page = ines.get(f"/reviews/duties/{task}/").content.decode()
        assert "It could wait." in page
        assert "Disagreed" in page
        late: Any = ines.post(f"/reviews/duties/{task}/close/", sent)
        assert (late.status_code, late.refusal.code) == (409, "review_task.closed")

    def test_go_on_behind_the_last_one(self, cast: Cast) -> None:
        tasks = []
        lend(cast, cast.ruth)
        for _ in range(3):
            tasks.append(broken(opened(cast, tier=2), cast.ruth).task_id)
            close(tasks[-1], cast.ines)
        first = queries.review_tasks(actor=cast.ines, closed=True, limit=2)
        last = (first[-1].opened_at, first[-1].id)
        rest = queries.review_tasks(actor=cast.ines, closed=True, before=last)
        assert [one.id for one in (*first, *rest)] == tasks[::-1]


class TestApi:
    def test_lends_uses_and_reviews(self, cast: Cast, card: ProposalCard) -> None:
        noor, ruth, ines = (cast.api(name) for name in ("noor", "ruth", "ines"))
        body = {"person": cast.ruth.id, "minutes": 30, "reason": "The shop is down."}
        lent = noor.post(f"{API}/break-glass-grants", body, format="json")
        assert (lent.status_code, lent.json()["live"]) == (201, True)
        detail = ruth.get(f"{API}/proposals/{card.id}").json()
        assert detail["break_glass"]["skips"] == 1
        assert ines.get(f"{API}/proposals/{card.id}").json()["break_glass"] is None
        sent = {"revision": 1, "digest": card.digest, **WHY}
        used = ruth.post(f"{API}/proposals/{card.id}/break-glass", sent, format="json")
        assert used.status_code == 201, used.content
        again = ruth.post(f"{API}/proposals/{card.id}/break-glass", sent, format="json")
        assert (again.status_code, again.json()["repeated"]) == (200, True)
        (task,) = ines.get(f"{API}/review-tasks").json()["items"]
        assert task["id"] == used.json()["review_task"]
        found = ines.get(f"{API}/review-tasks/{task['id']}").json()
        assert (found["use"]["ticket"], found["basis"]) == ("INC-7", "break_glass")
        assert found["digest"] == card.digest
        own = ruth.post(
            f"{API}/review-tasks/{task['id']}/close",
            {"verdict": "agree", "note": "Mine."},
            format="json",
        )
        assert (own.status_code, own.json()["code"]) == (403, "review_task.not_eligible")
        closed = ines.post(
            f"{API}/review-tasks/{task['id']}/close",
            {"verdict": "agree", "note": "Yes."},
            format="json",
        )
        assert (closed.status_code, closed.json()["verdict"]) == (200, "agree")
        assert ines.get(f"{API}/review-tasks?state=closed").json()["items"] == [closed.json()]
        assert noor.get(f"{API}/break-glass-grants").json()["grants"][0]["uses"] == 1
        address = f"{API}/break-glass-grants/{lent.json()['id']}"
        assert noor.delete(address).status_code == 204
        assert noor.delete(address).json()["code"] == "break_glass.over"

    def test_refuses_who_does_not_hold_it(self, cast: Cast, card: ProposalCard) -> None:
        sent = {"revision": 1, "digest": card.digest, **WHY}
        answer = cast.api("ruth").post(
            f"{API}/proposals/{card.id}/break-glass", sent, format="json"
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "break_glass.not_granted")

    def test_knows_no_duty_of_others(self, cast: Cast) -> None:
        lend(cast, cast.ruth)
        task = broken(opened(cast), cast.ruth).task_id
        for address in (f"/reviews/duties/{task}/", f"/reviews/duties/{uuid7()}/"):
            assert cast.client("mallory").get(address).status_code == 404
