from dataclasses import replace
from datetime import timedelta

import pytest

from approvals import commands, queries
from approvals.cards import CommentCard, ProposalCard
from approvals.errors import (
    AlreadyDecided,
    DoesNotFit,
    NothingChanged,
    ProposalExpired,
    SaidByMachine,
    StaleRevision,
    TooManyQuestions,
    VoteByPrincipal,
)
from approvals.states import CommentKind, ProposalState
from console.kernel import clock
from console.kernel.actors import Actor, ActorKind
from console.kernel.errors import BadInput, NotAllowed, NotFound
from tests.approvals import sql
from tests.approvals.desk import agent, approve, now, reject
from tests.approvals.letters import edit, opened
from tests.cast import Cast

HALF_HOUR = timedelta(minutes=30)


def ask(
    card: ProposalCard,
    actor: Actor,
    text: str = "Why two stamps?",
    kind: CommentKind = CommentKind.QUESTION,
    *,
    pause: bool = False,
) -> CommentCard:
    return commands.ask(
        actor=actor, proposal_id=card.id, kind=kind, text=text, revision_no=1, pause=pause
    )


def answer(cast: Cast, asked: CommentCard, text: str = "It is heavy.") -> CommentCard:
    return commands.answer(actor=agent(cast), comment_id=asked.id, text=text)


def causes(cast: Cast, card: ProposalCard) -> list[tuple[str, bool]]:
    rows = sql.run(
        cast,
        "SELECT cause, until > clock_timestamp() FROM approvals_freeze"
        " WHERE proposal_id = %(id)s ORDER BY id",
        id=card.id,
    )
    return [tuple(row) for row in rows]


