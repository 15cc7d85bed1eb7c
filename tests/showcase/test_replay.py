"""The replay itself: that it counts what happened, and notices what should not have."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from agents.controls import commands as controls
from agents.controls.cards import Scope
from agents.controls.states import ScopeKind
from agents.showcase.replay import player, report, stage, tasks
from agents.showcase.replay.tasks import BadTasks, Task
from agents.showcase.retail import commands, queries
from approvals.states import Choice
from console.kernel.errors import ConsoleError
from tests.showcase.outcomes import DATA, initial_digest

TIER_1, TIER_2 = "return_delivered_order_items", "cancel_pending_order"


@pytest.fixture
def theatre() -> stage.Stage:
    return stage.set_up()


def natural(*ids: str) -> tuple[Task, ...]:
    found = tasks.load(DATA / "tasks.json", DATA / "expected.json")
    return tuple(task for task in found if task.id in ids)


def bulk() -> tuple[Task, ...]:
    return tasks.load(DATA / "bulk_tasks.jsonl", None)


def one_write(name: str) -> Task:
    """Return the first task that is nothing but one applied write of that tool."""
    return next(
        task for task in bulk() if [(one.tool, one.ok) for one in task.actions] == [(name, True)]
    )


def mixed() -> tuple[Task, ...]:
    """Return both tiers, lookups, refusals by the shop's own rules, and several writes in a row."""
    refused = next(task for task in bulk() if not all(one.ok for one in task.actions))
    longest = max(bulk(), key=lambda task: task.writes_applied)
    singles = [one_write(name) for name in (TIER_1, TIER_2)]
    return (*natural("5", "46", "111"), *singles, refused, longest)


def silent(_line: str) -> None:
    return None


class TestReplay:
    def test_reaches_every_state_and_leaves_the_shop_as_it_was(self, theatre: stage.Stage) -> None:
        chosen = mixed()

        found = report.replay(theatre, chosen, told=silent)

        assert found.failures == []
        assert found.holds
        assert found.states == found.composed == found.rejected == len(chosen)
        assert found.calls == sum(len(task.actions) for task in chosen)
        assert found.applied == sum(task.writes_applied for task in chosen)
        assert found.refused == sum(not one.ok for task in chosen for one in task.actions)
        assert found.two_person > 0
        assert found.early == 0
        assert queries.state_digest(actor=theatre.keeper) == initial_digest()

    def test_notices_each_expectation_that_does_not_hold(self, theatre: stage.Stage) -> None:
        task = one_write(TIER_1)
        wrong = (
            replace(task, state_sha256="0" * 64),
            replace(task, changes={}),
            replace(task, writes_applied=2),
            replace(task, actions=(replace(task.actions[0], ok=False, error="No"),)),
        )
        for one in wrong:
            heard: list[str] = []

            found = report.replay(theatre, (one,), told=heard.append)

            assert not found.holds
            assert found.failures == heard
            assert found.rejected == 1
            assert queries.state_digest(actor=theatre.keeper) == initial_digest()


class TestPlay:
    def test_never_runs_a_two_person_write_on_one_vote(self, theatre: stage.Stage) -> None:
        played = player.play(theatre, one_write(TIER_2), Choice.APPROVE)

        assert (played.applied, played.waited, played.early) == (1, 1, 0)

    def test_runs_nothing_that_people_rejected(self, theatre: stage.Stage) -> None:
        for task in (one_write(TIER_1), one_write(TIER_2)):
            played = player.play(theatre, task, Choice.REJECT)

            assert played.held == 1
            assert played.applied == 0
            assert [ok for ok, _ in played.results] == [False] * len(task.actions)
        assert queries.state_digest(actor=theatre.keeper) == initial_digest()

    def test_says_so_if_a_switch_stands_against_it(self, theatre: stage.Stage) -> None:
        operator = replace(
            theatre.reviewers[0], permissions=frozenset({"controls.view", "controls.engage"})
        )
        controls.engage(
            actor=operator,
            scope=Scope(kind=ScopeKind.TENANT),
            reason="Testing the replay.",
        )

        with pytest.raises(ConsoleError) as caught:
            player.play(theatre, one_write(TIER_1), Choice.APPROVE)

        assert caught.value.code.startswith(("stop.", "replay."))
        assert queries.state_digest(actor=theatre.keeper) == initial_digest()


