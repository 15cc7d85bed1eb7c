"""Asking the rules about a call, in the transaction that opens, changes or dispatches it.

A rule with a total takes a lock on what it adds up first: of two calls at the same time the second
one counts the first. A version that cannot be read, or a failure of the evaluator itself, holds the
call for the floor of its tier and says so. It never lets a call pass, nor silences the others.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import structlog
from django.conf import settings
from django.db import DatabaseError, connection

from approvals import policies
from approvals.cards import Content, ProposalFacts, Requirement, Subject
from approvals.commands.desk import Desk
from approvals.errors import PolicyDenied
from approvals.models import Decision, Evaluation, PolicyVersion, Proposal
from approvals.policies.sampling import rule_key
from approvals.queries.sampling import turned_rules
from approvals.queries.totals import LAST, Place, sums_of
from approvals.states import Basis, PolicyState, Purpose, Says
from console.kernel import canonical, clock
from console.kernel.actors import Actor

log = structlog.get_logger(__name__)

_UNDATED: Final = datetime.min.replace(tzinfo=UTC)
_ASKED: Final = [PolicyState.ACTIVE.value, PolicyState.SHADOW.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shadow:
    """What a version said that nothing depends on."""

    version: UUID
    verdict: policies.Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the rules said, and on what."""

    verdict: policies.Verdict
    at: datetime  # read after the locks of the totals; the proposal is dated with it
    versions: tuple[UUID, ...]
    facts: Mapping[str, Any]  # as they are stored
    shadows: tuple[Shadow, ...] = ()
    speaking: Mapping[str, UUID] = field(default_factory=dict)  # the active version of each policy

    @property
    def says(self) -> Says:
        return self.verdict.says

    @property
    def rules(self) -> tuple[str, ...]:
        return self.verdict.rules

    @property
    def rule_keys(self) -> tuple[str, ...]:
        """Return under what samples of the rules that settled it are counted."""
        named = (name.partition("/") for name in self.rules)
        return tuple(
            rule_key(self.speaking[policy], rule)
            for policy, _, rule in named
            if policy in self.speaking
        )

    def requirement(self, tier: int) -> Requirement:
        """Return what is frozen; of a call that is denied, what its tier would have asked."""
        return self.verdict.requirement or policies.requirement_for(tier)


def judge(*, actor: Actor, subject: Subject, content: Content, facts: ProposalFacts) -> Judged:
    """Return what the rules say about a call that is proposed."""
    stored = {
        "environment": facts.environment or settings.ENVIRONMENT,
        "channel": facts.channel,
        "known": facts.known,
        "target": {**_only_records(content), **facts.target},
        "given": dict(facts.target),
        "actor": _described(actor),
        "verdicts": dict(facts.verdicts),
        "sensitive": list(facts.sensitive),
    }
    asked = _facts(content, facts.tier, facts.agent_id, stored, subject.kind)
    return _judge(actor, asked, stored, own=LAST)


def judge_again(desk: Desk, content: Content, *, purpose: Purpose) -> Judged:
    """Return what the rules say now about a proposal that is there, on the facts of its opening.

    A changed content is compared with every other call; a dispatch with those that were there
    before it, so that of two calls which are too much together the second one has to wait.

    Args:
        purpose: PROPOSE for another content, DISPATCH for the one that was agreed to.
    """
    stored = _stored(desk, content)
    asked = _facts(content, desk.row.tier, desk.row.agent_id, stored, desk.row.subject_kind)
    opened = desk.row.created_at if purpose is Purpose.DISPATCH else None
    return _judge(desk.actor, asked, stored, own=desk.row.id, opened=opened)


def facts_of(desk: Desk, content: Content) -> policies.Facts:
    """Return the facts on which rules are asked about a content, for conditions outside of them."""
    stored = _stored(desk, content)
    asked = _facts(content, desk.row.tier, desk.row.agent_id, stored, desk.row.subject_kind)
    return replace(asked, at=clock.now())


