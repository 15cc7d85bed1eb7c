"""Adding up a replay: what was expected, what came, and the lines that say so."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from agents.showcase.replay import player
from agents.showcase.replay.player import Played
from agents.showcase.replay.stage import Stage
from agents.showcase.replay.tasks import Task
from agents.showcase.retail import commands as shop
from agents.showcase.retail import images, queries
from approvals.states import Choice


@dataclass(slots=True, kw_only=True)
class Report:
    """The tally of one replay; `failures` names each expectation that did not hold."""

    tasks: int
    calls: int = 0
    applied: int = 0
    refused: int = 0  # as expected, by the shop's own rules
    states: int = 0
    composed: int = 0
    rejected: int = 0
    held: int = 0
    two_person: int = 0
    early: int = 0
    initial: str = ""
    failures: list[str] = field(default_factory=list)

    def plus(self, other: "Report") -> "Report":
        """Return the tally of two shares of the same tasks."""
        mine, theirs = asdict(self), asdict(other)
        sums = {name: mine[name] + theirs[name] for name in mine if name != "initial"}
        if self.initial != other.initial:
            sums["failures"].append("two untouched shops have different states")
        return Report(**sums, initial=self.initial)

    @property
    def holds(self) -> bool:
        full = self.states == self.composed == self.rejected == self.tasks
        return full and not self.failures and not self.early

    def lines(self) -> list[str]:
        tasks, calls = f"{self.tasks} tasks", f"{self.calls} calls"
        return [
            (
                f"{tasks:<9}  {calls:<9}  {self.applied:>3} writes applied  "
                f"{self.refused:>2} calls refused as expected"
            ),
            (
                f"state {self.states}/{self.tasks}   diffs composed {self.composed}/{self.tasks}   "
                f"all rejected: {self.rejected}/{self.tasks} at {self.initial[:8]}"
            ),
        ]

    def body(self) -> dict[str, Any]:
        return {
            "tasks": self.tasks,
            "calls": self.calls,
            "writes_applied": self.applied,
            "calls_refused_as_expected": self.refused,
            "state_reached": self.states,
            "diffs_composed": self.composed,
            "all_rejected_at_initial": self.rejected,
            "initial_state_sha256": self.initial,
            "proposals_decided": self.held,
            "two_person_writes_that_waited_on_one_vote": self.two_person,
            "two_person_writes_that_ran_on_one_vote": self.early,
            "failures": self.failures,
            "holds": self.holds,
        }


def replay(stage: Stage, tasks: tuple[Task, ...], *, told: Callable[[str], None]) -> Report:
    """Play every task twice, once approving and once rejecting each write, from the initial state.

    Args:
        told: gets one line for each expectation that does not hold, at once.
    """
    report = Report(tasks=len(tasks), initial=stage.initial)

    def fail(task: Task, sentence: str) -> None:
        report.failures.append(f"task {task.id}: {sentence}")
        told(report.failures[-1])

    for task in tasks:
        _approve(stage, task, report, fail)
    for task in tasks:
        # After all approvals, because what people rejected once is not asked for again for a day.
        _reject(stage, task, report, fail)
    if queries.state_digest(actor=stage.keeper) != stage.initial:
        report.failures.append("the shop as a whole is not in its initial state at the end")
    return report


Fail = Callable[[Task, str], None]


def _approve(stage: Stage, task: Task, report: Report, fail: Fail) -> None:
    played = player.play(stage, task, Choice.APPROVE)
    report.calls += len(played.results)
    report.applied += played.applied
    report.held += played.held
    report.two_person += played.waited
    report.early += played.early
    _compare_results(task, played, report, fail)
    if stage.watch.digest() == task.state_sha256 and played.applied == task.writes_applied:
        report.states += 1
    else:
        fail(task, "the state after all approvals is another one than expected.")
    if images.composed(played.steps) == task.changes:
        report.composed += 1
    else:
        fail(task, "the diffs that people saw do not compose to the expected changes.")
    _reset(stage, task, fail)


def _compare_results(task: Task, played: Played, report: Report, fail: Fail) -> None:
    if len(played.results) != len(task.actions):
        fail(task, f"{len(played.results)} of {len(task.actions)} calls were made.")
    for action, (ok, message) in zip(task.actions, played.results, strict=False):
        if ok != action.ok or not message.startswith(action.error):
            fail(task, f"{action.tool} ended as {message or 'done'!r}.")
        elif not ok:
            report.refused += 1


def _reject(stage: Stage, task: Task, report: Report, fail: Fail) -> None:
    played = player.play(stage, task, Choice.REJECT)
    report.held += played.held
    if stage.watch.digest() == stage.initial and played.applied == 0:
        report.rejected += 1
    else:
        fail(task, "something changed although people rejected every write.")
        _reset(stage, task, fail)


def _reset(stage: Stage, task: Task, fail: Fail) -> None:
    """Put the touched records back and make sure that the shop is as it was."""
    shop.restore_initial(actor=stage.keeper, keys=dict(stage.watch.changed()))
    if stage.watch.digest() != stage.initial:
        fail(task, "the shop could not be put back to its initial state.")
