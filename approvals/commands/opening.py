"""Opening a proposal, putting it on a new base, and taking it back."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from approvals import diffs, policies
from approvals.cards import (
    Content,
    Principal,
    ProposalCard,
    ProposalFacts,
    Requirement,
    Subject,
)
from approvals.commands.desk import Desk, expired, kept, lock, must_lock
from approvals.errors import NotStale, OtherCall, RefreshSpent
from approvals.events import ProposalOpened, ProposalRevised
from approvals.models import (
    LABEL_LENGTH,
    TITLE_LENGTH,
    PrincipalRow,
    Proposal,
    RequirementRow,
    Revision,
)
from approvals.queries.people import tool_id_of, voters_of
from approvals.states import LIVE, Outcome, PrincipalRole, ProposalState
from audit.commands import record
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import BadInput
from console.kernel.ids import uuid7
from console.kernel.transactions import command

_MOST_PATHS: Final = 50  # named in an event; the revision itself holds all


@command
def open_proposal(
    *,
    actor: Actor,
    subject: Subject,
    content: Content,
    facts: ProposalFacts,
    principals: tuple[Principal, ...],
) -> ProposalCard:
    """Have people decide about exactly this content.

    The same content for the same subject returns the live proposal; other content supersedes it.

    Raises:
        BadInput: the tier has no requirement.
        NotCanonical: the content has no canonical form.
    """
    requirement = policies.requirement_for(facts.tier)
    old = _live_of(actor, subject)
    if old is not None:
        if bytes(old.revision.digest) == content.digest:
            return old.card()
        told = "A newer request for the same thing took the place of this one."
        old.end(Outcome.SUPERSEDED, at=clock.now(), cause="newer", told=told)
    row = _insert(actor, subject, content, facts, requirement, old.row.id if old else None)
    if row is None:  # somebody opened one at the same time; theirs has committed by now
        return open_proposal(
            actor=actor, subject=subject, content=content, facts=facts, principals=principals
        )
    chain = _with_those_behind(principals, actor)
    revision = _add_parts(row, content, requirement, chain, author=actor.label)
    _record_opened(actor, row, revision, requirement, chain)
    return row.card(revision=revision, needs=requirement.people, frozen=False)


@command
def refresh(*, actor: Actor, proposal_id: UUID, content: Content) -> ProposalCard:
    """Put a stale proposal on what is there now: same call, new images, votes void.

    Raises:
        NotStale: the target of the proposal has not changed.
        OtherCall: the tool or its arguments differ.
        RefreshSpent: the target changed too often; the agent has to start over.
        ProposalExpired: the time was over; the expiry is kept.
        ProposalExpired: raised after the expiry is committed.
    """
    desk = must_lock(actor=actor, proposal_id=proposal_id)
    at = clock.now()
    if desk.settle_clock(at=at):
        return kept(expired(), ProposalCard)
    if desk.state is not ProposalState.STALE:
        # Returned, because the clock may just have taken a lapsed approval back to people.
        refusal = NotStale(
            f"This proposal is {desk.state.value}, not stale; there is nothing to refresh.",
            state=desk.state.value,
        )
        return kept(refusal, ProposalCard)
    _require_same_call(desk, content)
    if desk.row.refresh_count >= policies.MOST_REFRESHES:
        raise RefreshSpent("The target changed four times; withdraw this and propose anew.")
    old = desk.content
    desk.void_votes(desk.votes, cause="drift", at=at)
    desk.row.revision_no += 1
    desk.row.refresh_count += 1
    desk.row.observed_before = None
    paths = diffs.changed_paths(old.before, content.before)
    desk.revision = _add_revision(desk.row, content, author=actor.label, cause="drift", paths=paths)
    desk.move(ProposalState.OPEN, at=at)
    record(
        ProposalRevised(
            proposal_id=desk.row.id,
            cause="drift",
            revision_no=desk.row.revision_no,
            old_digest=old.digest.hex(),
            digest=content.digest.hex(),
            paths=paths[:_MOST_PATHS],
        ),
        actor=actor,
    )
    return desk.card()


@command
def withdraw(*, actor: Actor, proposal_id: UUID, cause: str) -> None:
    """Take a live proposal back; one that is final already stays as it is.

    Whoever calls this answers for the right to: the run ended, or its starter or owner asked.
    """
    desk = must_lock(actor=actor, proposal_id=proposal_id)
    at = clock.now()
    desk.settle_clock(at=at)
    if desk.state in LIVE:
        told = "The request was withdrawn; the change was not made."
        desk.end(Outcome.WITHDRAWN, at=at, cause=cause, told=told)


# -- parts ---------------------------------------------------------------------------------------


def _live_of(actor: Actor, subject: Subject) -> Desk | None:
    found = (
        Proposal.objects.filter(
            subject_kind=subject.kind,
            subject_id=subject.id,
            state__in=[state.value for state in LIVE],
        )
        .values_list("id", flat=True)
        .first()
    )
    desk = lock(actor=actor, proposal_id=found) if found else None
    if desk is None:
        return None
    desk.settle_clock(at=clock.now())
    return desk if desk.state in LIVE else None


def _insert(
    actor: Actor,
    subject: Subject,
    content: Content,
    facts: ProposalFacts,
    requirement: Requirement,
    supersedes: UUID | None,
) -> Proposal | None:
    """Insert the proposal, or return None if one for the subject came to life meanwhile."""
    _require_short(title=(facts.title, TITLE_LENGTH), agent_label=(facts.agent_label, LABEL_LENGTH))
    at = clock.now()
    row = Proposal(
        id=uuid7(),
        tenant_id=actor.tenant_id,
        created_at=at,
        subject_kind=subject.kind,
        subject_id=subject.id,
        tool=content.tool,
        tool_id=tool_id_of(actor=actor, tool=content.tool),
        tier=facts.tier,
        title=facts.title,
        agent_id=facts.agent_id,
        agent_label=facts.agent_label,
        run_id=facts.run_id,
        conversation_id=facts.conversation_id,
        undo=facts.undo,
        why=facts.why,
        tool_summary=facts.tool_summary,
        state=ProposalState.OPEN.value,
        moved_at=at,
        window_opened_at=at,
        window_s=requirement.decide_s,
        decide_by=at + timedelta(seconds=requirement.decide_s),
        supersedes=supersedes,
    )
    # Waits for a competitor's commit and then does nothing; an error would end the transaction.
    Proposal.objects.bulk_create([row], ignore_conflicts=True)
    return row if Proposal.objects.filter(pk=row.pk).exists() else None


def _require_short(**values: tuple[str, int]) -> None:
    long = {
        name: f"At most {most} characters."
        for name, (text, most) in values.items()
        if len(text) > most
    }
    if long:
        raise BadInput(f"{next(iter(long))} is too long; shorten it.", fields=long)


def _add_parts(
    row: Proposal,
    content: Content,
    requirement: Requirement,
    chain: tuple[Principal, ...],
    *,
    author: str,
) -> Revision:
    RequirementRow.objects.create(
        tenant_id=row.tenant_id,
        proposal=row,
        blocks=policies.requirement_as_dict(requirement),
        people=requirement.people,
        asked_groups=sorted(policies.asked_groups(requirement)),
        blind=requirement.blind,
        decide_s=requirement.decide_s,
        execute_s=requirement.execute_s,
        on_expiry=requirement.on_expiry,
        explanation=requirement.explanation,
    )
    PrincipalRow.objects.bulk_create(
        PrincipalRow(
            tenant_id=row.tenant_id,
            proposal=row,
            role=principal.role.value,
            actor_kind=principal.actor_kind,
            actor_id=principal.actor_id,
            label=principal.label[:LABEL_LENGTH],
            person_id=principal.person_id,
        )
        for principal in chain
    )
    paths = diffs.changed_paths(content.before, content.after)
    return _add_revision(row, content, author=author, cause="opened", paths=paths)


def _add_revision(
    row: Proposal, content: Content, *, author: str, cause: str, paths: tuple[str, ...]
) -> Revision:
    return Revision.objects.create(
        tenant_id=row.tenant_id,
        proposal=row,
        no=row.revision_no,
        digest=content.digest,
        contract_hash=content.contract_hash,
        args=content.args_bytes,
        before=content.before_bytes,
        before_digest=content.before_digest,
        after=content.after_bytes,
        author=author[:LABEL_LENGTH],
        cause=cause,
        changed_paths=list(paths),
    )


def _with_those_behind(principals: tuple[Principal, ...], actor: Actor) -> tuple[Principal, ...]:
    """Return the chain with every person on whose behalf this was opened, whoever forgot them."""
    chain = {(one.role, one.actor_kind, one.actor_id): one for one in principals}
    known = {one.person_id for one in principals}
    behind = [(link.kind, link.id, link.label) for link in actor.via]
    behind.append((actor.kind.value, actor.id, actor.label))
    for kind, identity, label in behind:
        person = _person_id(kind, identity)
        if person is not None and person not in known:
            chain[PrincipalRole.STARTER, kind, identity] = Principal(
                role=PrincipalRole.STARTER,
                actor_kind=kind,
                actor_id=identity,
                label=label,
                person_id=person,
            )
    return tuple(chain.values())


def _person_id(kind: str, identity: str) -> UUID | None:
    if kind != "person":
        return None
    try:
        return UUID(identity)
    except ValueError:
        return None  # an end user, known by another name; reviewers are people of the console


def _record_opened(
    actor: Actor,
    row: Proposal,
    revision: Revision,
    requirement: Requirement,
    chain: tuple[Principal, ...],
) -> None:
    voters = voters_of(actor=actor, tool_id=row.tool_id).values()
    if not policies.can_be_filled(requirement, voters, chain):
        row.unfillable_since = row.created_at
        row.save(update_fields=["unfillable_since"])
    record(
        ProposalOpened(
            proposal_id=row.id,
            revision_no=row.revision_no,
            digest=bytes(revision.digest).hex(),
            tool=row.tool,
            contract_hash=revision.contract_hash,
            tier=row.tier,
            needs=requirement.people,
            principals=tuple(sorted(f"{p.role} {p.actor_kind}:{p.actor_id}" for p in chain)),
            subject_kind=row.subject_kind,
            subject_uid=row.subject_id,
            decide_by=_iso(row.decide_by),
        ),
        actor=actor,
    )


def _require_same_call(desk: Desk, content: Content) -> None:
    if content.tool != desk.row.tool or content.args_bytes != bytes(desk.revision.args):
        raise OtherCall(
            "A new base may not change the tool or its arguments; open a new proposal instead."
        )


def _iso(at: datetime) -> str:
    return at.isoformat()
