"""Opening a proposal, putting it on a new base, and taking it back."""

from dataclasses import dataclass
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
from approvals.commands import (
    deciding,
    foreseen,
    judging,
    laddering,
    pressure,
    repeats,
    sampling,
)
from approvals.commands.desk import POLICY, Desk, lock, must_lock
from approvals.commands.refusing import expired, kept
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
from approvals.queries.people import tool_id_of
from approvals.states import (
    LIVE,
    Basis,
    Outcome,
    PrincipalRole,
    ProposalState,
    Purpose,
    Says,
)
from audit.commands import record
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import BadInput
from console.kernel.ids import uuid7
from console.kernel.transactions import command

DENIED: Final = "A rule does not allow this, whoever agrees; nothing was changed."
_MOST_PATHS: Final = 50  # named in an event; the revision itself holds all
_BLOCKED: Final = ProposalState.BLOCKED
BIRTHS: Final = {Says.ALLOW: ProposalState.APPROVED, Says.DENY: _BLOCKED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Birth:
    """The state into which a proposal is born, and what came before it."""

    state: ProposalState
    repeats: UUID | None = None  # what people rejected a short while ago
    supersedes: UUID | None = None
    own: UUID | None = None  # the id it gets; None makes one
    plan: UUID | None = None  # of which it is one change
    place: int | None = None  # its place there, from 1

    def cause(self, judged: judging.Judged) -> str:
        """Return why it is over already; "" if it is not."""
        if self.state is not _BLOCKED:
            return ""
        return repeats.REPEATED if self.repeats else ", ".join(judged.rules)


@command
def open_proposal(
    *,
    actor: Actor,
    subject: Subject,
    content: Content,
    facts: ProposalFacts,
    principals: tuple[Principal, ...],
) -> ProposalCard:
    """Have the rules say who decides about exactly this content: people, nobody, or never.

    The same content for the same subject returns the live proposal; other content supersedes it.

    Returns:
        An open proposal that waits for people, or one that was born approved (in tier 1 a rule
        allows it, or a standing approval speaks for it) or blocked (a rule denies it, there is no
        such tool, or people rejected the same call of this agent in the last 24 hours).

    Raises:
        BadInput: the tier has no requirement.
        Backpressure: too many wait for people already; come back when some are decided.
        NotCanonical: the content has no canonical form.
    """
    policies.requirement_for(facts.tier)
    old = live_of(actor, subject)
    if old is not None:
        if bytes(old.revision.digest) == content.digest:
            return old.card()
        told = "A newer request for the same thing took the place of this one."
        old.end(Outcome.SUPERSEDED, at=clock.now(), cause="newer", told=told)
    judged = judging.judge(actor=actor, subject=subject, content=content, facts=facts)
    earlier = repeats.rejected_before(
        actor.tenant_id, agent_id=facts.agent_id, content=content, at=judged.at
    )
    state = BIRTHS.get(judged.says, ProposalState.OPEN) if earlier is None else _BLOCKED
    if state is ProposalState.OPEN:
        pressure.require_room(
            actor.tenant_id, subject=subject, agent_id=facts.agent_id, run_id=facts.run_id
        )
    birth = Birth(state=state, repeats=earlier, supersedes=old.row.id if old else None)
    row = insert(actor, subject, content, facts, judged, birth)
    if row is None:  # somebody opened one at the same time; theirs has committed by now
        return open_proposal(
            actor=actor, subject=subject, content=content, facts=facts, principals=principals
        )
    chain = with_those_behind(principals, actor)
    requirement = judged.requirement(facts.tier)
    revision = add_parts(row, content, requirement, chain, author=actor.label)
    judging.keep(row, judged, purpose=Purpose.PROPOSE)
    match state:
        case ProposalState.APPROVED:
            approve_by_rule(actor, row, revision, judged)
        case ProposalState.BLOCKED:
            block(actor, row, revision, judged)
        case _:
            if not foreseen.speak(actor, row, judged):
                record_opened(actor, row, revision, judged, chain)
    return laddering.begin(actor=actor, proposal_id=row.id).card()


@command
def refresh(*, actor: Actor, proposal_id: UUID, content: Content) -> ProposalCard:
    """Put a stale proposal on what is there now: same call, new images, votes void.

    Raises:
        NotStale: the target of the proposal has not changed.
        OtherCall: the tool or its arguments differ.
        RefreshSpent: the target changed too often; the agent has to start over.
        PolicyDenied: with the target as it is now, a rule does not allow it.
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
    judged = judging.judge_again(desk, content, purpose=Purpose.PROPOSE)
    needed = judging.more_asked(desk, judged)
    desk.void_votes(desk.votes, cause="drift", at=at)
    desk.row.revision_no += 1
    desk.row.refresh_count += 1
    desk.row.observed_before = None
    paths = diffs.changed_paths(old.before, content.before)
    desk.revision = _add_revision(desk.row, content, author=actor.label, cause="drift", paths=paths)
    desk.move(ProposalState.OPEN, at=at)
    judging.keep(desk.row, judged, purpose=Purpose.PROPOSE)
    if needed is not None:
        desk.ask(needed, cause=POLICY, at=at)
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
    if judged.says is Says.ALLOW and judging.allowed_before(desk):
        desk.approve((), at=at, basis=Basis.RULE, rules=judged.rules)
        _draw(desk.row, judged, actor=actor, at=at)
    foreseen.speak_again(desk, judged)
    laddering.check(desk, at=at)
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


def live_of(actor: Actor, subject: Subject) -> Desk | None:
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


def insert(
    actor: Actor,
    subject: Subject,
    content: Content,
    facts: ProposalFacts,
    judged: judging.Judged,
    birth: Birth,
) -> Proposal | None:
    """Insert the proposal, or return None if one for the subject came to life meanwhile."""
    _require_short(title=(facts.title, TITLE_LENGTH), agent_label=(facts.agent_label, LABEL_LENGTH))
    at = judged.at
    requirement = judged.requirement(facts.tier)
    row = Proposal(
        id=birth.own or uuid7(),
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
        state=birth.state.value,
        moved_at=at,
        window_opened_at=at,
        window_s=requirement.decide_s,
        decide_by=at + timedelta(seconds=requirement.decide_s),
        execute_by=(
            at + timedelta(seconds=requirement.execute_s)
            if birth.state is ProposalState.APPROVED
            else None
        ),
        close_cause=birth.cause(judged)[:200],
        supersedes=birth.supersedes,
        repeats=birth.repeats,
        plan_id=birth.plan,
        plan_pos=birth.place,
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


def add_parts(
    row: Proposal,
    content: Content,
    requirement: Requirement,
    chain: tuple[Principal, ...],
    *,
    author: str,
) -> Revision:
    """Insert what belongs to a proposal that was inserted: requirement, chain, first revision."""
    RequirementRow.of(row, requirement).save()
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
        fingerprint=repeats.fingerprint_of(row.tenant_id, content),
        children=list(content.children) or None,
        author=author[:LABEL_LENGTH],
        cause=cause,
        changed_paths=list(paths),
    )


def with_those_behind(principals: tuple[Principal, ...], actor: Actor) -> tuple[Principal, ...]:
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


def record_opened(
    actor: Actor,
    row: Proposal,
    revision: Revision,
    judged: judging.Judged,
    chain: tuple[Principal, ...],
) -> None:
    record(
        ProposalOpened(
            proposal_id=row.id,
            revision_no=row.revision_no,
            digest=bytes(revision.digest).hex(),
            tool=row.tool,
            contract_hash=revision.contract_hash,
            tier=row.tier,
            needs=judged.requirement(row.tier).people,
            principals=tuple(sorted(f"{p.role} {p.actor_kind}:{p.actor_id}" for p in chain)),
            subject_kind=row.subject_kind,
            subject_uid=row.subject_id,
            decide_by=_iso(row.decide_by),
            rules=judged.rules,
        ),
        actor=actor,
    )


def approve_by_rule(
    actor: Actor, row: Proposal, revision: Revision, judged: judging.Judged
) -> None:
    """Settle a proposal at its birth: a rule speaks, and nobody is asked."""
    deciding.store(
        revision,
        Outcome.APPROVED,
        basis=Basis.RULE,
        assignment=(),
        at=judged.at,
        decide_by=row.decide_by,
    )
    deciding.tell(
        row,
        revision,
        Outcome.APPROVED,
        actor=actor,
        basis=Basis.RULE.value,
        rules=judged.rules,
        execute_by=_iso(row.execute_by) if row.execute_by else "",
    )
    _draw(row, judged, actor=actor, at=judged.at)


def _draw(row: Proposal, judged: judging.Judged, *, actor: Actor, at: datetime) -> None:
    """Have people look at it afterwards if it is drawn, at the rate that the rules name."""
    rate = judged.requirement(row.tier).sample
    sampling.draw(row, actor=actor, basis=Basis.RULE, at=at, rate=rate, rules=judged.rule_keys)


def block(actor: Actor, row: Proposal, revision: Revision, judged: judging.Judged) -> None:
    deciding.tell(
        row,
        revision,
        Outcome.BLOCKED,
        actor=actor,
        basis="" if row.repeats else Basis.RULE.value,
        rules=() if row.repeats else judged.rules,
        code="proposal.repeated" if row.repeats else "policy.denied",
        agent_message=repeats.TOLD if row.repeats else DENIED,
        repeats=row.repeats,
    )


def _require_same_call(desk: Desk, content: Content) -> None:
    if content.tool != desk.row.tool or content.args_bytes != bytes(desk.revision.args):
        raise OtherCall(
            "A new base may not change the tool or its arguments; open a new proposal instead."
        )


def _iso(at: datetime) -> str:
    return at.isoformat()
