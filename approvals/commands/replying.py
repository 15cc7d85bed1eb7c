"""Answers of whoever proposed what reviewers ask about: once, and while it waits.

A hosted agent answers by its runtime (`asking.answer`). An agent that runs elsewhere answers by its
key, and a change of rules, people or the gate is answered for by the person who asked for it. Where
no answer comes, `give_up` says so in its place, so that nobody waits for ever.
"""

from typing import Final
from uuid import UUID

from approvals.cards import CommentCard
from approvals.commands import asking, remarks, reviewers
from approvals.commands.asking import WANTED
from approvals.commands.desk import must_lock
from approvals.commands.external import require_key
from approvals.commands.refusing import expired, kept
from approvals.errors.asking import AnsweredAlready
from approvals.models import Comment
from approvals.policies import QUESTION_S
from approvals.queries.external import own_row
from approvals.queries.thread import answers_for, unanswered
from approvals.states import CommentKind
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError, NotFound
from console.kernel.transactions import command

# As long as questions can hold a clock at most; a room that answers by itself gives up sooner.
GIVE_UP_S: Final = QUESTION_S
_MOST_AT_ONCE: Final = 50
_NO_ANSWER: Final = "No answer came. Decide without it, or ask again."


@command
def reply(*, actor: Actor, proposal_id: UUID, comment_id: UUID, text: str) -> CommentCard:
    """Answer a question about what one proposed; the same answer again gets the first one.

    Raises:
        NotFound: nothing of that id was asked here, or the actor may not know of it.
        NotYours: somebody else proposed it, or its agent answers by itself.
        AnsweredAlready: it has another answer, or was given up.
        AlreadyDecided, ProposalExpired: nobody waits for an answer any more.
        BadInput: the text is empty or too long.
    """
    said = remarks.needed_text(text, "text", WANTED)
    if actor.is_person:
        answers_for(actor, proposal_id)
    else:
        require_key(actor, proposal_id=proposal_id)
        own_row(actor, proposal_id)
    asked = _asked(proposal_id, comment_id)
    desk = must_lock(actor=actor, proposal_id=proposal_id)
    at = clock.now()
    is_over = desk.settle_clock(at=at)
    if (earlier := remarks.answer_of(asked)) is not None:
        if (earlier.author_id, earlier.text) == (actor.id, said):
            return earlier
        return kept(_too_late(), CommentCard)
    if is_over:
        return kept(expired(), CommentCard)
    try:
        reviewers.require_live(desk)
    except ConsoleError as refusal:
        return kept(refusal, CommentCard)
    card = remarks.insert(desk, kind=CommentKind.ANSWER, text=said, at=at, answers=asked)
    asking.let_run(desk)
    return card


def give_up(*, actor: Actor) -> int:
    """Say of every question that nobody answered for half an hour that no answer came."""
    old = unanswered(actor=actor, older_than_s=GIVE_UP_S, limit=_MOST_AT_ONCE)
    for card in old:
        # Whoever answers at the same moment is first or second; there is one answer.
        asking.answer(actor=actor, comment_id=card.id, text=_NO_ANSWER)
    return len(old)


def _asked(proposal_id: UUID, comment_id: UUID) -> Comment:
    found = remarks.question(comment_id)
    if found.proposal_id != proposal_id:
        raise NotFound("There is no such question here.")
    return found


def _too_late() -> AnsweredAlready:
    return AnsweredAlready(
        "This question has its answer, or was given up; leave a note if there is more to say."
    )
