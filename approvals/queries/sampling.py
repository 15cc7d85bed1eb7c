"""What people said about automatic approvals of each rule, and which rules that turned."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Count, Q

from approvals import policies
from approvals.cards.reviewing import SampledPolicy, SampledRule
from approvals.models import PolicyVersion, ReviewTask, RuleTurn
from approvals.policies.sampling import USUAL_SAMPLE, interval, rule_key
from approvals.states import PolicyState, ReviewKind, ReviewVerdict
from console.accounts.queries import require
from console.accounts.states import Permission
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.transactions import query


@query
def sampled_rules(*, actor: Actor, version_id: UUID) -> tuple[SampledRule, ...]:
    """Return each rule of a version that allows, with what people said about its samples.

    Raises:
        NotFound: there is no such version.
    """
    require(actor, Permission.APPROVALS_VIEW)
    row = PolicyVersion.objects.filter(tenant_id=actor.tenant_id, pk=version_id).first()
    if row is None:
        raise NotFound("There is no such version of a policy here; look at the list of policies.")
    return _rules_of(row)


@query
def sampled_policies(*, actor: Actor) -> tuple[SampledPolicy, ...]:
    """Return every active version that has rules which allow, by the name of its policy."""
    require(actor, Permission.APPROVALS_VIEW)
    rows = PolicyVersion.objects.filter(
        tenant_id=actor.tenant_id, state=PolicyState.ACTIVE.value
    ).order_by("policy")
    found = (
        SampledPolicy(version_id=row.id, policy=row.policy, no=row.no, rules=_rules_of(row))
        for row in rows
    )
    return tuple(one for one in found if one.rules)


# -- shared with commands ------------------------------------------------------------------------


def turned_rules(tenant_id: UUID, versions: Iterable[UUID]) -> frozenset[str]:
    """Return the keys of the rules of these versions that hold by now what they allowed."""
    rows = RuleTurn.objects.filter(tenant_id=tenant_id, version__in=list(versions))
    return frozenset(rule_key(*pair) for pair in rows.values_list("version_id", "rule"))


@query
def allow_again(*, actor: Actor, version_id: UUID, before: UUID) -> frozenset[str]:
    """Return the rules of a version that allow what the version before it came to ask people."""
    row = PolicyVersion.objects.get(tenant_id=actor.tenant_id, pk=version_id)
    turned = RuleTurn.objects.filter(tenant_id=actor.tenant_id, version=before)
    allowing = {
        rule.id for rule in row.active().policy.rules if rule.effect is policies.Effect.ALLOW
    }
    return frozenset(allowing.intersection(turned.values_list("rule", flat=True)))


def answers_of(tenant_id: UUID, key: str) -> tuple[int, int, int]:
    """Return how many samples of a rule were drawn, answered, and disagreed with."""
    found = ReviewTask.objects.filter(
        tenant_id=tenant_id, kind=ReviewKind.SAMPLE.value, rules__contains=[key]
    ).aggregate(
        drawn=Count("pk"),
        answered=Count("pk", filter=Q(closed_at__isnull=False)),
        disagreed=Count("pk", filter=Q(verdict=ReviewVerdict.DISAGREE.value)),
    )
    return found["drawn"], found["answered"], found["disagreed"]


def _rules_of(row: PolicyVersion) -> tuple[SampledRule, ...]:
    turned = {turn.rule: turn for turn in RuleTurn.objects.filter(version=row)}
    return tuple(
        _sampled(row.tenant_id, row, rule, turned.get(rule.id))
        for rule in row.active().policy.rules
        if rule.effect is policies.Effect.ALLOW
    )


def _sampled(
    tenant_id: UUID, row: PolicyVersion, rule: policies.Rule, turn: RuleTurn | None
) -> SampledRule:
    drawn, answered, disagreed = answers_of(tenant_id, rule_key(row.id, rule.id))
    found = interval(disagreed, answered)
    return SampledRule(
        rule=rule.id,
        rate=rule.sample or USUAL_SAMPLE,
        drawn=drawn,
        answered=answered,
        disagreed=disagreed,
        low=found.low,
        high=found.high,
        turned_at=turn.turned_at if turn else None,
    )
