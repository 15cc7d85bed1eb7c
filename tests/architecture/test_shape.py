"""The shape budgets: files, functions, templates and READMEs stay small enough to be read."""

import ast
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, functions, name_of, parsed, python_files

FILE, FUNCTION, TEMPLATE, ELEMENT, COMPONENT_CSS, README = 400, 60, 150, 80, 120, 150
TOP_LEVEL = {
    "manage.py", "pyproject.toml", "docker-compose.yml", "console", "approvals", "audit", "costs",
    "agents", "templates", "static", "tests", "README.md", "LICENSE", "CHANGELOG.md", "Makefile",
    "Dockerfile", "requirements.lock", "requirements-dev.lock", "deploy",
}  # fmt: skip
NOT_LANDED = {"__pycache__", "node_modules"}
# Files over a budget, each with its reason; the list may only shrink.
EXCEPTIONS: dict[str, str] = {}


def lines_of(text: str) -> int:
    return sum(1 for line in text.splitlines() if line.strip())


def every_line_of(text: str) -> int:
    """Return what `wc -l` says, which is what a reader has to scroll through."""
    return text.count("\n")


def over(paths: list[Path], most: int) -> list[str]:
    count = every_line_of if most == FILE else lines_of
    found = [(name_of(path), count(path.read_text())) for path in paths]
    return [f"{name}: {n} > {most}" for name, n in found if n > most and name not in EXCEPTIONS]


class TestBudgets:
    def test_python_files(self) -> None:
        tests = sorted((ROOT / "tests").rglob("*.py"))
        assert over(python_files() + tests, FILE) == []

    def test_functions(self) -> None:
        long = []
        for path in python_files():
            for node in functions(path):
                first = node.body[0]
                has_docstring = isinstance(first, ast.Expr) and isinstance(
                    first.value, ast.Constant
                )
                text = path.read_text().splitlines()
                start = (first.end_lineno or 0) if has_docstring else node.lineno
                count = lines_of("\n".join(text[start : node.end_lineno]))
                if count > FUNCTION:
                    long.append(f"{name_of(path)}:{node.lineno} {node.name}: {count}")
        assert long == []

    @pytest.mark.parametrize(
        ("pattern", "most"),
        [
            ("templates/**/*.html", TEMPLATE),
            ("static/js/elements/*.js", ELEMENT),
            ("static/css/components/*.css", COMPONENT_CSS),
            ("static/js/**/*.js", FILE),
            ("audit/verifier/page/*", FILE),
            ("**/README.md", README),
        ],
    )
    def test_other_files(self, pattern: str, most: int) -> None:
        found = [
            path
            for path in sorted(ROOT.glob(pattern))
            if not {".venv", ".local"} & set(path.parts) and "data" not in path.parts
        ]
        assert found
        assert over(found, most) == []

    def test_every_exception_is_still_needed(self) -> None:
        assert [name for name in EXCEPTIONS if not (ROOT / name).exists()] == []


class TestRoot:
    def test_holds_only_the_allowed_names(self) -> None:
        names = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}
        assert names - NOT_LANDED <= TOP_LEVEL

    def test_modules_say_what_they_are_for(self) -> None:
        silent = [
            name_of(path)
            for path in python_files()
            if path.name != "__init__.py" and not ast.get_docstring(parsed(path))
        ]
        assert silent == []

    @pytest.mark.parametrize(
        "name",
        [
            "approvals", "audit", "costs", "agents", "agents/controls", "agents/tools",
            "agents/llm", "agents/runtime", "agents/conversations", "agents/showcase",
            "console/kernel",
            "console/accounts", "console/shell", "console/widget", "console/local",
        ],
    )  # fmt: skip
    def test_every_room_has_a_readme(self, name: str) -> None:
        text = (ROOT / name / "README.md").read_text()
        assert len(text) > 400
        assert "2026-" in text, "decisions carry their date"
