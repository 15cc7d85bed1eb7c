"""The data set's tasks with the outcomes that its authors computed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[1] / "data" / "tau_retail"


@dataclass(frozen=True, kw_only=True)
class Task:
    id: str
    user_id: str
    actions: list[dict[str, Any]]
    results: list[dict[str, Any]]
    state_sha256: str
    changes: dict[str, Any]

    @property
    def applied(self) -> int:
        return sum(one["ok"] for one in self.results if one["kind"] == "write")


@cache
def initial_digest() -> str:
    found: str = json.loads((DATA / "expected.json").read_bytes())["initial_state_sha256"]
    return found


@cache
def natural() -> tuple[Task, ...]:
    tasks = json.loads((DATA / "tasks.json").read_bytes())
    expected = {
        one["id"]: one for one in json.loads((DATA / "expected.json").read_bytes())["tasks"]
    }
    return tuple(_task(one, expected[one["id"]]) for one in tasks)


@cache
def bulk() -> tuple[Task, ...]:
    lines = (DATA / "bulk_tasks.jsonl").read_text(encoding="utf-8").splitlines()
    tasks = [json.loads(line) for line in lines if line]
    return tuple(_task(one, one) for one in tasks)


def _task(task: Mapping[str, Any], outcome: Mapping[str, Any]) -> Task:
    return Task(
        id=task["id"],
        user_id=task["user_id"],
        actions=task["actions"],
        results=outcome["results"],
        state_sha256=outcome["state_sha256"],
        changes=outcome["changes"],
    )
