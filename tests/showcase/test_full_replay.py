"""All 306 tasks through the real tools and the real approval queue, as the command prints it."""

import io

import pytest
from django.core.management import call_command

from tests.showcase.outcomes import DATA

NATURAL = """\
57 tasks   295 calls   86 writes applied   7 calls refused as expected
state 57/57   diffs composed 57/57   all rejected: 57/57 at 5a540acb
"""
BULK = """\
249 tasks  383 calls  363 writes applied  20 calls refused as expected
state 249/249   diffs composed 249/249   all rejected: 249/249 at 5a540acb
"""


class TestReplayTasks:
    @pytest.mark.parametrize(
        ("tasks", "expected", "printed"),
        [("tasks.json", "expected.json", NATURAL), ("bulk_tasks.jsonl", "", BULK)],
    )
    def test_prints_full_marks(self, tasks: str, expected: str, printed: str) -> None:
        said = io.StringIO()
        outcomes = ["--expected", str(DATA / expected)] if expected else []

        call_command("replay_tasks", str(DATA / tasks), *outcomes, "--workers", "2", stdout=said)

        assert said.getvalue() == printed
