"""The rules, and why a proposal is decided as it is; nothing here writes."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

from approvals import policies
from approvals.cards import (
    Call,
    Eligible,
    EvaluationCard,
    Explained,
    PolicyVersionCard,
    Principal,
    Simulated,
    Voter,
)
from approvals.models import Evaluation, PolicyVersion, PrincipalRow, RequirementRow
from approvals.queries.checks import told_of
from approvals.queries.people import seen_by, voters_on
from approvals.queries.sampling import turned_rules
from approvals.queries.seeing import row_for
from approvals.queries.totals import Place, sums_of
from approvals.states import PolicyState, Purpose
from console.accounts.queries import require
from console.accounts.states import Permission
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.transactions import query


@query
def active_policies(*, actor: Actor) -> tuple[PolicyVersionCard, ...]:
    """Return the versions that speak, by name."""
    require(actor, Permission.APPROVALS_VIEW)
    rows = _versions(actor).filter(state=PolicyState.ACTIVE.value)
    return tuple(row.card() for row in rows.order_by("policy"))


@query
def policy_versions(*, actor: Actor, policy: str = "") -> tuple[PolicyVersionCard, ...]:
    """Return every version of a policy, or of all, by name and newest first."""
    require(actor, Permission.APPROVALS_VIEW)
    rows = _versions(actor).order_by("policy", "-no")
    return tuple(row.card() for row in (rows.filter(policy=policy) if policy else rows))


@query
def version(*, actor: Actor, version_id: UUID) -> PolicyVersionCard:
    """Return one version.

    Raises:
        NotFound: there is none of this id in the tenant.
    """
    require(actor, Permission.APPROVALS_VIEW)
    return _version(actor, version_id).card()


@query
def explain(*, actor: Actor, proposal_id: UUID) -> Explained:
    """Return which rules spoke about a proposal, what they ask, and who may answer.

    It holds no votes, so it is the same before and after one that is hidden.

    Raises:
        NotFound: there is no such proposal, or the actor may not see it.
    """
    row = row_for(actor, proposal_id)
    if row is None or not seen_by(actor).covers(row):
        raise NotFound("There is no such proposal here; look at the list of reviews.")
    said = list(
        Evaluation.objects.filter(proposal_id=told_of(row))
        .exclude(purpose=Purpose.SHADOW.value)
        .order_by("-revision_no", "-created_at")
    )
    requirement = RequirementRow.newest(row).card()
    principals = [one.card() for one in PrincipalRow.objects.filter(proposal=row).order_by("id")]
    voters = voters_on(actor=actor, row=row)
    return Explained(
        evaluation=_first(said, Purpose.PROPOSE),
        later=tuple(one.card() for one in said if one.purpose == Purpose.DISPATCH.value),
        requirement=requirement,
        blocks=tuple(policies.in_words(block) for block in requirement.blocks),
        people=tuple(_eligible(voter, requirement, principals) for voter in voters.values()),
    )


@query
def simulate(
    *, actor: Actor, call: Call, body: Any = None, version_id: UUID | None = None
) -> Simulated:
    """Return what the rules would say about a call now.

    Args:
        body: a draft, in place of the active version of the same policy.
        version_id: a stored version instead; without either the active versions are asked.

    Raises:
        PolicyInvalid: the body is refused.
        NotFound: there is no such version.
    """
    require(actor, Permission.APPROVALS_VIEW)
    rows = _versions(actor).filter(state=PolicyState.ACTIVE.value).order_by("policy")
    asked = [row.active() for row in rows]
    tried = None
    if body is not None:
        tried = policies.Active(version=uuid4(), policy=policies.parse(body))
    elif version_id is not None:
        tried = _version(actor, version_id).active()
    if tried is not None:
        asked = [one for one in asked if one.policy.name != tried.policy.name] + [tried]
    facts = _facts(call)
    sums = sums_of(
        actor.tenant_id, policies.totals_wanted(facts, asked), Place(at=facts.at), facts.at
    )
    turned = turned_rules(actor.tenant_id, [one.version for one in asked])
    verdict = policies.evaluate(facts, asked, sums, turned=turned)
    return Simulated(
        says=verdict.says,
        requirement=verdict.requirement,
        rules=verdict.rules,
        trace=verdict.trace,
        flag=verdict.flag,
    )


# -- parts ---------------------------------------------------------------------------------------


def _versions(actor: Actor) -> Any:
    return PolicyVersion.objects.filter(tenant_id=actor.tenant_id)


def _version(actor: Actor, version_id: UUID) -> PolicyVersion:
    found: PolicyVersion | None = _versions(actor).filter(pk=version_id).first()
    if found is None:
        raise NotFound("There is no such version of a policy here; look at the list of policies.")
    return found


def _first(said: Iterable[Evaluation], purpose: Purpose) -> EvaluationCard | None:
    return next((one.card() for one in said if one.purpose == purpose.value), None)


def _eligible(voter: Voter, requirement: Any, principals: list[Principal]) -> Eligible:
    refusal = policies.who_refusal(voter, requirement, principals)
    excluded = policies.about_somebody_else(refusal, principals, voter.person_id) if refusal else ""
    return Eligible(
        person_id=voter.person_id,
        name=voter.name,
        groups=tuple(sorted(voter.groups)),
        excluded=excluded,
    )


def _facts(call: Call) -> policies.Facts:
    return policies.Facts(
        tool=call.tool,
        tier=call.tier,
        agent=call.agent,
        at=clock.now(),
        args=call.args,
        before=call.before,
        after=call.after,
        target=call.target,
        actor=call.actor,
        verdicts=call.verdicts,
        environment=call.environment,
        channel=call.channel,
        known=call.known,
        sensitive=call.sensitive,
    )
