"""What went wrong elsewhere with votes, and with what people see when they vote.

How reports are named stands in `test_regressions.py`.
"""

import re
from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from django.test import Client

from approvals.cards import Claimed, NotClaimed, ProposalCard, VoteReceipt
from approvals.errors import (
    AlreadyDecided,
    NotFullyShown,
    VoteByPrincipal,
    VoteNotEligible,
)
from approvals.models import Decision, Dispatch
from approvals.states import ProposalState
from console.kernel.transactions import in_tenant
from tests.approvals import letters
from tests.approvals.desk import (
    approve,
    claim,
    now,
    opened,
    principals,
)
from tests.approvals.test_regressions import votes_of
from tests.cast import HOST, Cast
from tests.races.test_votes import at_once


def answers(card: ProposalCard, **other: str) -> dict[str, str]:
    """Return the form of a vote as the page sends it."""
    values = {"choice": "approve", "revision_no": "1", "seen_digest": card.digest, "record": "1"}
    return {**values, **other}


class TestVotes:
    def test_two_at_once_make_one_decision_and_one_execution(self, cast: Cast) -> None:
        """PostHog/posthog#49663, archestra-ai/archestra#5132."""
        card = opened(cast)
        cast_now = [partial(approve, card, who) for who in (cast.ruth, cast.ines)]
        found = at_once(cast_now)
        assert sorted(type(one).__name__ for one in found) == sorted(
            (AlreadyDecided.__name__, VoteReceipt.__name__)
        )
        claims = at_once([partial(claim, cast, card)] * 2)
        assert sorted(type(one).__name__ for one in claims) == sorted(
            (Claimed.__name__, NotClaimed.__name__)
        )
        with in_tenant(cast.tenant_id, read_only=True):
            assert Decision.objects.filter(proposal_id=card.id).count() == 1
            assert Dispatch.objects.filter(proposal_id=card.id).count() == 1

    def test_of_whoever_has_access_but_is_not_eligible_get_403(self, cast: Cast) -> None:
        """langgenius/dify#42496."""
        cast.add("reader", roles=("operator",))
        card, reader = opened(cast), cast.api("reader")
        assert reader.get(f"/api/v1/approvals/proposals/{card.id}").status_code == 200
        body = {"revision": 1, "digest": card.digest, "choice": "approve"}
        answer = reader.post(f"/api/v1/approvals/proposals/{card.id}/votes", body, format="json")
        assert (answer.status_code, answer.json()["code"]) == (403, VoteNotEligible.code)

    def test_by_a_forwarded_link_need_a_sign_in(self, cast: Cast) -> None:
        """n8n-io/n8n-docs#5036."""
        card, stranger = opened(cast), Client(SERVER_NAME=HOST)
        answer = stranger.get(f"/reviews/{card.id}/?choice=approve&record=1")
        assert answer["Location"].startswith("/sign-in/")
        assert stranger.post(f"/reviews/{card.id}/vote/", answers(card)).status_code == 401
        assert votes_of(cast, card) == 0

    def test_of_two_peers_leave_a_manager_s_place_empty(self, cast: Cast) -> None:
        """gravitational/teleport#36854."""
        peer = cast.add("peer", roles=("reviewer",), groups=("care",))
        card = opened(cast, tier=2)
        approve(card, cast.ruth)
        assert approve(card, peer).state is ProposalState.OPEN
        assert claim(cast, card).code == "proposal.open"

    def test_on_one_s_own_request_are_not_asked_for(self, cast: Cast) -> None:
        """gravitational/teleport#49457."""
        starter = replace(principals(cast)[2], actor_id=cast.ruth.id, person_id=UUID(cast.ruth.id))
        card = opened(cast, chain=(starter,))
        ruth = cast.client("ruth")
        assert str(card.id) not in ruth.get("/reviews/?view=mine").content.decode()
        assert str(card.id) in cast.client("ines").get("/reviews/?view=mine").content.decode()
        page = ruth.get(f"/reviews/{card.id}/").content.decode()
        assert "You started this" in page
        with pytest.raises(VoteByPrincipal):
            approve(card, cast.ruth)

    def test_are_not_cast_by_keys_in_a_text_field(self, cast: Cast) -> None:
        """anthropics/claude-code#37955 and #87053, PostHog/code#1503.

        `tests/journeys/test_review_page.py` presses the keys.

        What Enter in a field would send is the form without its button: no vote.
        """
        card, ruth = opened(cast), cast.client("ruth")
        ruth.get(f"/reviews/{card.id}/")
        sent = answers(card, note="1 2 a")
        del sent["record"]
        assert ruth.post(f"/reviews/{card.id}/vote/", sent).status_code != 302
        assert votes_of(cast, card) == 0


