"""Questions, requests for changes and notes. None of them decides anything.

The agent answers later, by `answer` or by `editing.revise_when_asked`, and others who proposed by
`replying.reply`; nothing waits for it.
"""

from datetime import datetime
from typing import Final
from uuid import UUID

from approvals.cards import CommentCard
from approvals.commands import checking, remarks, reviewers
from approvals.commands.desk import Desk, must_lock
from approvals.commands.refusing import expired, kept
from approvals.commands.timing import freeze, thaw
from approvals.errors import SaidByMachine, TooManyQuestions
from approvals.models import Comment, Revision
from approvals.policies import planning
from approvals.policies.timing import QUESTION
from approvals.queries.editing import seen_row
from approvals.states import DECIDABLE, LIVE, CheckAnswer, CommentKind
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import BadInput, ConsoleError
from console.kernel.transactions import command

MOST_OPEN: Final = 5  # questions of one proposal that wait for an answer
WANTED: Final = "Write something."


@command
def ask(
    *,
    actor: Actor,
    proposal_id: UUID,
    kind: CommentKind,
    text: str,
    revision_no: int = 0,
    pause: bool = False,
) -> CommentCard:
    """Say something about a proposal: ask the agent, ask for other arguments, or leave a note.

    The same question again, while it waits, returns the one that waits; so does the same note
    after which nobody said anything.

    Args:
        revision_no: which one its author had on screen; 0 is the current one.
        pause: let the time to decide stand still until the answer, half an hour in all at most.

    Raises:
        SaidByMachine: only people ask.
        BadInput: the text is empty or too long, or there is no such revision.
        AlreadyDecided, ProposalExpired, TooManyQuestions
        CheckRevealed: it was a planted check, and asking about it caught it.
        VoteByPrincipal, VoteNotEligible: only who may vote may let the clock stand still.
    """
    kind = CommentKind(kind)
    said = _said(text)
    if not actor.is_person:
        raise SaidByMachine("Only people ask about a proposal; an agent answers.")
    seen_row(actor, proposal_id)
    if (caught := _caught(actor, proposal_id, kind)) is not None:
        return kept(caught, CommentCard)
    desk = must_lock(actor=actor, proposal_id=proposal_id)
    at = clock.now()
    desk.settle_clock(at=at)
    try:
        about = _revision(desk, revision_no)
        earlier = remarks.said_before(desk, kind, said, about)
        if earlier is not None and not (pause and _has_pause(desk, at=at)):
            return earlier
        pauses = kind in remarks.ASKING and _may_ask(desk, actor, pause=pause, at=at)
    except ConsoleError as refusal:
        return kept(refusal, CommentCard)
    card = remarks.insert(desk, kind=kind, text=said, at=at, revision=about, pauses=pauses)
    if pauses:
        freeze(actor=actor, proposal_ids=[proposal_id], cause=QUESTION, since=at)
    return card


@command
def answer(*, actor: Actor, comment_id: UUID, text: str) -> CommentCard:
    """Answer what was asked; the same question again gets the first answer.

    The clock runs again when nothing is left to answer.

    Raises:
        NotFound: nothing of that id was asked.
    """
    asked = remarks.question(comment_id)
    said = _said(text)
    desk = must_lock(actor=actor, proposal_id=asked.proposal_id)
    at = clock.now()
    if (earlier := remarks.answer_of(asked)) is not None:
        return earlier
    card = remarks.insert(desk, kind=CommentKind.ANSWER, text=said, at=at, answers=asked)
    let_run(desk)
    return card


def let_run(desk: Desk) -> None:
    """Let the clock go on once every question has its answer."""
    if not _open_questions(desk):
        thaw(actor=desk.actor, proposal_ids=[desk.row.id], cause=QUESTION)


def _caught(actor: Actor, proposal_id: UUID, kind: CommentKind) -> ConsoleError | None:
    """Take a question about a planted check as its answer; a note is none."""
    if kind not in remarks.ASKING:
        return None
    answer = CheckAnswer(kind.value)
    return checking.answer_by_act(actor=actor, proposal_id=proposal_id, answer=answer)


def _may_ask(desk: Desk, actor: Actor, *, pause: bool, at: datetime) -> bool:
    """Raise unless the agent can be asked now; returns whether the clock stands still for it."""
    planning.require_whole(desk.row.plan_pos)
    if desk.state not in LIVE:
        if desk.row.close_cause == "decide_by":
            raise expired()
        reviewers.require_live(desk)
    if _open_questions(desk) >= MOST_OPEN:
        raise TooManyQuestions(
            f"{MOST_OPEN} questions wait for an answer already; wait for one, or vote."
        )
    if not pause:
        return False
    reviewers.require_reviewer(desk, actor)
    return desk.state in DECIDABLE and _has_pause(desk, at=at)


def _has_pause(desk: Desk, *, at: datetime) -> bool:
    """Say whether a question can stop the clock: there is time left, and none holds it already."""
    return desk.window.question_left_s() > 0 and desk.window.still_until(at=at) is None


def _open_questions(desk: Desk) -> int:
    kinds = [kind.value for kind in remarks.ASKING]
    asked = Comment.objects.filter(proposal=desk.row, kind__in=kinds)
    return asked.filter(answered_by__isnull=True).count()


def _revision(desk: Desk, no: int) -> Revision:
    if no in {0, desk.row.revision_no}:
        return desk.revision
    found = Revision.objects.filter(proposal=desk.row, no=no).first()
    if found is None:
        said = "There is no such revision; reload the page."
        raise BadInput(f"Revision: {said}", fields={"revision_no": said})
    return found


def _said(text: str) -> str:
    return remarks.needed_text(text, "text", WANTED)
