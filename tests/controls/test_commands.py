from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, ProgrammingError, connection

from agents.controls import commands, permits, queries
from agents.controls.cards import Fields, Scope, SwitchCard
from agents.controls.errors import (
    AlreadyReleased,
    AlreadyStopped,
    BadScope,
    PeopleOnly,
    ReasonNeeded,
    SecondPersonNeeded,
    Stopped,
)
from agents.controls.states import Category, Point, Progress, ScopeKind
from agents.runtime.commands import register_agent
from console.accounts.commands import give_grant
from console.kernel import clock
from console.kernel.actors import Actor, ActorKind, system
from console.kernel.errors import NotAllowed, NotFound
from console.kernel.ids import uuid7
from console.kernel.models import OutboxRow
from console.kernel.transactions import in_tenant
from tests.cast import Cast
from tests.controls.conftest import Crew, recorded

REFUNDS = Scope(kind=ScopeKind.AGENT, value="refunds")
TENANT = Scope(kind=ScopeKind.TENANT)


def stop(actor: Actor, scope: Scope = REFUNDS, reason: str = "Wrong currency.") -> SwitchCard:
    return commands.engage(actor=actor, scope=scope, reason=reason)


def ask(tenant: UUID, *, agent: str = "refunds", point: Point = Point.RUN_ADMIT) -> bool:
    """Ask as a guarded transaction does."""
    fields = Fields(tenant=tenant, agent=agent, tool="cancel_order", tier=2, run=uuid7())
    with in_tenant(tenant):
        return permits.permitted(point, fields, guard=True).allowed


class TestEngage:
    def test_leaves_switch_epoch_event_and_hint_in_one_transaction(self, crew: Crew) -> None:
        before = _epoch()

        card = stop(crew.omar)

        assert card.scope == REFUNDS
        assert card.category is Category.CONTROLLED
        assert card.engaged_by == "Omar"
        assert card.epoch > before
        assert card.barrier_at is not None
        (event,) = recorded(crew.tenant, "switch.engaged")
        assert event["reason"] == "Wrong currency."
        hints = OutboxRow.objects.filter(tenant_id=crew.tenant, kind="hint", target="controls")
        assert hints.count() == 1

    def test_refuses_every_later_guarded_question_in_scope(self, crew: Crew) -> None:
        assert ask(crew.tenant)

        stop(crew.omar)

        assert not ask(crew.tenant)
        assert ask(crew.tenant, agent="support")

    def test_does_not_touch_another_tenant(self, crew: Crew) -> None:
        stop(crew.omar, TENANT)

        assert ask(uuid7())

    def test_undoes_everything_when_the_transaction_fails(self, crew: Crew) -> None:
        def stop_and_fail() -> None:
            with in_tenant(crew.tenant):
                stop(crew.omar)
                raise LookupError("something else of the transaction")

        with pytest.raises(LookupError):
            stop_and_fail()

        assert queries.active(actor=crew.omar) == ()
        assert recorded(crew.tenant) == []
        assert ask(crew.tenant)

    def test_needs_the_permission(self, crew: Crew) -> None:
        with pytest.raises(NotAllowed) as refused:
            stop(crew.ruth)

        assert refused.value.details["permission"] == "controls.engage"
        assert recorded(crew.tenant) == []

    @pytest.mark.parametrize("kind", [ActorKind.KEY, ActorKind.AGENT])
    def test_refuses_keys_and_agents_whatever_they_hold(self, crew: Crew, kind: ActorKind) -> None:
        machine = Actor(
            tenant_id=crew.tenant,
            kind=kind,
            id="m",
            label="m",
            permissions=crew.omar.permissions,
        )

        with pytest.raises(PeopleOnly):
            stop(machine)

    def test_takes_the_product_itself_without_permissions(self, crew: Crew) -> None:
        card = stop(system("cli.stop", crew.tenant))

        assert card.engaged_by == "cli.stop"

    @pytest.mark.parametrize(
        "scope",
        [
            Scope(kind=ScopeKind.AGENT),
            Scope(kind=ScopeKind.TENANT, value="all"),
            Scope(kind=ScopeKind.TOOL, value=" cancel "),
            Scope(kind=ScopeKind.TOOL, value="x" * 121),
            Scope(kind=ScopeKind.AGENT, value="a\x00b"),
            Scope(kind=ScopeKind.AGENT, value="a\u202eb"),
            Scope(kind=ScopeKind.RUN, value="not-a-run"),
        ],
    )
    def test_refuses_a_scope_that_says_nothing_or_too_much(self, crew: Crew, scope: Scope) -> None:
        with pytest.raises(BadScope):
            stop(crew.omar, scope)

        assert queries.active(actor=crew.omar) == ()

    @pytest.mark.parametrize("reason", ["", "   ", "x" * 401, "a\x00b"])
    def test_needs_a_reason(self, crew: Crew, reason: str) -> None:
        with pytest.raises(ReasonNeeded):
            stop(crew.omar, reason=reason)

    def test_refuses_a_second_stop_of_the_same_scope(self, crew: Crew) -> None:
        first = stop(crew.omar)

        with pytest.raises(AlreadyStopped) as refused:
            stop(crew.dana)

        assert refused.value.details["switch_id"] == str(first.id)
        assert len(queries.active(actor=crew.omar)) == 1

    def test_commits_without_a_barrier_while_a_guarded_transaction_stays_open(
        self, crew: Crew, another_session: Any
    ) -> None:
        with another_session(crew.tenant):  # holds the stop lock in shared mode
            card = stop(crew.omar)

            assert card.barrier_at is None
            assert card.confirmation.progress is Progress.ORDERED
        assert not ask(crew.tenant)

    def test_lets_no_field_of_a_stop_be_altered(self, crew: Crew) -> None:
        card = stop(crew.omar)

        with (
            pytest.raises(ProgrammingError, match="permission denied"),
            in_tenant(crew.tenant),
            connection.cursor() as cursor,
        ):
            cursor.execute("UPDATE controls_switch SET reason = 'x' WHERE id = %s", [card.id])

    def test_shows_nothing_to_another_tenant(self, crew: Crew) -> None:
        card = stop(crew.omar)
        stranger = system("test", uuid7())

        assert queries.active(actor=stranger) == ()
        with pytest.raises(NotFound):
            queries.switch(actor=stranger, switch_id=card.id)