class TestWatch:
    def test_sees_every_row_that_was_written(self, theatre: stage.Stage) -> None:
        task = one_write(TIER_1)
        player.play(theatre, task, Choice.APPROVE)

        digest = theatre.watch.digest()

        assert digest == queries.state_digest(actor=theatre.keeper) == task.state_sha256
        changed = {kind: keys for kind, keys in theatre.watch.changed().items() if keys}
        assert changed == {kind: list(keys) for kind, keys in task.changes.items()}
        commands.restore_initial(actor=theatre.keeper, keys=changed)
        assert theatre.watch.digest() == initial_digest()


class TestSetUp:
    def test_gives_each_replay_a_tenant_of_its_own(self, theatre: stage.Stage) -> None:
        other = stage.set_up()

        assert other.keeper.tenant_id != theatre.keeper.tenant_id
        assert len({one.session for one in (*other.reviewers, *theatre.reviewers)}) == 4
        assert other.reviewers[0].groups != other.reviewers[1].groups


class TestReport:
    def test_prints_the_lines_of_the_design(self) -> None:
        small = report.Report(
            tasks=57,
            calls=295,
            applied=86,
            refused=7,
            states=57,
            composed=57,
            rejected=57,
            initial=initial_digest(),
        )
        large = report.Report(
            tasks=249,
            calls=383,
            applied=363,
            refused=20,
            states=249,
            composed=249,
            rejected=249,
            initial=initial_digest(),
        )

        assert small.lines() == [
            "57 tasks   295 calls   86 writes applied   7 calls refused as expected",
            "state 57/57   diffs composed 57/57   all rejected: 57/57 at 5a540acb",
        ]
        assert large.lines() == [
            "249 tasks  383 calls  363 writes applied  20 calls refused as expected",
            "state 249/249   diffs composed 249/249   all rejected: 249/249 at 5a540acb",
        ]

    def test_adds_shares_up(self) -> None:
        one = report.Report(tasks=2, calls=3, states=2, composed=2, rejected=2, initial="a")
        two = report.Report(tasks=1, calls=1, states=1, composed=1, rejected=1, initial="a")

        assert one.plus(two).body()["calls"] == 4
        assert one.plus(two).holds
        assert not one.plus(replace(two, initial="b")).holds
        assert not one.plus(replace(two, early=1)).holds


class TestCommand:
    def test_shares_the_tasks_among_processes(self, tmp_path: Path, capfd: Any) -> None:
        lines = (DATA / "bulk_tasks.jsonl").read_text(encoding="utf-8").splitlines()
        few = tmp_path / "few.jsonl"
        few.write_text("\n".join(lines[:4]), encoding="utf-8")

        call_command("replay_tasks", str(few), "--workers", "2", "--json")

        body = json.loads(capfd.readouterr().out)
        assert body["holds"] is True
        assert body["tasks"] == body["state_reached"] == body["all_rejected_at_initial"] == 4
        assert body["two_person_writes_that_ran_on_one_vote"] == 0

    def test_fails_if_an_expectation_does_not_hold(self, tmp_path: Path) -> None:
        line = json.loads((DATA / "bulk_tasks.jsonl").read_text(encoding="utf-8").split("\n")[0])
        wrong = tmp_path / "wrong.jsonl"
        wrong.write_text(json.dumps({**line, "state_sha256": "0" * 64}), encoding="utf-8")

        with pytest.raises(CommandError, match="Not every expectation holds"):
            call_command("replay_tasks", str(wrong), "--workers", "1")

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("tasks.json", None),
            ("tasks.json", b"\xff\xfe"),
            ("tasks.json", b"{"),
            ("tasks.jsonl", b""),
            ("tasks.jsonl", b'{"id": "1"}'),
            ("tasks.jsonl", b"[1]"),
        ],
    )
    def test_says_in_one_sentence_what_is_wrong_with_a_file(
        self, tmp_path: Path, name: str, content: bytes | None
    ) -> None:
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)

        with pytest.raises(CommandError) as caught:
            call_command("replay_tasks", str(path))

        assert str(caught.value).endswith(".")
        assert "\n" not in str(caught.value)

    def test_needs_the_outcomes_of_the_natural_tasks(self) -> None:
        with pytest.raises(BadTasks, match="--expected"):
            tasks.load(DATA / "tasks.json", None)
