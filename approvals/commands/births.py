"""How a proposal is born: its first state, its rows, its chain, and the event that says so."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from approvals import diffs
from approvals.cards import Content, Principal, ProposalFacts, Requirement, Subject
from approvals.commands import deciding, judging, repeats, sampling
from approvals.events import ProposalOpened
from approvals.models import (
    LABEL_LENGTH,
    TITLE_LENGTH,
    PrincipalRow,
    Proposal,
    RequirementRow,
    Revision,
)
from approvals.queries.people import tool_id_of
from approvals.states import Basis, Outcome, PrincipalRole, ProposalState, Says
from audit.commands import record
from console.kernel.actors import Actor
from console.kernel.errors import BadInput
from console.kernel.ids import uuid7

DENIED: Final = "A rule does not allow this, whoever agrees; nothing was changed."
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
    return add_revision(row, content, author=author, cause="opened", paths=paths)


def add_revision(
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
    draw(row, judged, actor=actor, at=judged.at)


def draw(row: Proposal, judged: judging.Judged, *, actor: Actor, at: datetime) -> None:
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


def _iso(at: datetime) -> str:
    return at.isoformat()
