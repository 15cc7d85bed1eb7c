"""The data set's tasks with the outcomes that its authors computed; its README has the recipe."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from console.kernel.errors import ConsoleError, Refusal


class BadTasks(ConsoleError):
    """A file does not hold tasks with outcomes."""

    code: ClassVar[str] = "replay.bad_tasks"
    kind: ClassVar[Refusal] = Refusal.INVALID


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One reference action, and what it is expected to end in."""

    tool: str
    args: Mapping[str, Any]
    ok: bool
    error: str  # the words with which a refusal is expected to begin


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What one customer wants, as calls; `changes` is what they make of the shop, in cents."""

    id: str
    user_id: str
    said: str
    actions: tuple[Action, ...]
    writes_applied: int
    state_sha256: str
    changes: Mapping[str, Any]


def load(path: Path, expected: Path | None) -> tuple[Task, ...]:
    """Read tasks, either with their outcomes inline (JSON Lines) or in a second file.

    Raises:
        BadTasks: a file is missing, is no JSON, or lacks what a replay needs.
    """
    if expected is None:
        lines = _read(path).splitlines()
        pairs = [(task, task) for task in (_parsed(path, line) for line in lines if line.strip())]
    else:
        outcomes = {one.get("id"): one for one in _parsed(expected, _read(expected))["tasks"]}
        pairs = [(task, outcomes.get(task.get("id"))) for task in _parsed(path, _read(path))]
    if not pairs:
        raise BadTasks(f"{path.name} holds no task; name a file of the data set.")
    return tuple(_task(path, task, outcome) for task, outcome in pairs)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadTasks(f"{path} cannot be read; name a file of the data set.") from error


def _parsed(path: Path, text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise BadTasks(
            f"{path.name} is not of the expected form; a list of tasks needs --expected with their "
            "outcomes, a .jsonl file has them inline."
        ) from error


def _task(path: Path, task: Mapping[str, Any], outcome: Mapping[str, Any] | None) -> Task:
    if outcome is None:
        raise BadTasks(f"Task {task.get('id')} has no outcome; use the expected.json beside it.")
    try:
        results = outcome["results"]
        return Task(
            id=task["id"],
            user_id=task["user_id"],
            said=_said(task),
            actions=tuple(
                Action(
                    tool=action["name"],
                    args=action["arguments"],
                    ok=result["ok"],
                    error=result.get("error", ""),
                )
                for action, result in zip(task["actions"], results, strict=True)
            ),
            writes_applied=outcome["writes_applied"],
            state_sha256=outcome["state_sha256"],
            changes=outcome["changes"],
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadTasks(
            f"{path.name} lacks outcomes, or they belong to other tasks; give --expected for "
            "tasks.json, or use bulk_tasks.jsonl."
        ) from error


def _said(task: Mapping[str, Any]) -> str:
    scenario = task.get("scenario", {})
    return str(task.get("instruction") or scenario.get("reason_for_call") or "(no words)")