class TestRelease:
    def test_lifts_the_stop_with_a_reason_and_a_new_epoch(self, crew: Crew) -> None:
        card = stop(crew.omar)

        lifted = commands.release(actor=crew.omar, switch_id=card.id, reason="Currency fixed.")

        assert lifted.released_by == "Omar"
        assert ask(crew.tenant)
        (event,) = recorded(crew.tenant, "switch.released")
        assert event["reason"] == "Currency fixed."
        assert _epoch() > card.epoch

    def test_of_a_tenant_takes_two_people_besides_the_one_who_stopped(self, crew: Crew) -> None:
        card = stop(crew.omar, TENANT)

        asked = commands.release(actor=crew.dana, switch_id=card.id, reason="All is well.")
        assert asked.released_at is None
        assert asked.asked_by == "Dana"
        assert not ask(crew.tenant)
        for nobody in (crew.dana, crew.omar):
            with pytest.raises(SecondPersonNeeded):
                commands.release(actor=nobody, switch_id=card.id, reason="Now, please.")

        lifted = commands.release(actor=crew.olga, switch_id=card.id, reason="Checked.")
        assert lifted.released_by == "Olga"
        assert ask(crew.tenant)

    def test_by_one_person_of_a_tenant_is_refused_by_the_table_too(self, crew: Crew) -> None:
        card = stop(crew.omar, TENANT)

        with (
            pytest.raises(IntegrityError, match="switch_tenant_release_by_second_person"),
            in_tenant(crew.tenant),
            connection.cursor() as cursor,
        ):
            cursor.execute(
                "UPDATE controls_switch SET released_at = now(), released_by_id = %s,"
                " release_epoch = 1, release_reason = 'x' WHERE id = %s",
                [crew.omar.id, card.id],
            )

    def test_needs_permission_reason_and_a_person(self, crew: Crew) -> None:
        card = stop(crew.omar)

        with pytest.raises(NotAllowed):
            commands.release(actor=crew.ruth, switch_id=card.id, reason="No.")
        with pytest.raises(ReasonNeeded):
            commands.release(actor=crew.omar, switch_id=card.id, reason=" ")
        with pytest.raises(PeopleOnly):
            commands.release(
                actor=system("cli.stop", crew.tenant), switch_id=card.id, reason="Why not."
            )
        assert not ask(crew.tenant)

    def test_happens_once(self, crew: Crew) -> None:
        card = stop(crew.omar)
        commands.release(actor=crew.omar, switch_id=card.id, reason="Fixed.")

        with pytest.raises(AlreadyReleased):
            commands.release(actor=crew.omar, switch_id=card.id, reason="Again.")

    def test_finds_nothing_of_another_tenant(self, crew: Crew) -> None:
        card = stop(crew.omar)
        mallory = Actor(
            tenant_id=uuid7(),
            kind=ActorKind.PERSON,
            id="m",
            label="Mallory",
            permissions=crew.omar.permissions,
        )

        with pytest.raises(NotFound):
            commands.release(actor=mallory, switch_id=card.id, reason="Mine now.")
        assert not ask(crew.tenant)

    def test_lets_the_same_scope_be_stopped_again(self, crew: Crew) -> None:
        card = stop(crew.omar)
        commands.release(actor=crew.omar, switch_id=card.id, reason="Fixed.")

        stop(crew.dana)

        assert not ask(crew.tenant)


