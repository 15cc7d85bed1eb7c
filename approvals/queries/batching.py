"""Several proposals as one table, for one person to decide in one act."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from approvals import diffs
from approvals.cards import (
    BatchCard,
    BatchRow,
    Content,
    Diff,
    LeftOut,
    Listed,
    QueueRow,
    Requirement,
    Voter,
)
from approvals.errors import BatchMixed, BatchNever, BatchTooMany
from approvals.models import Proposal, RequirementRow, Revision
from approvals.policies.batching import never_in_batch
from approvals.policies.delegating import has_own_right, lent_for
from approvals.queries.people import as_voter, oneself, seen_by, voters_of
from approvals.queries.rows import annotated, queue_rows
from approvals.queries.turns import Reader, in_lists
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.transactions import query

_ONE: Final = "Select rows of one tool, one contract and one version of the rules."


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    row: QueueRow
    content: Content
    requirement: Requirement
    diff: Diff


@query
def batch(*, actor: Actor, proposal_ids: Sequence[UUID]) -> BatchCard:
    """Return the selected proposals that may be decided together, and those that may not.

    Raises:
        BatchMixed: they are of several tools, contracts or versions of the rules.
        BatchTooMany: more than their requirement lets anybody decide at once.
        NotFound: none of them is there, or none that the reader may see.
    """
    reader = Reader(actor, clock.now())
    rows = in_lists(actor).filter(seen_by(actor).rows, pk__in=list(proposal_ids))
    order = {proposal_id: no for no, proposal_id in enumerate(proposal_ids)}
    kept = sorted(annotated(rows, reader), key=lambda row: order[row.id])
    if not kept:
        raise NotFound("None of these is there; look at the list of reviews and select again.")
    asked, contents = requirements_of(kept), _contents(kept)
    found = [
        _Found(
            row=each,
            content=contents[each.card.id],
            requirement=asked[each.card.id],
            diff=_whole(contents[each.card.id]),
        )
        for each in queue_rows(kept, reader)
    ]
    fitting = [one for one in found if not _why_not(one)]
    _require_alike({(one.content.tool, *_terms(one.content, one.requirement)) for one in fitting})
    most = min((one.requirement.batch_most for one in fitting), default=0)
    if len(fitting) > most:
        raise _too_many(most)
    fit = {one.row.card.id for one in fitting}
    tools = {row.tool_id for row in kept if row.id in fit}
    voter = as_voter(actor, voters_of(actor=actor, tools=tools, among=oneself(actor)))
    lent = any(lent_for(voter, one.requirement) for one in fitting)
    return BatchCard(
        tool=found[0].content.tool,
        most=most,
        rows=tuple(_row(one, voter) for one in fitting),
        columns=diffs.tabled([one.diff for one in fitting]),
        left_out=tuple(
            LeftOut(card=one.row.card, why=why) for one in found if (why := _why_not(one))
        ),
        lent=voter.lent if lent else None,
    )


# -- shared with commands ------------------------------------------------------------------------


@query
def checked_titles(*, actor: Actor, items: Collection[Listed]) -> Mapping[UUID, str]:
    """Return the titles of the listed proposals after checking that they make one batch.

    Raises:
        BatchNever: one of them takes a decision of its own.
        BatchMixed, BatchTooMany: as `batch`.
    """
    listed = {item.proposal_id: item.revision_no for item in items}
    rows = list(in_lists(actor).filter(seen_by(actor).rows, pk__in=list(listed)))
    asked = requirements_of(rows)
    contents = _contents(rows, listed)
    for row in rows:
        require_batchable(row, asked[row.id], len(listed))
    _require_alike(
        {(row.tool, *_terms(contents[row.id], asked[row.id])) for row in rows if row.id in contents}
    )
    return {row.id: row.title for row in rows}


def require_batchable(row: Proposal, requirement: Requirement, count: int) -> None:
    """Raise unless a proposal may be decided together with that many."""
    if _is_never(row.tier, requirement):
        raise BatchNever(never_in_batch(row.title), proposal=str(row.id))
    if count > requirement.batch_most:
        raise _too_many(requirement.batch_most)


def requirements_of(rows: Collection[Proposal]) -> Mapping[UUID, Requirement]:
    """Return what each proposal asks for now."""
    newest = (
        RequirementRow.objects.filter(proposal__in=list(rows))
        .order_by("proposal_id", "-no")
        .distinct("proposal_id")
    )
    return {one.proposal_id: one.card() for one in newest}


# -- parts ---------------------------------------------------------------------------------------


def _row(found: _Found, voter: Voter) -> BatchRow:
    images = _images(found.content)
    return BatchRow(
        card=found.row.card,
        records=diffs.records_in(images),
        parts=tuple(part.name for part in diffs.parts_of(images)),
        own=has_own_right(voter, found.requirement),
        instead=lent_for(voter, found.requirement) is not None,
    )


def _why_not(found: _Found) -> str:
    card = found.row.card
    if card.settled:
        return f"it is {card.state.value} by now"
    if _is_never(card.tier, found.requirement):
        return "it takes a decision of its own"
    if any(laid.folded or laid.stretches for laid in diffs.laid_out(found.diff)):
        return "its change is too long for a table"
    return found.row.note


def _is_never(tier: int, requirement: Requirement) -> bool:
    return tier > 1 or requirement.blind or requirement.batch_most == 0


def _terms(content: Content, requirement: Requirement) -> tuple[str, str]:
    return content.contract_hash, str(requirement.policy_version or "")


def _require_alike(terms: Collection[tuple[str, ...]]) -> None:
    if len(terms) > 1:
        raise BatchMixed(f"These are not of one kind. {_ONE}")


def _too_many(most: int) -> BatchTooMany:
    return BatchTooMany(f"At most {most} are decided at once; select fewer.", most=most)


def _images(content: Content) -> Diff:
    return diffs.between(content.before, content.after)


def _whole(content: Content) -> Diff:
    """Return the difference with the arguments as if they were a record that is added."""
    images = _images(content)
    call = diffs.between({}, {"call": {"arguments": content.args}} if content.args else {})
    return Diff(
        changes=(*images.changes, *call.changes),
        unchanged=images.unchanged,
        hidden=images.hidden + call.hidden,
    )


def _contents(
    rows: Collection[Proposal], numbers: Mapping[UUID, int] | None = None
) -> Mapping[UUID, Content]:
    """Return the content of each proposal: of the revision that is named, or of the current one."""
    wanted = numbers or {row.id: row.revision_no for row in rows}
    tools = {row.id: row.tool for row in rows}
    return {
        one.proposal_id: one.content(tools[one.proposal_id])
        for one in Revision.objects.filter(proposal__in=list(rows), no__in=set(wanted.values()))
        if one.no == wanted[one.proposal_id]
    }
