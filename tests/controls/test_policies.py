"""The rules as tables of cases; nothing here touches a database."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from agents.controls import policies
from agents.controls.cards import Engaged, Fields, Scope, WorkerCard
from agents.controls.states import Category, Point, Progress, ScopeKind
from console.kernel.ids import uuid7

# In the names of tests, which have to be the same in every process.
TENANT, RUN = UUID(int=1), UUID(int=2)
FULL = Fields(tenant=TENANT, agent="refunds", tool="refund", tier=2, run=RUN)
AT = datetime(2026, 11, 20, 14, tzinfo=UTC)
H, C, S, Q = Category.HOLD, Category.CONTROLLED, Category.SEVER, Category.QUARANTINE

# operations.md, section 3: what each category still lets through at each point, for a write.
ALLOWED = {
    Point.INTAKE: {Q},
    Point.RUN_ADMIT: {Q},
    Point.STEP_CLAIM: {Q},
    Point.MODEL_CALL: {Q},
    Point.MODEL_STREAM: {H, C, Q},
    Point.TOOL_CALL: set(),
    Point.PROPOSAL_OPEN: {Q},
    Point.PROPOSAL_DISPATCH: set(),
    Point.MESSAGE_SEND: set(),
}


def switch(kind: ScopeKind, value: str = "", category: Category = C, age_s: int = 0) -> Engaged:
    return Engaged(
        id=uuid7(),
        scope=Scope(kind=kind, value=value),
        category=category,
        reason="Why.",
        epoch=7,
        age_s=age_s,
    )


class TestAnswer:
    @pytest.mark.parametrize("point", list(Point))
    @pytest.mark.parametrize("category", list(Category))
    def test_follows_the_table_of_points_and_categories(
        self, point: Point, category: Category
    ) -> None:
        answer = policies.answer(
            point, FULL, [switch(ScopeKind.TENANT, category=category)], epoch=7
        )

        assert answer.allowed is (category in ALLOWED[point])
        assert answer.code == ("" if answer.allowed else "stop.active")
        assert answer.epoch == 7

    def test_lets_reads_go_on_in_quarantine(self) -> None:
        read = Fields(tenant=TENANT, agent="refunds", tool="find", tier=0, run=RUN)

        answer = policies.answer(
            Point.TOOL_CALL, read, [switch(ScopeKind.TENANT, category=Q)], epoch=7
        )

        assert answer.allowed

    def test_takes_a_tool_of_unknown_tier_for_a_write(self) -> None:
        unknown = Fields(tenant=TENANT, agent="refunds", tool="find", run=RUN)

        answer = policies.answer(
            Point.TOOL_CALL, unknown, [switch(ScopeKind.TENANT, category=Q)], epoch=7
        )

        assert not answer.allowed

    @pytest.mark.parametrize(("age_s", "read_s", "allowed"), [(0, 29, True), (20, 10, False)])
    def test_lets_a_stream_drain_for_half_a_minute(
        self, age_s: int, read_s: int, *, allowed: bool
    ) -> None:
        stop = switch(ScopeKind.TENANT, age_s=age_s)

        answer = policies.answer(Point.MODEL_STREAM, FULL, [stop], epoch=7, read_s=read_s)

        assert answer.allowed is allowed

    def test_lets_the_strictest_win(self) -> None:
        stops = [switch(ScopeKind.TENANT, category=category) for category in (Q, S, H, C)]

        answer = policies.answer(Point.MODEL_STREAM, FULL, stops, epoch=7)

        assert answer.category is S
        assert not answer.allowed

    @pytest.mark.parametrize(
        ("kind", "value", "stopped"),
        [
            (ScopeKind.TENANT, "", True),
            (ScopeKind.AGENT, "refunds", True),
            (ScopeKind.AGENT, "refund", False),
            (ScopeKind.TOOL, "refund", True),
            (ScopeKind.TOOL, "refunds", False),
            (ScopeKind.RUN, str(RUN), True),
            (ScopeKind.RUN, str(TENANT), False),
        ],
    )
    def test_matches_exactly_its_scope(self, kind: ScopeKind, value: str, *, stopped: bool) -> None:
        answer = policies.answer(Point.TOOL_CALL, FULL, [switch(kind, value)], epoch=7)

        assert answer.allowed is not stopped

    def test_a_tool_cannot_match_where_no_tool_is_declared(self) -> None:
        answer = policies.answer(
            Point.MODEL_CALL, FULL, [switch(ScopeKind.TOOL, "refund")], epoch=7
        )

        assert answer.allowed

    @pytest.mark.parametrize(
        "fields",
        [
            Fields(tenant=TENANT, agent="", tool="refund", run=RUN),
            Fields(tenant=TENANT, agent="refunds", run=RUN),
            Fields(tenant=TENANT, agent="refunds", tool="refund"),
        ],
    )
    def test_denies_a_question_with_a_declared_field_left_empty(self, fields: Fields) -> None:
        answer = policies.answer(Point.TOOL_CALL, fields, [], epoch=7)

        assert answer.code == "stop.subject_incomplete"


class TestConfirmation:
    @pytest.mark.parametrize(
        ("epochs", "silent_s", "barrier", "after_s", "progress", "confirmed", "of"),
        [
            ((7, 8), 0, True, 1, Progress.CONFIRMED, 2, 2),
            ((7, 6), 0, True, 1, Progress.ORDERED, 1, 2),
            ((7, 6), 0, True, 5, Progress.PARTIAL, 1, 2),
            ((7, 7), 0, False, 9, Progress.PARTIAL, 2, 2),
            ((), 0, True, 1, Progress.ORDERED, 0, 0),
            ((), 0, True, 60, Progress.PARTIAL, 0, 0),
            ((6,), 59, True, 60, Progress.PARTIAL, 0, 1),
            ((6,), 60, True, 60, Progress.PARTIAL, 0, 0),
        ],
    )
    def test_says_no_more_than_is_known(
        self,
        *,
        epochs: tuple[int, ...],
        silent_s: int,
        barrier: bool,
        after_s: int,
        progress: Progress,
        confirmed: int,
        of: int,
    ) -> None:
        workers = [
            WorkerCard(
                kind="worker",
                host="h",
                pid=number,
                applied_epoch=epoch,
                silent_s=silent_s,
                silent=silent_s >= 10,
            )
            for number, epoch in enumerate(epochs)
        ]

        got = policies.confirmation(
            epoch=7,
            barrier=barrier,
            engaged_at=AT,
            ended=None,
            workers=workers,
            at=AT + timedelta(seconds=after_s),
        )

        assert (got.progress, got.confirmed, got.of) == (progress, confirmed, of)
        assert len(got.missing) == of - confirmed

    def test_names_a_silent_process_with_its_silence(self) -> None:
        worker = WorkerCard(
            kind="worker", host="eu-2", pid=9, applied_epoch=6, silent_s=40, silent=True
        )

        got = policies.confirmation(
            epoch=7,
            barrier=True,
            engaged_at=AT,
            ended=None,
            workers=[worker],
            at=AT + timedelta(minutes=1),
        )

        assert got.missing == ("worker eu-2:9, silent 40 s",)