class TestAsk:
    def test_decides_nothing(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        approve(card, cast.ines)

        ask(card, cast.ruth)

        detail = now(cast, card)
        assert detail.card.state is ProposalState.OPEN
        assert (detail.given, detail.card.digest) == (1, card.digest)
        assert detail.card.decide_by == card.decide_by
        (line,) = queries.thread(actor=cast.ruth, proposal_id=card.id)
        assert (line.comment.author, line.waits, line.answer) == ("Ruth", True, None)

    def test_is_open_to_whoever_sees_the_proposal(self, cast: Cast) -> None:
        card = opened(cast)
        auditor = cast.add("ada", roles=("auditor",))
        ask(card, auditor)
        ask(card, cast.noor, kind=CommentKind.NOTE)
        with pytest.raises(NotAllowed):
            ask(card, cast.add("nils", roles=()))
        with pytest.raises(NotFound):
            ask(card, cast.mallory)

    def test_is_refused_to_machines(self, cast: Cast) -> None:
        card = opened(cast)
        key = replace(cast.ruth, kind=ActorKind.KEY, session="")
        for machine in (agent(cast), cast.system, key):
            with pytest.raises(SaidByMachine):
                ask(card, machine)

    @pytest.mark.parametrize("text", ["", "  \n ", "x" * 2001, "a\x00b"])
    def test_refuses_text_that_says_nothing_or_too_much(self, cast: Cast, text: str) -> None:
        card = opened(cast)
        with pytest.raises(BadInput):
            ask(card, cast.ruth, text)
        assert queries.thread(actor=cast.ruth, proposal_id=card.id) == ()

    def test_names_the_revision_that_was_on_screen(self, cast: Cast) -> None:
        card = opened(cast)
        edit(card, cast.ines)
        assert ask(card, cast.ruth).revision_no == 1
        with pytest.raises(BadInput, match="no such revision"):
            commands.ask(
                actor=cast.ruth,
                proposal_id=card.id,
                kind=CommentKind.QUESTION,
                text="?",
                revision_no=9,
            )

    def test_stops_after_five_that_wait(self, cast: Cast) -> None:
        card = opened(cast)
        asked = [ask(card, cast.ruth, f"Question {n}") for n in range(5)]
        with pytest.raises(TooManyQuestions):
            ask(card, cast.ruth)
        ask(card, cast.ruth, kind=CommentKind.NOTE)
        answer(cast, asked[0])
        ask(card, cast.ruth)

    def test_leaves_only_notes_after_the_end(self, cast: Cast) -> None:
        card = opened(cast)
        reject(card, cast.ruth)
        with pytest.raises(AlreadyDecided):
            ask(card, cast.ines)
        ask(card, cast.ines, kind=CommentKind.NOTE)

    def test_keeps_an_expiry_that_it_notices(self, cast: Cast) -> None:
        card = opened(cast)
        with clock.frozen(card.decide_by), pytest.raises(ProposalExpired):
            ask(card, cast.ruth)
        assert now(cast, card).card.state is ProposalState.EXPIRED

    def test_is_never_changed(self, cast: Cast) -> None:
        ask(opened(cast), cast.ruth)
        with sql.refused("42501"):
            sql.run(cast, "UPDATE approvals_comment SET text = 'x'")


class TestPause:
    def test_lets_the_clock_stand_until_the_answer(self, cast: Cast) -> None:
        card = opened(cast)
        at = clock.later(card.opened_at, seconds=60)
        with clock.frozen(at):
            asked = ask(card, cast.ruth, pause=True)
        with clock.frozen(clock.later(at, seconds=600)):
            answer(cast, asked)
        assert now(cast, card).card.decide_by == card.decide_by + timedelta(seconds=600)

    def test_holds_nobody_back_from_voting(self, cast: Cast) -> None:
        card = opened(cast)
        ask(card, cast.ruth, pause=True)
        assert approve(card, cast.ines).state is ProposalState.APPROVED

    def test_ends_with_the_last_answer(self, cast: Cast) -> None:
        card = opened(cast)
        one, two = (ask(card, cast.ruth, text, pause=True) for text in ("Why?", "Why two?"))
        answer(cast, one)
        assert causes(cast, card) == [("question", True)]
        answer(cast, two)
        assert causes(cast, card) == [("question", False)]

    def test_is_half_an_hour_in_all_at_most(self, cast: Cast) -> None:
        card = opened(cast)
        with clock.frozen(card.opened_at):
            first = ask(card, cast.ruth, pause=True)
        with clock.frozen(card.opened_at + HALF_HOUR):
            answer(cast, first)
            second = ask(card, cast.ruth, pause=True)
        with clock.frozen(card.opened_at + 2 * HALF_HOUR):
            answer(cast, second)
        assert now(cast, card).card.decide_by == card.decide_by + HALF_HOUR
        assert len(causes(cast, card)) == 1

    def test_is_for_those_who_may_vote(self, cast: Cast) -> None:
        with pytest.raises(VoteByPrincipal):
            ask(opened(cast), cast.omar, pause=True)


class TestAnswer:
    def test_lands_in_the_thread_once(self, cast: Cast) -> None:
        card = opened(cast)
        asked = ask(card, cast.ruth)
        first = answer(cast, asked)
        assert answer(cast, asked, "Something else.") == first
        (line,) = queries.thread(actor=cast.ruth, proposal_id=card.id)
        assert (line.waits, line.answer) == (False, first)
        assert [line.action for line in now(cast, card).history] == [
            "proposal.opened",
            "proposal.asked",
            "proposal.answered",
        ]

    def test_comes_after_the_end_as_well(self, cast: Cast) -> None:
        card = opened(cast)
        asked = ask(card, cast.ruth, pause=True)
        reject(card, cast.ines)
        assert answer(cast, asked).answers == asked.id

    def test_needs_a_question(self, cast: Cast) -> None:
        card = opened(cast)
        noted = ask(card, cast.ruth, kind=CommentKind.NOTE)
        with pytest.raises(NotFound):
            answer(cast, noted)

    def test_of_another_proposal_is_refused_by_the_database(self, cast: Cast) -> None:
        one, two = opened(cast), opened(cast)
        asked = ask(one, cast.ruth)
        ask(two, cast.ruth)
        with sql.refused("comment_answers_same_proposal"):
            sql.run(
                cast,
                """INSERT INTO approvals_comment (id, tenant_id, proposal_id, revision_id, digest,
                     kind, text, author_kind, author_id, author_label, answers_id, said_at,
                     event_uid)
                   SELECT gen_random_uuid(), tenant_id, proposal_id, id, digest, 'answer', 'x',
                     'agent', 'a', 'a', %(asked)s, now(), gen_random_uuid()
                   FROM approvals_revision WHERE proposal_id = %(two)s""",
                asked=asked.id,
                two=two.id,
            )


class TestReviseWhenAsked:
    def revise(
        self, cast: Cast, asked: CommentCard, card: ProposalCard, stamps: int
    ) -> CommentCard:
        return commands.revise_when_asked(
            actor=agent(cast),
            comment_id=asked.id,
            seen_digest=card.digest,
            args={"to": "Mia", "stamps": stamps},
            text="Three it is.",
        )

    def wanted(self, cast: Cast, card: ProposalCard) -> CommentCard:
        return ask(card, cast.ruth, "Three stamps.", CommentKind.REQUEST_CHANGES, pause=True)

    def test_changes_the_content_and_answers(self, cast: Cast) -> None:
        card = opened(cast, tier=2)
        approve(card, cast.ines)
        asked = self.wanted(cast, card)

        said = self.revise(cast, asked, card, 3)

        detail = now(cast, card)
        assert (detail.card.revision_no, detail.content.args["stamps"]) == (2, 3)
        assert (said.answers, said.text, said.revision_no) == (asked.id, "Three it is.", 2)
        assert detail.given == 0
        assert causes(cast, card) == [("question", False)]
        assert self.revise(cast, asked, card, 4) == said

    def test_lets_who_asked_vote(self, cast: Cast) -> None:
        card = opened(cast)
        self.revise(cast, self.wanted(cast, card), card, 3)
        assert approve(now(cast, card).card, cast.ruth).state is ProposalState.APPROVED

    def test_takes_no_approval_back(self, cast: Cast) -> None:
        card = opened(cast)
        asked = self.wanted(cast, card)
        approve(card, cast.ines)
        with pytest.raises(AlreadyDecided):
            self.revise(cast, asked, card, 3)
        assert now(cast, card).card.state is ProposalState.APPROVED

    def test_refuses_what_an_edit_refuses(self, cast: Cast) -> None:
        card = opened(cast)
        asked = self.wanted(cast, card)
        with pytest.raises(NothingChanged):
            self.revise(cast, asked, card, 2)
        with pytest.raises(DoesNotFit):
            self.revise(cast, asked, card, "many")  # type: ignore[arg-type]
        edit(card, cast.ines)
        with pytest.raises(StaleRevision):
            self.revise(cast, asked, card, 4)
