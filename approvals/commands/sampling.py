"""Drawing automatic approvals for somebody to look at, and turning rules that people disagree with.

Whether one is drawn follows from its id under a key of the tenant: the same every time, and nobody
without the key can foretell it. The key comes by HKDF from the installation's secret key and the
tenant's id, as that of fingerprints does.
"""

import hmac
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import connection

from approvals.events.policies import PolicyRuleTurned
from approvals.events.reviewing import ReviewTaskOpened
from approvals.models import Decision, PolicyVersion, Proposal, ReviewTask, RuleTurn
from approvals.policies.sampling import USUAL_SAMPLE, interval, is_drawn, turns
from approvals.queries.sampling import answers_of
from approvals.states import Basis, PolicyState, ReviewKind
from audit.commands import record
from console.kernel import canonical
from console.kernel.actors import Actor

AUTOMATIC: Final = frozenset({Basis.RULE, Basis.STANDING})
_PURPOSE: Final = b"signalbox/sample/1"


def draw(
    row: Proposal,
    *,
    actor: Actor,
    basis: Basis,
    at: datetime,
    rate: str = USUAL_SAMPLE,
    rules: Iterable[str] = (),
) -> bool:
    """Open a review of an automatic approval if it is drawn; say whether it was.

    Part of the command that approves, after the decision is stored.

    Args:
        rate: of what is drawn, 0 to 1, as a decimal; that of the frozen requirement for a rule.
        rules: keys ("version/rule") of the rules that spoke in place of people, if any did.
    """
    if basis not in AUTOMATIC or not is_drawn(_mac(row), rate):
        return False
    decision = Decision.objects.get(proposal=row, voided_at__isnull=True)
    keys = tuple(rules)
    task = ReviewTask.objects.create(
        tenant_id=row.tenant_id,
        kind=ReviewKind.SAMPLE.value,
        proposal=row,
        decision=decision,
        rules=list(keys),
        opened_at=at,
    )
    record(
        ReviewTaskOpened(
            proposal_id=row.id,
            task_id=task.id,
            why=task.kind,
            decision_id=decision.id,
            rules=keys,
        ),
        actor=actor,
    )
    return True


def count(row: ReviewTask, *, actor: Actor, at: datetime) -> None:
    """Turn the rules of a sample that was just answered if people disagree too often.

    Under a lock of each rule, so that of two answers at the same time the second counts the first.
    """
    for key in sorted(row.rules):
        _lock(row.tenant_id, key)
        _drawn, answered, disagreed = answers_of(row.tenant_id, key)
        if turns(disagreed, answered):
            _turn(row, key, answered, disagreed, actor=actor, at=at)


def _turn(
    row: ReviewTask, key: str, answered: int, disagreed: int, *, actor: Actor, at: datetime
) -> None:
    version_id, _, rule = key.partition("/")
    version = PolicyVersion.objects.exclude(state=PolicyState.RETIRED.value).filter(pk=version_id)
    found = version.first()
    if found is None or RuleTurn.objects.filter(version=found, rule=rule).exists():
        return
    RuleTurn.objects.create(
        tenant_id=row.tenant_id,
        version=found,
        rule=rule,
        task=row,
        answered=answered,
        disagreed=disagreed,
        turned_at=at,
    )
    record(
        PolicyRuleTurned(
            version_id=found.id,
            policy=found.policy,
            no=found.no,
            digest=bytes(found.digest).hex(),
            rule=rule,
            answered=answered,
            disagreed=disagreed,
            low=f"{interval(disagreed, answered).low:.4f}",
            task_id=row.id,
        ),
        actor=actor,
    )


def _mac(row: Proposal) -> bytes:
    derive = HKDF(algorithm=SHA256(), length=32, salt=row.tenant_id.bytes, info=_PURPOSE)
    return hmac.digest(derive.derive(settings.SECRET_KEY.encode()), row.id.bytes, "sha256")


def _lock(tenant_id: UUID, key: str) -> None:
    number = int.from_bytes(canonical.digest([str(tenant_id), "samples", key])[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
