"""What is wrong with the trail, and what watched it when."""

from typing import Any

from audit.cards import AlarmCard, Drift, DrillsCard, GuardsCard, PatrolCard
from audit.models import AuditAlarm, AuditPatrol, AuditWatch
from console.kernel.actors import Actor
from console.kernel.transactions import query


@query
def alarms(*, actor: Actor) -> tuple[AlarmCard, ...]:
    """Return the alarms that stand for this tenant, newest first."""
    rows = AuditAlarm.objects.filter(tenant_id=actor.tenant_id, cleared_at__isnull=True)
    return tuple(
        AlarmCard(code=row.code, sentences=tuple(row.sentences), raised_at=row.raised_at)
        for row in rows.order_by("-raised_at")
    )


@query
def guards(*, actor: Actor) -> GuardsCard:  # noqa: ARG001 - queries take the actor
    """Return what the self-check last saw; it is about the database and no tenant's secret."""
    row = AuditWatch.objects.filter(name="guards").first()
    body: dict[str, Any] = row.body if row else {}
    return GuardsCard(
        looked_at=row.at if row else None,
        drifts=tuple(Drift(**values) for values in body.get("drifts", ())),
    )


@query
def last_drill(*, actor: Actor) -> DrillsCard:  # noqa: ARG001 - queries take the actor
    """Return how the last drill came out; it says nothing of the tenant whose log was copied."""
    row = AuditWatch.objects.filter(name="drill").first()
    cards: list[tuple[str, bool]] = row.body["cards"] if row else []
    return DrillsCard(
        at=row.at if row else None,
        named=tuple(name for name, passed in cards if passed and name != "nothing"),
        missed=tuple(name for name, passed in cards if not passed),
    )


@query
def patrols(*, actor: Actor) -> tuple[PatrolCard, ...]:
    """Return how far continuous verification has come in this tenant's log, newest day first."""
    rows = AuditPatrol.objects.filter(tenant_id=actor.tenant_id).order_by("scope")
    return tuple(
        PatrolCard(
            scope=row.scope,
            started_at=row.started_at,
            finished_at=row.finished_at,
            next_index=row.next_index,
            found=row.found,
        )
        for row in rows
    )