def keep(row: Proposal, judged: Judged, *, purpose: Purpose) -> None:
    """Store what the rules said about the current revision; part of a command that records it."""
    said = [(purpose, judged.versions, judged.verdict)]
    said += [(Purpose.SHADOW, (one.version,), one.verdict) for one in judged.shadows]
    Evaluation.objects.bulk_create(
        _row(row, why, versions, judged.facts, verdict) for why, versions, verdict in said
    )


def more_asked(desk: Desk, judged: Judged) -> Requirement | None:
    """Return the requirement with what the rules ask on top of it, or None if they ask nothing new.

    Raises:
        PolicyDenied: a rule does not allow this at all.
    """
    if judged.says is Says.DENY:
        raise PolicyDenied(
            f"{judged.verdict.sentence} Propose something else, or reject this.",
            rules=list(judged.rules),
        )
    asked = judged.verdict.requirement
    if judged.says is not Says.HOLD or asked is None:
        return None
    whole = desk.with_what_is_asked(asked)
    return None if whole == desk.requirement else whole


def allowed_before(desk: Desk) -> bool:
    """Say whether a rule and nobody else carried this proposal so far."""
    settled = Decision.objects.filter(proposal=desk.row).values_list("basis", flat=True)
    return set(settled) == {Basis.RULE.value}


# -- parts ---------------------------------------------------------------------------------------

_NOTHING: Final[Mapping[str, Any]] = {
    "environment": "",
    "channel": "",
    "known": True,
    "target": {},
    "given": {},  # of the target, by the gate
    "actor": {},
    "verdicts": {},
    "sensitive": [],
}


def _judge(
    actor: Actor,
    facts: policies.Facts,
    stored: Mapping[str, Any],
    *,
    own: UUID,
    opened: datetime | None = None,
) -> Judged:
    """Ask all active versions, and those in the shadow unless it is about a dispatch.

    Args:
        own: the proposal, which a total does not count twice.
        opened: only what was there before is counted; None: everything that is there now.
    """
    rows = list(
        PolicyVersion.objects.filter(tenant_id=actor.tenant_id, state__in=_ASKED).order_by("policy")
    )
    active = [row for row in rows if row.state == PolicyState.ACTIVE.value]
    beside = [row for row in rows if row not in active] if opened is None else []
    _lock_totals(actor.tenant_id, facts, active)
    facts = replace(facts, at=clock.now())  # after the locks: what others did meanwhile counts
    place = Place(at=opened or facts.at, own=own)
    verdict, sums = _verdict(actor.tenant_id, facts, active, place)
    return Judged(
        verdict=verdict,
        at=facts.at,
        versions=tuple(row.id for row in active),
        speaking={row.policy: row.id for row in active},
        facts={
            **stored,
            "at": facts.at.isoformat(),
            "totals": {name: None if sum_ is None else f"{sum_:f}" for name, sum_ in sums.items()},
        },
        shadows=tuple(
            Shadow(
                version=row.id,
                verdict=_verdict(actor.tenant_id, facts, _instead(active, row), place)[0],
            )
            for row in beside
        ),
    )


def _instead(active: list[PolicyVersion], draft: PolicyVersion) -> list[PolicyVersion]:
    return [row for row in active if row.policy != draft.policy] + [draft]


def _verdict(
    tenant_id: UUID, facts: policies.Facts, rows: Iterable[PolicyVersion], place: Place
) -> tuple[policies.Verdict, policies.Sums]:
    asked, flag = _read(rows)
    try:
        sums = sums_of(tenant_id, policies.totals_wanted(facts, asked), place, facts.at)
        turned = turned_rules(tenant_id, [one.version for one in asked])
        verdict = policies.evaluate(facts, asked, sums, turned=turned)
        return (policies.at_least_held(verdict, facts.tier, flag) if flag else verdict), sums
    except DatabaseError:
        raise  # the transaction is gone, and nothing is opened or run
    except Exception as error:
        log.exception("policy.failed", tool=facts.tool, error=type(error).__name__)
        flag = f"The rules could not be evaluated ({type(error).__name__})."
        return policies.floor_only(facts.tier, flag), {}


