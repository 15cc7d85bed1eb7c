"""The gate is a tool's only caller, and every path to an effect asks the switches."""

import ast
from pathlib import Path

from agents.tools import registry

ROOT = Path(__file__).parents[2] / "agents"
# What a contract's functions are called; whoever reads one of them could run the tool.
FUNCTIONS = {"run", "before", "plan", "apply"}
# Where a run's call goes through the gate; `settling` knows which of them is next.
DOORS = {"read", "propose_now", "plan_now", "mark", "mark_apply_store", "effect", "recover"}
OWNERS = ("tools", "showcase", "llm", "migrations", "controls")


def sources() -> list[Path]:
    return [
        path for path in sorted(ROOT.rglob("*.py")) if path.relative_to(ROOT).parts[0] not in OWNERS
    ]


class TestOnlyCaller:
    def test_no_other_module_reaches_a_tools_functions(self) -> None:
        callers = {
            path.name
            for path in sources()
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Attribute)
            and node.attr in FUNCTIONS
            and isinstance(node.value, ast.Name)
            and node.value.id == "tool"
        }
        assert callers == {"calling.py"}
        imported = {
            (path.name, name.name)
            for path in sources()
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ImportFrom) and node.module == "agents.runtime.calling"
            for name in node.names
        }
        # Whoever looks at a target may not change it.
        looks = {"before_of", "plan_of", "run_inside", "look_outside"}
        assert {name for name, _ in imported} == {"gate.py", "looking.py"}
        assert {name for path, name in imported if path == "looking.py"} == looks
        assert not any("agents.runtime import calling" in path.read_text() for path in sources())

    def test_no_other_module_takes_a_call_through_it(self) -> None:
        callers = {
            path.name
            for path in sorted(ROOT.rglob("*.py"))
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Attribute)
            and node.attr in DOORS
            and ast.unparse(node.value) == "gate"
        }
        assert callers == {"settling.py"}
        imported = {
            name.name
            for path in sorted(ROOT.rglob("*.py"))
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.ImportFrom) and node.module == "agents.runtime.gate"
            for name in node.names
        }
        assert imported == {"STOPPED", "Waits"}

    def test_no_other_module_asks_a_model(self) -> None:
        callers = {
            path.name
            for path in sorted(ROOT.rglob("*.py"))
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "stream"
        }
        assert callers == {"door.py"}


class TestEveryPath:
    def test_asks_whether_it_is_permitted(self) -> None:
        asking: dict[str, set[str]] = {}
        for path in sorted(ROOT.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Attribute) and ast.unparse(node).startswith("Point."):
                    asking.setdefault(node.attr, set()).add(path.name)
        assert asking["INTAKE"] >= {"commands.py"}
        assert asking["STEP_CLAIM"] >= {"fence.py"}
        assert asking["MODEL_CALL"] >= {"door.py"}
        assert asking["MODEL_STREAM"] >= {"door.py"}
        assert asking["MESSAGE_SEND"] >= {"stepping.py"}
        assert {"TOOL_CALL", "PROPOSAL_OPEN", "PROPOSAL_DISPATCH"} <= {
            point for point, files in asking.items() if "gate.py" in files
        }


class TestEveryWriteTool:
    def test_has_a_tier_a_diff_and_the_records_it_touches(self) -> None:
        writes = [tool for tool in registry.every() if tool.writes]
        assert len(writes) >= 7
        for tool in writes:
            assert tool.tier in (1, 2)
            assert tool.before is not None
            assert tool.plan is not None
            assert tool.touches
