"""The pages of approvals given in advance."""

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db.models import F
from django.test import Client

from approvals import queries
from approvals.cards import ProposalCard
from approvals.states import ProposalState, StandingState
from console.accounts.models import SessionRecord
from tests.approvals.advance import like, made
from tests.approvals.clocks import asking
from tests.approvals.desk import approved, claim, now, opened
from tests.cast import Cast

FORM = "application/x-www-form-urlencoded"
LIST = "/reviews/standing/"


def text(answer: Any) -> str:
    return unescape(re.sub(r"<[^>]+>", "", answer.content.decode()))


def page(card: ProposalCard) -> str:
    return f"/reviews/{card.id}/standing/"


def sent(client: Client, card: ProposalCard, *, lines: dict[str, Any], **other: Any) -> Any:
    """Post the form as the page shows it, with some of its lines changed."""
    html = client.get(page(card)).content.decode()
    paths = re.findall(
        r'name="path" value="([^"]*)"|class="mono" name="path" value="([^"]*)"', html
    )
    rows = [list(lines.get(first or second, (None, None))) for first, second in paths]
    names = [first or second for first, second in paths]
    values = [unescape(one) for one in re.findall(r'name="value" value="([^"]*)"', html)]
    body = {
        "revision_no": "1",
        "seen_digest": card.digest,
        "path": names,
        "op": [op or "eq" for op, _ in rows],
        "value": [old if new is None else new for (_, new), old in zip(rows, values, strict=True)],
        "uses": "2",
        "days": "7",
        "reason": "All day.",
        **other,
    }
    return client.post(page(card), urlencode(body, doseq=True), content_type=FORM)


class TestMakeStandingPage:
    def test_starts_from_the_approved_request_and_gives_what_was_loosened(self, cast: Cast) -> None:
        card = approved(cast)
        ruth = cast.client("ruth")
        assert page(card) in ruth.get(f"/reviews/{card.id}/").content.decode()
        shown = text(ruth.get(page(card)))
        assert "Like Cancel order #W1, which you approved." in shown
        answer = sent(
            ruth, card, lines={"/args/order_id": ("glob", "#W*"), "/target/orders": ("any", "")}
        )
        assert (answer.status_code, answer["Location"]) == (302, LIST)
        other = {"orders": {"#W2": {"status": "pending"}}}
        covered = opened(cast, **like("#W2"), before=other, after=other)
        assert covered.state is ProposalState.APPROVED
        (found,) = queries.standing_approvals(actor=cast.noor)
        assert found.conditions == (
            {"path": "/args/order_id", "op": "glob", "value": "#W*"},
            {"path": "/args/reason", "op": "eq", "value": "ordered by mistake"},
        )

    def test_keeps_what_was_typed_beside_what_is_wrong(self, cast: Cast) -> None:
        card = approved(cast)
        answer = sent(cast.client("ruth"), card, lines={"/args/reason": ("glob", "a[b]")})
        assert (answer.status_code, answer.refusal.code) == (400, "standing.invalid")
        html = answer.content.decode()
        assert 'value="a[b]"' in html
        assert "is no pattern" in html
        assert 'value="All day."' in html

    def test_says_why_not_beside_the_button(self, cast: Cast) -> None:
        card = approved(cast)
        assert "approve a request first" in text(cast.client("ines").get(page(card)))
        refused = sent(cast.client("ines"), card, lines={})
        assert refused.refusal.code == "standing.not_approved"
        assert page(card) not in cast.client("ines").get(f"/reviews/{card.id}/").content.decode()

    def test_asks_for_a_fresh_sign_in_where_approving_does(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asking(monkeypatch, stepup_s=1)
        card = approved(cast)
        ruth = cast.client("ruth")
        SessionRecord.objects.filter(person_id=cast.members["ruth"].id).update(
            proved_at=F("proved_at") - timedelta(hours=1)
        )
        answer = sent(ruth, card, lines={"/target/orders": ("any", "")})
        assert answer.refusal.code == "stepup.required"
        assert f"/account/step-up/?next={page(card)}" in answer.content.decode()


class TestStandingPage:
    def test_is_empty_at_first(self, cast: Cast) -> None:
        assert "None is in force" in text(cast.client("omar").get(LIST))

    def test_shows_what_speaks_and_for_what_it_spoke(self, cast: Cast) -> None:
        card = made(cast)
        used = opened(cast, **like("#W2"))
        html = cast.client("ines").get(LIST).content.decode()
        assert "2 of 3" in html
        assert f"/reviews/{used.id}/" in html
        assert "Only its maker and who leads the reviewers end this; ask them." in html
        assert cast.client("ines").get(f"{LIST}?one={card.id}").status_code == 200

    def test_ends_one_with_a_reason(self, cast: Cast) -> None:
        card = made(cast)
        noor = cast.client("noor")
        refused: Any = noor.post(f"{LIST}{card.id}/revoke/", {"reason": " "})
        assert refused.status_code == 400
        assert noor.post(f"{LIST}{card.id}/revoke/", {"reason": "Over."}).status_code == 302
        (found,) = queries.standing_approvals(actor=cast.noor)
        assert (found.state, found.revoked_by) == (StandingState.REVOKED, "Noor")
        assert "Over." in text(noor.get(LIST))

    def test_goes_on_behind_a_page(self, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("approvals.views.standing.PER_PAGE", 1)
        noor = cast.client("noor")
        for n in range(2):
            card = made(cast, reason=f"Number {n}.")
            noor.post(f"{LIST}{card.id}/revoke/", {"reason": "Over."})
        first = noor.get(LIST).content.decode()
        (older,) = re.findall(r'rel="next" href="(\?after=[^"]+)"', first)
        assert ("Number 1." in first, "Number 0." in first) == (True, False)
        second = noor.get(f"{LIST}{older}").content.decode()
        assert ("Number 1." in second, "Number 0." in second) == (False, True)


class TestEverybody:
    def test_sees_whose_standing_approval_spoke(self, cast: Cast) -> None:
        made(cast)
        card = opened(cast, **like("#W2"))
        claim(cast, card, **like("#W2"))
        for name in ("ines", "omar", "noor"):
            client = cast.client(name)
            shown = text(client.get(f"/reviews/{card.id}/"))
            assert "by the standing approval of Ruth" in shown
            assert "settled it on the standing approval of Ruth" in shown
            decided = text(client.get("/reviews/?view=decided"))
            assert "by the standing approval of Ruth" in decided
        api = cast.api("omar").get(f"/api/v1/approvals/proposals/{card.id}").json()
        assert api["decision"]["standing"]["maker"] == "Ruth"
        assert now(cast, card).decision is not None