class TestConfirmStops:
    def test_confirms_when_every_live_process_has_the_epoch(self, crew: Crew) -> None:
        card = stop(crew.omar)
        _only_worker(epoch=card.epoch)

        left = commands.confirm_stops(actor=system("pulse.controls", crew.tenant))

        assert left == 0
        (now,) = queries.active(actor=crew.omar)
        assert now.confirmed_at is not None
        assert now.confirmation.progress is Progress.CONFIRMED
        assert recorded(crew.tenant, "switch.confirmed")

    def test_never_confirms_with_no_process_listening(self, crew: Crew) -> None:
        stop(crew.omar)
        _only_worker(epoch=None)

        assert commands.confirm_stops(actor=system("pulse.controls", crew.tenant)) == 1
        assert recorded(crew.tenant, "switch.confirmed") == []

    def test_names_once_who_has_not_confirmed_after_five_seconds(self, crew: Crew) -> None:
        card = stop(crew.omar)
        _only_worker(epoch=card.epoch - 1)
        pulse = system("pulse.controls", crew.tenant)

        with clock.frozen(card.engaged_at + timedelta(seconds=4)):
            commands.confirm_stops(actor=pulse)
        assert recorded(crew.tenant, "switch.unconfirmed") == []
        with clock.frozen(card.engaged_at + timedelta(seconds=5)):
            commands.confirm_stops(actor=pulse)
            commands.confirm_stops(actor=pulse)
            (now,) = queries.active(actor=crew.omar)

        (event,) = recorded(crew.tenant, "switch.unconfirmed")
        assert event["bind"]["missing"] == ["worker slow:1"]
        assert now.confirmation.progress is Progress.PARTIAL

    def test_sets_the_barrier_that_the_stop_could_not_get(
        self, crew: Crew, another_session: Any
    ) -> None:
        with another_session(crew.tenant):
            stop(crew.omar)

        commands.confirm_stops(actor=system("pulse.controls", crew.tenant))

        (now,) = queries.active(actor=crew.omar)
        assert now.barrier_at is not None
        assert recorded(crew.tenant, "switch.barrier_set")


class TestPermittedAfterEngage:
    def test_refuses_with_switch_reason_and_epoch(self, crew: Crew) -> None:
        card = stop(crew.omar)
        fields = Fields(tenant=crew.tenant, agent="refunds", run=uuid7())

        with pytest.raises(Stopped) as refused, in_tenant(crew.tenant):
            permits.require_permitted(Point.MODEL_CALL, fields, guard=True)

        assert refused.value.status == 409
        assert refused.value.code == "stop.active"
        assert refused.value.details["switch_id"] == str(card.id)
        assert refused.value.details["reason"] == "Wrong currency."
        assert int(str(refused.value.details["epoch"])) >= card.epoch
        assert "Wrong currency." in refused.value.message


def _epoch() -> int:
    return permits.current_epoch()


def _only_worker(*, epoch: int | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM controls_worker")
        if epoch is not None:
            cursor.execute(
                "INSERT INTO controls_worker (kind, host, pid, applied_epoch)"
                " VALUES ('worker', 'slow', 1, %s)",
                [epoch],
            )


class TestRightOnOneAgent:
    def test_stops_that_agent_and_nothing_else(self, cast: Cast) -> None:
        vera = cast.add("vera", roles=("auditor",))
        agent_id = register_agent(actor=cast.system, slug="refunds", title="Refunds")
        register_agent(actor=cast.system, slug="support", title="Support")
        give_grant(actor=cast.noor, person_id=UUID(vera.id), kind="agent", object_id=agent_id)

        card = stop(vera)

        assert card.engaged_by == "Vera"
        others = [
            Scope(kind=ScopeKind.AGENT, value="support"),
            Scope(kind=ScopeKind.AGENT, value="unknown"),
            Scope(kind=ScopeKind.TOOL, value="refund"),
            TENANT,
        ]
        for scope in others:
            with pytest.raises(NotAllowed):
                stop(vera, scope)
        with pytest.raises(NotAllowed):
            commands.release(actor=vera, switch_id=card.id, reason="Why not.")
