"""Another content for the same call: a person edits it, or the agent changes it when asked to.

The target is read before the proposal is locked, as a dispatch does it: in the other order the two
would wait for each other.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from approvals import policies
from approvals.cards import (
    CommentCard,
    Content,
    EditPreview,
    Principal,
    ProposalCard,
    Subject,
)
from approvals.commands import asking, checking, judging, laddering, remarks, repeats, reviewers
from approvals.commands.desk import POLICY, Desk, must_lock
from approvals.commands.refusing import expired, kept
from approvals.errors import (
    AlreadyDecided,
    DoesNotFit,
    EditByMachine,
    NotEditable,
    NothingChanged,
    ToolChanged,
)
from approvals.events import ProposalRevised
from approvals.kinds import Kind, kind_of, title_of
from approvals.models import LABEL_LENGTH, TITLE_LENGTH, PrincipalRow, Proposal, Revision
from approvals.queries.editing import require_reviewer_of, seen_row
from approvals.states import CheckAnswer, CommentKind, PrincipalRole, ProposalState, Purpose
from audit.commands import record
from console.kernel import canonical, clock
from console.kernel.actors import Actor
from console.kernel.canonical import NotCanonical
from console.kernel.errors import ConsoleError, Refusal
from console.kernel.transactions import command

EDITED: Final = "edited"  # causes of a revision
REVISED: Final = "revised"
_MOST_PATHS: Final = 50


@command
def edit(
    *,
    actor: Actor,
    proposal_id: UUID,
    revision_no: int,
    seen_digest: str,
    args: Mapping[str, Any],
    note: str = "",
    tool: str = "",
) -> ProposalCard:
    """Change the arguments: a new revision, on which its editor does not vote.

    Votes and a decision on the old content are void, and what the new one needs adds up.

    Args:
        args: all of them, not only the changed ones.
        tool: if it is named at all, it has to be the tool of the proposal.

    Raises:
        EditByMachine, VoteByPrincipal, VoteNotEligible: this actor may not edit this.
        ToolChanged: another tool is another request.
        DoesNotFit: the arguments do not fit the schema; `details["fields"]` has JSON pointers.
        NothingChanged, NotEditable, StaleRevision, AlreadyDecided
        PolicyDenied: a rule does not allow the new content, whoever agrees.
        ProposalExpired: the time was over; the expiry is kept.
        CheckRevealed: it was a planted check, and editing it caught it.
    """
    note = remarks.text_of(note, "note")
    row, kind = _editable(actor, proposal_id, tool)
    if (caught := _caught(actor, row)) is not None:
        return kept(caught, ProposalCard)
    content = _content(kind, actor, row, args)
    desk = must_lock(actor=actor, proposal_id=proposal_id)
    at = clock.now()
    if desk.settle_clock(at=at):
        return kept(expired(), ProposalCard)
    try:
        reviewers.require_reviewer(desk, actor)
        reviewers.require_live(desk)
        reviewers.require_current(desk, revision_no, seen_digest)
        _require_other(desk, content)
    except ConsoleError as refusal:
        # Returned, because the clock may just have taken a lapsed approval back to people.
        return kept(refusal, ProposalCard)
    _join_chain(desk)
    revise(desk, content, cause=EDITED, note=note, at=at)
    if note:
        remarks.insert(desk, kind=CommentKind.NOTE, text=note, at=at)
    return desk.card()


@command
def preview_edit(
    *,
    actor: Actor,
    proposal_id: UUID,
    args: Mapping[str, Any],
    note: str = "",
    tool: str = "",
) -> EditPreview:
    """Say what an edit would change, by the target as it is now; writes no revision.

    Raises:
        As `edit`, as far as content, note and person go.
    """
    remarks.text_of(note, "note")
    row, kind = _editable(actor, proposal_id, tool)
    if (caught := _caught(actor, row)) is not None:
        return kept(caught, EditPreview)
    content = _content(kind, actor, row, args)
    old = Revision.objects.get(proposal=row, no=row.revision_no).content(row.tool)
    if content.args_bytes == old.args_bytes:
        raise _nothing_changed()
    return EditPreview(
        old=old,
        new=content,
        arguments=policies.changed_arguments(old.args, content.args),
    )


@command
def revise_when_asked(
    *, actor: Actor, comment_id: UUID, seen_digest: str, args: Mapping[str, Any], text: str
) -> CommentCard:
    """Let the agent change its arguments because a reviewer asked for it, and say so.

    Args:
        seen_digest: of the revision that the agent changes, 64 hex characters.
        text: what it answers.

    Raises:
        NothingChanged, DoesNotFit, NotEditable: the agent has to answer in words instead.
        AlreadyDecided: people were quicker; the agent takes no approval back.
        StaleRevision: it changed meanwhile.
    """
    asked = remarks.question(comment_id)
    row, kind = _known(Proposal.objects.get(pk=asked.proposal_id))
    content = _content(kind, actor, row, args)
    desk = must_lock(actor=actor, proposal_id=row.id)
    at = clock.now()
    if desk.settle_clock(at=at):
        return kept(expired(), CommentCard)
    if (earlier := remarks.answer_of(asked)) is not None:
        return earlier
    if desk.state not in {ProposalState.OPEN, ProposalState.STALE}:
        raise AlreadyDecided("People have decided this already; it is not changed any more.")
    reviewers.require_current(desk, desk.row.revision_no, seen_digest)
    _require_other(desk, content)
    revise(desk, content, cause=REVISED, note="", at=at)
    said = remarks.text_of(text, "text")
    card = remarks.insert(desk, kind=CommentKind.ANSWER, text=said, at=at, answers=asked)
    asking.let_run(desk)
    return card


def revise(desk: Desk, content: Content, *, cause: str, note: str, at: datetime) -> None:
    """Put another content in the place of the current one; part of a command that holds the row.

    Raises:
        PolicyDenied: a rule does not allow it, whoever agrees.
    """
    old = desk.content
    judged = judging.judge_again(desk, content, purpose=Purpose.PROPOSE)
    needed = judging.more_asked(desk, judged)
    desk.void_votes(desk.votes, cause=cause, at=at)
    if desk.state is ProposalState.APPROVED:
        # What was approved is gone; people get the whole time for what takes its place.
        desk.start_window(at)
        desk.reopen(cause, at=at)
    desk.row.revision_no += 1
    desk.row.observed_before = None
    desk.row.title = title_of(desk.row.subject_kind, content, desk.row.title)[:TITLE_LENGTH]
    paths = tuple(pointer for pointer, *_ in policies.changed_arguments(old.args, content.args))
    desk.revision = _add(desk, content, cause=cause, paths=paths)
    if desk.state is ProposalState.STALE:
        desk.move(ProposalState.OPEN, at=at)
    desk.save()
    judging.keep(desk.row, judged, purpose=Purpose.PROPOSE)
    if needed is not None:
        desk.ask(needed, cause=POLICY, at=at)  # nothing that was asked is taken back
    record(
        ProposalRevised(
            proposal_id=desk.row.id,
            cause=cause,
            revision_no=desk.row.revision_no,
            old_digest=old.digest.hex(),
            digest=content.digest.hex(),
            paths=paths[:_MOST_PATHS],
            reason=note,
        ),
        actor=desk.actor,
    )
    laddering.check(desk, at=at)  # the editor has left the circle of voters


# -- parts ---------------------------------------------------------------------------------------


def _editable(actor: Actor, proposal_id: UUID, tool: str) -> tuple[Proposal, Kind]:
    """Return what is to be edited, unlocked: nothing that is read of it here ever changes."""
    if not actor.is_person:
        raise EditByMachine(
            "Only people who are signed in edit a proposal; ask a reviewer to change it."
        )
    row = seen_row(actor, proposal_id)
    require_reviewer_of(actor, row)
    if not reviewers.is_signed_in(actor):
        raise EditByMachine("An edit needs a session of the console; sign in and edit there.")
    if tool and tool != row.tool:
        raise ToolChanged(
            "An edit changes arguments, never the tool; reject this and let the agent propose "
            "the other one.",
            tool=row.tool,
        )
    row, kind = _known(row)
    _require_form(kind, actor, row)
    return row, kind


def _caught(actor: Actor, row: Proposal) -> ConsoleError | None:
    """Take an edit of a planted check as its answer; nobody knows what it would do."""
    return checking.answer_by_act(actor=actor, proposal_id=row.id, answer=CheckAnswer.EDIT)


def _known(row: Proposal) -> tuple[Proposal, Kind]:
    if row.plan_pos is not None:
        raise NotEditable(
            f"This is change {row.plan_pos} of a plan, and a plan is not changed in place; ask for "
            "changes on the page of the plan, or reject the plan."
        )
    kind = kind_of(row.subject_kind)
    if kind is None:
        raise _not_offered()
    return row, kind


def _require_form(kind: Kind, actor: Actor, row: Proposal) -> None:
    """Raise where its kind offers people no form, whatever way the edit comes."""
    try:
        kind.schema(actor=actor, tool=row.tool)
    except ConsoleError as error:
        if error.kind is Refusal.MISSING:
            raise _not_offered() from error
        raise


def _content(kind: Kind, actor: Actor, row: Proposal, args: Mapping[str, Any]) -> Content:
    """Return what these arguments would do now; a transaction that goes on holds the target."""
    subject = Subject(kind=row.subject_kind, id=row.subject_id)
    try:
        clean = canonical.loads(canonical.dumps(dict(args)))
        return kind.content(actor=actor, subject=subject, tool=row.tool, args=clean)
    except NotCanonical as error:
        raise DoesNotFit(
            f"The arguments were refused: {error.message}", fields={"": error.message}
        ) from error
    except ConsoleError as error:
        if error.kind is Refusal.MISSING:
            raise _not_offered() from error
        raise


def _not_offered() -> NotEditable:
    return NotEditable("The content of this proposal cannot be edited; vote on it as it is.")


def _require_other(desk: Desk, content: Content) -> None:
    if content.args_bytes == bytes(desk.revision.args):
        raise _nothing_changed()


def _nothing_changed() -> NothingChanged:
    return NothingChanged("These are the arguments that it has already; change one, or vote.")


def _add(desk: Desk, content: Content, *, cause: str, paths: tuple[str, ...]) -> Revision:
    return Revision.objects.create(
        tenant_id=desk.row.tenant_id,
        proposal=desk.row,
        no=desk.row.revision_no,
        digest=content.digest,
        contract_hash=content.contract_hash,
        args=content.args_bytes,
        before=content.before_bytes,
        before_digest=content.before_digest,
        after=content.after_bytes,
        fingerprint=repeats.fingerprint_of(desk.row.tenant_id, content),
        author=desk.actor.label[:LABEL_LENGTH],
        cause=cause,
        changed_paths=list(paths),
    )


def _join_chain(desk: Desk) -> None:
    """Bar the editor from voting, once; the trigger `vote_not_by_principal` reads this row."""
    editor = Principal(
        role=PrincipalRole.EDITOR,
        actor_kind=desk.actor.kind.value,
        actor_id=desk.actor.id,
        label=desk.actor.label[:LABEL_LENGTH],
        person_id=UUID(desk.actor.id),
    )
    if any((p.role, p.person_id) == (editor.role, editor.person_id) for p in desk.principals):
        return
    PrincipalRow.objects.create(
        tenant_id=desk.row.tenant_id,
        proposal=desk.row,
        role=editor.role.value,
        actor_kind=editor.actor_kind,
        actor_id=editor.actor_id,
        label=editor.label,
        person_id=editor.person_id,
    )
    desk.principals = (*desk.principals, editor)
