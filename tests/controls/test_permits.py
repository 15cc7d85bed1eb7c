from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connection
from django.db.utils import OperationalError

from agents.controls import commands, permits
from agents.controls.cards import Answer, Fields, Scope
from agents.controls.errors import HostStopped, StopStateUnavailable, StopSubjectIncomplete
from agents.controls.states import Point, ScopeKind
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant
from tests.controls.conftest import Crew

REFUNDS = Scope(kind=ScopeKind.AGENT, value="refunds")


class Clock:
    """The boot clock, turned by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def boot(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(permits, "_boot", clock)
    return clock


@pytest.fixture
def unplugged() -> Iterator[None]:
    """Every statement fails, as it does without a database."""

    def refuse(*_args: object) -> None:
        raise OperationalError("the database is away")

    with connection.execute_wrapper(refuse):
        yield


def ask(tenant: UUID) -> Answer:
    return permits.permitted(Point.INTAKE, Fields(tenant=tenant, agent="refunds"), guard=False)


class TestCached:
    def test_sees_a_stop_at_most_a_second_later(self, crew: Crew, boot: Clock) -> None:
        assert ask(crew.tenant).allowed
        commands.engage(actor=crew.omar, scope=REFUNDS, reason="Wrong currency.")

        boot.now += 1.1

        assert not ask(crew.tenant).allowed

    def test_sees_it_at_once_after_the_tick(self, crew: Crew, boot: Clock) -> None:
        assert ask(crew.tenant).allowed
        card = commands.engage(actor=crew.omar, scope=REFUNDS, reason="Wrong currency.")

        permits.note_epoch(card.epoch)

        assert not ask(crew.tenant).allowed

    def test_lives_on_fresh_state_without_the_database(
        self, crew: Crew, boot: Clock, unplugged: None
    ) -> None:
        answer = ask(crew.tenant)

        assert not answer.allowed
        assert answer.code == "stop.state_unavailable"

    @pytest.mark.parametrize(("age_s", "allowed"), [(0.9, True), (4.9, True), (5.1, False)])
    def test_denies_when_nothing_could_be_read_for_five_seconds(
        self, crew: Crew, boot: Clock, age_s: float, *, allowed: bool
    ) -> None:
        assert ask(crew.tenant).allowed
        boot.now += age_s

        def refuse(*_args: object) -> None:
            raise OperationalError("the database is away")

        with connection.execute_wrapper(refuse):
            assert ask(crew.tenant).allowed is allowed

    def test_starts_anew_in_a_forked_child(self, crew: Crew, boot: Clock) -> None:
        assert ask(crew.tenant).allowed
        commands.engage(actor=crew.omar, scope=REFUNDS, reason="Wrong currency.")

        permits.forget()  # registered to run after a fork

        assert not ask(crew.tenant).allowed


class TestGuarded:
    def test_belongs_into_the_transaction_of_its_tenant(self, crew: Crew) -> None:
        fields = Fields(tenant=crew.tenant, agent="refunds", run=uuid7())

        with pytest.raises(RuntimeError, match="transaction of its tenant"):
            permits.permitted(Point.RUN_ADMIT, fields, guard=True)

    def test_gives_the_epoch_for_the_row_of_the_effect(self, crew: Crew) -> None:
        fields = Fields(tenant=crew.tenant, agent="refunds", run=uuid7())

        with in_tenant(crew.tenant):
            answer = permits.permitted(Point.RUN_ADMIT, fields, guard=True)

        assert answer.allowed
        assert answer.epoch == permits.current_epoch()

    def test_may_neither_linger_nor_run_long(self, crew: Crew) -> None:
        fields = Fields(tenant=crew.tenant, agent="refunds", run=uuid7())

        with in_tenant(crew.tenant), connection.cursor() as cursor:
            permits.permitted(Point.RUN_ADMIT, fields, guard=True)
            cursor.execute(
                "SELECT current_setting('idle_in_transaction_session_timeout'),"
                " current_setting('statement_timeout')"
            )
            inside = cursor.fetchone()
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('idle_in_transaction_session_timeout')")
            outside = cursor.fetchone()

        assert inside == ("2s", "5s")
        assert outside != ("2s",)


class TestRequirePermitted:
    def test_refuses_a_question_that_leaves_out_its_subject(self, crew: Crew) -> None:
        with pytest.raises(StopSubjectIncomplete), in_tenant(crew.tenant):
            permits.require_permitted(
                Point.TOOL_CALL, Fields(tenant=crew.tenant, agent="refunds"), guard=True
            )

    def test_says_503_when_the_state_cannot_be_read(
        self, crew: Crew, boot: Clock, unplugged: None
    ) -> None:
        fields = Fields(tenant=crew.tenant, agent="refunds")

        with pytest.raises(StopStateUnavailable) as refused:
            permits.require_permitted(Point.INTAKE, fields, guard=False)

        assert refused.value.status == 503


class TestStopFile:
    @pytest.fixture(autouse=True)
    def elsewhere(self, settings: object, tmp_path: Path) -> Path:
        path = tmp_path / "STOP"
        settings.SIGNALBOX_STOP_FILE = path  # type: ignore[attr-defined]
        return path

    def test_stops_this_host_without_a_database(
        self, crew: Crew, boot: Clock, elsewhere: Path, unplugged: None
    ) -> None:
        elsewhere.write_text("sever\n")

        with pytest.raises(HostStopped) as refused:
            permits.require_permitted(
                Point.INTAKE, Fields(tenant=crew.tenant, agent="refunds"), guard=False
            )

        assert refused.value.details["category"] == "sever"

    def test_is_seen_within_a_quarter_of_a_second_and_removing_it_is_the_reset(
        self, crew: Crew, boot: Clock, elsewhere: Path
    ) -> None:
        assert ask(crew.tenant).allowed
        elsewhere.touch()
        boot.now += 0.26
        assert not ask(crew.tenant).allowed
        elsewhere.unlink()
        boot.now += 0.26
        assert ask(crew.tenant).allowed
