"""Somebody edits while somebody else completes the votes, dispatches or edits; real threads."""

from functools import partial
from typing import Any

import pytest

from approvals import commands
from approvals.cards import Claimed, ProposalCard, VoteReceipt
from approvals.errors import AlreadyDecided, StaleRevision
from approvals.models import Comment, Decision, Revision, Vote
from approvals.states import CommentKind, ProposalState
from console.kernel.errors import ConsoleError
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant
from tests.approvals.desk import agent, approve, now
from tests.approvals.letters import ARGS, edit, letter, opened
from tests.cast import Cast
from tests.races.test_votes import at_once, crowd

ROUNDS = 8


def claim(cast: Cast, card: ProposalCard) -> Any:
    return commands.claim_dispatch(
        actor=agent(cast),
        proposal_id=card.id,
        call_key=uuid7(),
        content=letter(card.subject.id, ARGS),
    )


def active(cast: Cast, card: ProposalCard) -> tuple[int, int]:
    """Return how many votes and decisions count that are about an older revision."""
    with in_tenant(cast.tenant_id, read_only=True):
        old = Revision.objects.filter(proposal_id=card.id).exclude(no=2)
        votes = Vote.objects.filter(revision__in=old, voided_at__isnull=True)
        decisions = Decision.objects.filter(revision__in=old, voided_at__isnull=True)
        return votes.count(), decisions.count()


class TestAnEdit:
    @pytest.mark.parametrize("round_", range(ROUNDS))
    def test_against_the_last_vote_leaves_no_vote_on_the_old_content(
        self, cast: Cast, round_: int
    ) -> None:
        """I9: whichever comes first, what was agreed to is what would run."""
        card = opened(cast, tier=2)
        approve(card, cast.ruth)
        editor = cast.add("pia", roles=("reviewer",), groups=("finance",))
        acts: list[Any] = [partial(approve, card, cast.ines), partial(edit, card, editor)]

        found = at_once(acts if round_ % 2 else acts[::-1])
        vote, edited = found if round_ % 2 else found[::-1]

        assert isinstance(edited, ProposalCard)
        assert isinstance(vote, VoteReceipt | StaleRevision)
        detail = now(cast, card)
        assert (detail.card.state, detail.card.revision_no) == (ProposalState.OPEN, 2)
        assert (detail.decision, detail.given) == (None, 0)
        assert active(cast, card) == (0, 0)

    @pytest.mark.parametrize("round_", range(ROUNDS))
    def test_against_a_dispatch_runs_the_old_content_or_the_new(
        self, cast: Cast, round_: int
    ) -> None:
        card = opened(cast)
        approve(card, cast.ruth)
        acts = [partial(claim, cast, card), partial(edit, card, cast.ines)]

        found = at_once(acts if round_ % 2 else acts[::-1])
        claimed, edited = found if round_ % 2 else found[::-1]

        state = now(cast, card).card.state
        if isinstance(claimed, Claimed):
            assert isinstance(edited, AlreadyDecided)
            assert (claimed.args, state) == (ARGS, ProposalState.DISPATCHED)
        else:
            assert isinstance(edited, ProposalCard)
            assert (claimed.code, state) == ("proposal.open", ProposalState.OPEN)

    def test_of_ten_people_at_once_makes_one_revision(self, cast: Cast) -> None:
        card = opened(cast)
        people = crowd(cast, 10)
        acts = [
            partial(edit, card, who, args={"to": "Mia", "stamps": 3 + n % 2})
            for n, who in enumerate(people)
        ]
        found = at_once(acts)
        assert sum(isinstance(one, ProposalCard) for one in found) == 1
        assert sum(isinstance(one, StaleRevision) for one in found) == 9
        assert now(cast, card).card.revision_no == 2


class TestAnswers:
    def test_of_two_workers_leave_one(self, cast: Cast) -> None:
        card = opened(cast)
        asked = commands.ask(
            actor=cast.ruth, proposal_id=card.id, kind=CommentKind.QUESTION, text="Why?"
        )
        act = partial(commands.answer, actor=agent(cast), comment_id=asked.id, text="So.")
        found = at_once([act] * 6)
        assert not [one for one in found if isinstance(one, ConsoleError)]
        assert len({one.id for one in found}) == 1
        with in_tenant(cast.tenant_id, read_only=True):
            assert Comment.objects.filter(answers=asked.id).count() == 1


class TestProbes:
    def test_of_eight_readers_look_once(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        act = partial(commands.probe, actor=cast.system, proposal_id=card.id, every_s=30)
        assert at_once([act] * 8) == [False] * 8
