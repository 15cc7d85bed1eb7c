"""Reads of the switches: what stands, what stood, and who has confirmed it."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection

from agents.controls import permits, policies, targets
from agents.controls.cards import (
    BoardCard,
    Confirmation,
    Effect,
    LeverCard,
    PanelCard,
    Scope,
    SwitchCard,
    Target,
    WorkerCard,
)
from agents.controls.models import Switch, Worker
from agents.controls.states import FORGOTTEN_AFTER_S, SILENT_AFTER_S, Progress, ScopeKind
from console.kernel import clock, tenancy
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.transactions import query

HISTORY_PAGE: Final = 50
HISTORY_ON_BOARD: Final = 20
NOTHING: Final = Effect(live_runs=0, parked_runs=0, executing_calls=0, open_proposals=0)


@query
def active(*, actor: Actor) -> tuple[SwitchCard, ...]:
    """The switches that stand, oldest first."""
    rows = Switch.objects.filter(tenant_id=actor.tenant_id, released_at__isnull=True)
    return cards(rows.order_by("engaged_at", "id"))


def tenants_stopped() -> frozenset[UUID]:
    """Return the tenants in which a switch stands: one question for all of them, and only ids."""
    with tenancy.unscoped(), connection.cursor() as cursor:
        cursor.execute("SELECT controls_tenants_stopped()")
        return frozenset(row[0] for row in cursor.fetchall())


@query
def banner(*, actor: Actor) -> tuple[SwitchCard, ...]:
    """What every page says on top; everybody who is signed in may know of a stop."""
    return active(actor=actor)


@query
def switch(*, actor: Actor, switch_id: UUID) -> SwitchCard:
    """One switch.

    Raises:
        NotFound: this organisation has no such switch.
    """
    row = Switch.objects.filter(tenant_id=actor.tenant_id, pk=switch_id).first()
    if row is None:
        raise NotFound("There is no such switch; go back to the board.")
    return cards([row])[0]


@query
def standing_for(*, actor: Actor, scope: Scope) -> SwitchCard | None:
    """The switch that stands for exactly this scope, if there is one."""
    row = Switch.objects.filter(
        tenant_id=actor.tenant_id,
        scope_kind=scope.kind,
        scope_value=scope.value,
        released_at__isnull=True,
    ).first()
    return cards([row])[0] if row else None


@query
def history(
    *, actor: Actor, before: tuple[datetime, UUID] | None = None, limit: int = HISTORY_PAGE
) -> tuple[SwitchCard, ...]:
    """All switches, newest first; `before` is the key of the last one seen."""
    rows = Switch.objects.filter(tenant_id=actor.tenant_id)
    if before is not None:
        engaged_at, switch_id = before
        rows = rows.filter(engaged_at__lte=engaged_at).exclude(
            engaged_at=engaged_at, pk__gte=switch_id
        )
    return cards(rows.order_by("-engaged_at", "-id")[:limit])


@query
def board(*, actor: Actor, scope: Scope | None = None) -> BoardCard:
    """The whole board; `scope` is what the stop panel is set to."""
    standing = active(actor=actor)
    by_scope = {card.scope: card for card in standing}
    effects = targets.effects(actor.tenant_id)
    listed = targets.targets(actor.tenant_id)
    others = [card for card in standing if card.scope not in {one.scope for one in listed}]
    rows = (*listed, *(Target(scope=card.scope, label=card.scope.value) for card in others))
    return BoardCard(
        standing=standing,
        levers=tuple(
            LeverCard(
                target=target,
                effect=effects.get(target.scope, NOTHING),
                switch=by_scope.get(target.scope),
            )
            for target in rows
        ),
        workers=_workers(),
        panel=_panel(actor, scope, effects, by_scope),
        history=history(actor=actor, limit=HISTORY_ON_BOARD),
        epoch=permits.current_epoch(),
        as_of=clock.now(),
    )


def _panel(
    actor: Actor,
    scope: Scope | None,
    effects: Mapping[Scope, Effect],
    by_scope: Mapping[Scope, SwitchCard],
) -> PanelCard:
    if scope is None:
        return PanelCard(scope=None, effect=effects[targets.TENANT], switch=None, empty=False)
    if scope.kind is ScopeKind.RUN:
        effect = targets.effect_on_run(actor.tenant_id, UUID(scope.value))
    else:
        effect = effects.get(scope, NOTHING)
    counts = (effect.live_runs, effect.executing_calls, effect.open_proposals)
    return PanelCard(scope=scope, effect=effect, switch=by_scope.get(scope), empty=not any(counts))


def cards(rows: Iterable[Switch]) -> tuple[SwitchCard, ...]:
    """Make cards; the processes are read once, and only when something stands."""
    found = list(rows)
    alive = _workers() if any(row.released_at is None for row in found) else ()
    at = clock.now() if found else None
    return tuple(row.card(_confirmation(row, alive, at)) for row in found if at is not None)


def _confirmation(row: Switch, alive: tuple[WorkerCard, ...], at: datetime) -> Confirmation:
    return policies.confirmation(
        epoch=row.epoch,
        barrier=row.barrier_at is not None,
        engaged_at=row.engaged_at,
        ended=_ended(row),
        workers=alive,
        at=at,
    )


def _ended(row: Switch) -> Progress | None:
    if row.released_at is not None:
        return Progress.RELEASED
    return Progress.CONFIRMED if row.confirmed_at is not None else None


def _workers() -> tuple[WorkerCard, ...]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT kind, host, pid, applied_epoch,
                floor(extract(epoch FROM clock_timestamp() - seen_at))::int AS silent_s
            FROM {Worker._meta.db_table}
            WHERE seen_at > clock_timestamp() - make_interval(secs => %s)
            ORDER BY kind, host, pid""",  # noqa: S608, SLF001 - the table's own name
            [FORGOTTEN_AFTER_S],
        )
        rows = cursor.fetchall()
    return tuple(
        WorkerCard(
            kind=kind,
            host=host,
            pid=pid,
            applied_epoch=epoch,
            silent_s=max(0, silent_s),
            silent=silent_s >= SILENT_AFTER_S,
        )
        for kind, host, pid, epoch, silent_s in rows
    )