class TestContent:
    def test_of_an_edit_never_names_another_tool(self, cast: Cast) -> None:
        """langchain-ai/langchain#40166."""
        card = letters.opened(cast)
        body = {"revision": 1, "digest": card.digest, "tool": "burn_letter", "args": letters.ARGS}
        answer = cast.api("ruth").post(
            f"/api/v1/approvals/proposals/{card.id}/revisions", body, format="json"
        )
        assert (answer.status_code, answer.json()["code"]) == (409, "edit.tool_changed")
        assert now(cast, card).card.revision_no == 1

    def test_of_313_folded_lines_is_refused_until_it_was_opened(self, cast: Cast) -> None:
        """LionSR/TeXRA#10083."""
        sides: dict[str, Any] = {
            side: {"orders": {"#W1": {"note": "\n".join(f"{word} {n}" for n in range(313))}}}
            for side, word in (("before", "old"), ("after", "new"))
        }
        card, ruth = opened(cast, **sides), cast.client("ruth")
        page = ruth.get(f"/reviews/{card.id}/").content.decode()
        assert re.search(r'value="approve"[^>]*disabled', page)
        early: Any = ruth.post(f"/reviews/{card.id}/vote/", answers(card))
        assert (early.status_code, early.refusal.code) == (409, NotFullyShown.code)
        ruth.get(f"/reviews/{card.id}/?open=all")
        assert ruth.post(f"/reviews/{card.id}/vote/", answers(card)).status_code == 302

    def test_is_never_approved_while_its_end_was_cut_off(self, cast: Cast) -> None:
        """block/buzz#4502: what could be approved was no longer the whole command."""
        command = f"systemctl status shop; {'true; ' * 1000}rm -rf /srv/shop"
        card = opened(cast, after={"orders": {"#W1": {"note": command}}})
        ruth = cast.client("ruth")
        page = ruth.get(f"/reviews/{card.id}/").content.decode()
        assert "rm -rf /srv/shop" not in page
        assert re.search(r'value="approve"[^>]*disabled', page)
        early: Any = ruth.post(f"/reviews/{card.id}/vote/", answers(card))
        assert (early.status_code, early.refusal.code) == (409, NotFullyShown.code)
        whole = ruth.get(f"/reviews/{card.id}/?open=all").content.decode()
        assert "rm -rf /srv/shop" in whole
        assert ruth.post(f"/reviews/{card.id}/vote/", answers(card)).status_code == 302

    @pytest.mark.parametrize("mark", ["\U000e0100", "\U0001d173", "\U0001bca0", "\u3000"])
    def test_with_what_a_first_fix_overlooked_is_escaped_too(self, cast: Cast, mark: str) -> None:
        """NousResearch/hermes-agent#81403: selectors, notation, shorthand, wide blanks."""
        card = opened(cast, after={"orders": {"#W1": {"note": f"pay{mark * 3}Mia"}}})
        page = cast.client("ruth").get(f"/reviews/{card.id}/").content.decode()
        assert "3 invisible or reordering characters in this content" in page
        assert page.count(f"U+{ord(mark):04X}") >= 3
        assert mark not in page

    def test_with_hidden_marks_is_escaped_and_counted(self, cast: Cast) -> None:
        """langchain-ai/deepagents#1694."""
        after = {"orders": {"#W1": {"status": "pay \u202eotI\u200b", "total": 41800}}}
        card = opened(cast, after=after)
        page = cast.client("ruth").get(f"/reviews/{card.id}/").content.decode()
        assert "2 invisible or reordering characters in this content" in page
        assert "U+202E" in page
        assert not [mark for mark in ("\u202e", "\u200b") if mark in page]
