"""What is known of planted checks: by the person for whom one is, by pulse, and for figures."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db.models import Count, Q

from approvals import policies
from approvals.cards import CheckCard, CheckSettingCard, HistoryLine, Subject
from approvals.events.checking import CHECK
from approvals.models import Check, CheckSetting, Proposal, Served
from approvals.states import LIVE, CheckOutcome
from audit.queries import events_of
from console.kernel import clock
from console.kernel.actors import Actor
from console.kernel.spans import Span
from console.kernel.transactions import query

_PURPOSE: Final = b"signalbox/checks/1"
_LOOKS_BACK: Final = timedelta(minutes=15)  # what was opened before pulse stopped draws no lot
_MOST_OPENED: Final = 2_000
ANSWERED: Final = (CheckOutcome.CAUGHT.value, CheckOutcome.MISSED.value)


@query
def check_setting(*, actor: Actor) -> CheckSettingCard:
    """Return whether checks are planted; everybody may know, because they are announced."""
    row = CheckSetting.objects.filter(tenant_id=actor.tenant_id).first()
    if row is None:
        return CheckSettingCard(is_on=False, set_by="", set_at=None)
    waiting = Proposal.objects.filter(
        tenant_id=actor.tenant_id,
        subject_kind=policies.GATE_KIND,
        subject_id=row.id,
        state__in=[state.value for state in LIVE],
    )
    return CheckSettingCard(
        is_on=row.is_on,
        set_by=row.set_by,
        set_at=row.set_at,
        waiting_id=waiting.values_list("id", flat=True).first(),
    )


@query
def drawn(*, actor: Actor) -> tuple[tuple[UUID, UUID], ...]:
    """Return (person, proposal that they opened) of every lot that was drawn lately and is free."""
    at = clock.now()
    if not CheckSetting.objects.filter(tenant_id=actor.tenant_id, is_on=True).exists():
        return ()
    opened = Served.objects.filter(
        tenant_id=actor.tenant_id,
        served_at__gt=at - _LOOKS_BACK,
        parts__contains=[policies.PAGE],
        proposal__is_check=False,
    )
    key = key_of(actor.tenant_id)
    pairs = opened.values_list("person_id", "proposal_id").distinct()[:_MOST_OPENED]
    lots = [
        (person, proposal)
        for person, proposal in pairs
        if policies.is_drawn(key, person_id=person, proposal_id=proposal)
    ]
    lately = Check.objects.filter(tenant_id=actor.tenant_id, planted_at__gt=at - policies.APART)
    resting = set(lately.values_list("person_id", flat=True)) if lots else set()
    used = set(
        Check.objects.filter(
            tenant_id=actor.tenant_id, because_id__in=[proposal for _, proposal in lots]
        ).values_list("person_id", "because_id")
    )
    return tuple(lot for lot in sorted(lots) if lot[0] not in resting and lot not in used)


def key_of(tenant_id: UUID) -> bytes:
    """Return what lots of a tenant are drawn with."""
    derive = HKDF(algorithm=SHA256(), length=32, salt=tenant_id.bytes, info=_PURPOSE)
    return derive.derive(settings.SECRET_KEY.encode())


def check_of(row: Proposal) -> Check | None:
    """Return the check that a proposal is, or None."""
    return Check.objects.filter(proposal=row).first() if row.is_check else None


def reveal_of(row: Proposal) -> CheckCard | None:
    """Return what a proposal was all along, once it has been answered or is over."""
    found = check_of(row)
    if found is None or found.outcome == CheckOutcome.WAITING.value:
        return None
    return found.card()


def told_of(row: Proposal) -> UUID:
    """Return the proposal whose rules and background a page shows: of a check, its source."""
    found = check_of(row)
    return found.source_id if found else row.id


def origin_of(row: Proposal) -> Subject:
    """Return what a proposal belongs to; of a check, what its source belongs to."""
    source = Proposal.objects.filter(pk=told_of(row)).first() if row.is_check else row
    found = source or row
    return Subject(kind=found.subject_kind, id=found.subject_id)


def planting_of(actor: Actor, row: Proposal) -> list[HistoryLine]:
    """Return the line with which the history of any proposal begins: it was asked for.

    The trail itself says that a check was planted, and not for whom; who may search it gets none.
    Once the check has ended, the page says what the trail does.
    """
    found = check_of(row)
    if found is None:
        return []
    ended = found.outcome != CheckOutcome.WAITING.value
    return [
        HistoryLine(
            action=card.action if ended else "proposal.opened",
            actor_id=card.actor_id if ended else row.agent_id,
            who=card.actor_label if ended else row.agent_label,
            at=card.received_at,
            index=card.index,
        )
        for card in events_of(actor=actor, target_type=CHECK, target_id=str(found.id), limit=2)
    ]


def tallies(tenant_id: UUID, span: Span, *, person: UUID | None) -> Mapping[UUID, tuple[int, int]]:
    """Return (caught, answered) by person; of one person, if one is named."""
    rows = Check.objects.filter(
        tenant_id=tenant_id,
        outcome__in=ANSWERED,
        ended_at__gte=span.starts_at,
        ended_at__lt=span.ends_at,
    )
    if person is not None:
        rows = rows.filter(person_id=person)
    counted = rows.values("person_id").annotate(
        answered=Count("pk"), caught=Count("pk", filter=Q(outcome=CheckOutcome.CAUGHT.value))
    )
    return {row["person_id"]: (row["caught"], row["answered"]) for row in counted}