def _read(rows: Iterable[PolicyVersion]) -> tuple[list[policies.Active], str]:
    """Return the versions that can be read, and what is said of those that cannot; "" if all can.

    Nothing is stored that cannot be read, but a later release may know a word no longer.
    """
    asked, unread = [], []
    for row in rows:
        try:
            asked.append(row.active())
        except Exception as error:
            log.exception("policy.unread", policy=row.policy, error=type(error).__name__)
            unread.append(f"version {row.no} of {row.policy} ({type(error).__name__})")
    said = f"Not to be read any more: {', '.join(unread)}. So people are asked in any case."
    return asked, said if unread else ""


def _lock_totals(tenant_id: UUID, facts: policies.Facts, rows: Iterable[PolicyVersion]) -> None:
    """Lock what the active rules add up, in one order for everybody, until the transaction ends."""
    try:
        wanted = policies.totals_wanted(facts, _read(rows)[0])
    except Exception as error:
        log.exception("policy.failed", tool=facts.tool, error=type(error).__name__)
        return  # `_verdict` meets the same and holds the call
    keys = sorted(
        int.from_bytes(canonical.digest([str(tenant_id), name, list(values)])[:8], signed=True)
        for name, (_, values) in wanted.items()
    )
    with connection.cursor() as cursor:
        for key in keys:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [key])


def _facts(
    content: Content, tier: int, agent: str, stored: Mapping[str, Any], kind: str
) -> policies.Facts:
    """Return the facts of a call; the time is read when the locks are held."""
    return policies.Facts(
        tool=content.tool,
        tier=tier,
        agent=agent,
        at=_UNDATED,
        args=content.args,
        before=content.before,
        after=content.after,
        target=stored["target"],
        actor=stored["actor"],
        verdicts=stored["verdicts"],
        environment=stored["environment"],
        channel=stored["channel"],
        known=stored["known"],
        governs=kind in policies.GOVERNED_KINDS,
        sensitive=tuple(stored["sensitive"]),
    )


def _stored(desk: Desk, content: Content) -> dict[str, Any]:
    """Return what the gate said when the proposal was opened, with what this content touches."""
    first = (
        Evaluation.objects.filter(proposal=desk.row, purpose=Purpose.PROPOSE.value)
        .order_by("-revision_no")
        .first()
    )
    stored: dict[str, Any] = {**_NOTHING, **(first.facts if first else {})}
    stored["target"] = {**_only_records(content), **stored["given"]}
    return stored


def _only_records(content: Content) -> dict[str, str]:
    """Return {kind: id} for every kind of which the call touches one record."""
    images = (content.before, content.after)
    kinds = {kind for image in images for kind in image}
    ids = {kind: {id_ for image in images for id_ in image.get(kind, {})} for kind in kinds}
    return {kind: next(iter(found)) for kind, found in ids.items() if len(found) == 1}


def _described(actor: Actor) -> dict[str, Any]:
    return {
        "kind": actor.kind.value,
        "id": actor.id,
        "label": actor.label,
        "via": [{"kind": link.kind, "id": link.id} for link in actor.via],
    }


def _row(
    row: Proposal,
    purpose: Purpose,
    versions: tuple[UUID, ...],
    facts: Mapping[str, Any],
    verdict: policies.Verdict,
) -> Evaluation:
    asked = verdict.requirement if verdict.says is Says.HOLD else None
    return Evaluation(
        tenant_id=row.tenant_id,
        proposal=row,
        revision_no=row.revision_no,
        purpose=purpose.value,
        versions=list(versions),
        facts=facts,
        outcome=verdict.says.value,
        rules=list(verdict.rules),
        people=asked.people if asked else 0,
        blocks=policies.requirement_as_dict(asked) if asked else [],
        trace=list(verdict.trace),
        flag=verdict.flag,
    )
