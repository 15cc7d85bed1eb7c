"""What went wrong elsewhere, in public, with the people who are asked, named or passed over.

`owner/repo#n` is issue or pull request n of github.com/owner/repo; the others are in
`test_regressions.py`, those about votes in `test_regressions_votes.py`.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from approvals import commands
from approvals.cards import Block, ProposalCard, Rung, Slot
from approvals.states import Basis, CommentKind, ProposalState
from console.kernel.actors import Actor
from tests.accounts.trail import events
from tests.approvals import letters
from tests.approvals.advance import like, made
from tests.approvals.clocks import asking, happened
from tests.approvals.desk import agent, approved, now, opened
from tests.approvals.glass import broken, lend
from tests.approvals.policies.rules import rule, spoken
from tests.approvals.post import MailServer, mail_server, post
from tests.cast import Cast


@pytest.fixture
def mail(settings: Any) -> Iterator[MailServer]:
    settings.PUBLIC_URL = "https://console.example"
    with mail_server(settings) as server:
        yield server


def changed_when_asked(cast: Cast, who: Actor) -> ProposalCard:
    """Return a proposal that somebody wanted changed, and that its agent changed."""
    card = letters.opened(cast)
    asked = commands.ask(
        actor=who,
        proposal_id=card.id,
        kind=CommentKind.REQUEST_CHANGES,
        text="Three stamps, please.",
        pause=True,
    )
    commands.revise_when_asked(
        actor=agent(cast),
        comment_id=asked.id,
        seen_digest=card.digest,
        args={"to": "Mia", "stamps": 3},
        text="Three it is.",
    )
    assert now(cast, card).card.revision_no == 2
    return card


class TestPeople:
    def test_can_decide_what_they_asked_to_change_and_are_flagged_when_nobody_is_left(
        self, cast: Cast, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """gitlab work item 480412: after a request for changes nobody could approve any more."""
        care = (Block(slots=(Slot(groups=("care",), n=1),)),)
        more = Rung(at="0.8", act="widen", groups=("finance",))
        found = []
        for ladder in ((), (more,)):
            asking(monkeypatch, blocks=care, ladder=ladder)
            card = changed_when_asked(cast, cast.ruth)
            assert now(cast, card, cast.ruth).refusal == ""
            assert not now(cast, card).unfillable
            letters.edit(now(cast, card).card, cast.ruth, args={"to": "Mia", "stamps": 4})
            found.append(card)
        stuck, helped = found
        assert now(cast, stuck).unfillable
        assert "proposal.unfillable" in happened(cast, stuck)
        assert not now(cast, helped).unfillable
        assert "proposal.widened" in happened(cast, helped)
        assert now(cast, helped, cast.ines).refusal == ""

    def test_or_rules_are_named_in_every_automatic_approval(self, cast: Cast) -> None:
        """anthropics/claude-code#40634."""
        by_person = approved(cast)
        spoken(cast, rule("cancellations", "allow", match={"tool": "cancel_*"}))
        by_rule = opened(cast)
        assert by_rule.state is ProposalState.APPROVED
        found = {
            one["target"]["id"]: one["bind"]
            for one in events(cast)
            if one["action"] == "proposal.decided"
        }
        said = found[str(by_rule.id)]
        assert (said["basis"], said["rules"]) == (Basis.RULE, ["shop-writes/cancellations"])
        decision = now(cast, by_person).decision
        assert decision is not None
        assert (decision.basis, decision.people) == (Basis.PEOPLE, ("Ruth",))
        assert found[str(by_person.id)]["basis"] == Basis.PEOPLE

    def test_are_named_where_one_of_them_agreed_in_advance(self, cast: Cast) -> None:
        """anthropics/claude-code#40634."""
        standing = made(cast)
        card = opened(cast, **like("#W2"))
        (said,) = [  # one in some is drawn for a second look besides, which is an event, too
            one["bind"]
            for one in events(cast)
            if (one["action"], one["target"]["id"]) == ("proposal.decided", str(card.id))
        ]
        assert (said["basis"], said["standing_id"]) == (Basis.STANDING, str(standing.id))
        assert said["maker"] == cast.ruth.id
        decision = now(cast, card).decision
        assert decision is not None
        assert decision.people == ("the standing approval of Ruth",)

    def test_who_are_skipped_by_break_glass_are_each_told(
        self, cast: Cast, mail: MailServer
    ) -> None:
        """Infisical/infisical#7930."""
        iris = cast.add("iris", roles=("reviewer",), groups=("finance",))
        lend(cast, cast.ruth)
        card = opened(cast, tier=2)
        broken(card, cast.ruth)
        post(cast)
        assert now(cast, card).card.state is ProposalState.APPROVED
        for name in ("ines", "iris"):
            subjects = [str(one["Subject"]) for one in mail.to(cast.email(name))]
            assert [one for one in subjects if "Break-glass" in one], (name, iris.label)
        assert not [one for one in mail.to(cast.email("ruth")) if "Break-glass" in one["Subject"]]
