"""The manual's agent, run as a reader would run it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from approvals import queries
from approvals.states import Choice, DispatchState
from console.shell import handbook
from tests.approvals import outsider as them
from tests.approvals.desk import now, shown, vote
from tests.approvals.outsider import Outsider
from tests.approvals.web import server, until
from tests.cast import Cast

__all__ = ["server"]  # a fixture

PAGE = (handbook.FOLDER / "85-external.md").read_text()


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def cast() -> Cast:
    return them.with_tool()


@pytest.fixture
def outsider(cast: Cast) -> Outsider:
    return them.outsider(cast)


@pytest.fixture
def agent(outsider: Outsider, server: str, tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """Start the agent of the page; it waits for people."""
    program = tmp_path / "agent.py"
    program.write_text(block("python"))
    env = {**os.environ, "SIGNALBOX_URL": server, "SIGNALBOX_KEY": outsider.secret}
    with subprocess.Popen(
        [sys.executable, "-I", str(program)],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.kill()


def decided(cast: Cast, choice: Choice) -> Any:
    """Wait for the agent's proposal and say the same as Ruth would."""
    until(lambda: bool(queries.live_outside(actor=cast.system)))
    found = them.named(queries.live_outside(actor=cast.system)[0])
    vote(shown(now(cast, found).card, cast.ruth), cast.ruth, choice)
    return found


class TestTheAgentOfTheManual:
    def test_makes_the_change_once_people_agreed(
        self, cast: Cast, agent: "subprocess.Popen[str]"
    ) -> None:
        found = decided(cast, Choice.APPROVE)

        said, wrong = agent.communicate(timeout=30)

        assert (agent.returncode, wrong) == (0, "")
        assert "+1 555 0100" in said
        dispatch = now(cast, found).dispatch
        assert dispatch is not None
        assert dispatch.state is DispatchState.SUCCEEDED

    def test_leaves_it_when_they_did_not(self, cast: Cast, agent: "subprocess.Popen[str]") -> None:
        decided(cast, Choice.REJECT)

        said, wrong = agent.communicate(timeout=30)

        assert (agent.returncode, said) == (1, "")
        assert wrong.startswith("People rejected it; the change was not made. Reason: ")


class TestThePage:
    def test_shows_a_request_that_is_taken(self, outsider: Outsider) -> None:
        sent = json.loads(block("").partition("-d '")[2].partition("'")[0])

        assert outsider.post("proposals", sent).status_code == 201

    def test_is_in_the_manual(self) -> None:
        page = handbook.pages()["external"]

        assert page.title == "Connect an external agent"
        assert "urllib" in page.html
