"""One write path: commands are keyword-only with the actor first, and nothing writes elsewhere."""

import ast

from tests.architecture.tree import decorators, functions, name_of, parsed, python_files

WRITES = {"create", "bulk_create", "update", "delete", "save", "update_or_create", "get_or_create",
          "bulk_update"}  # fmt: skip
# Transports translate and call one command; none of them writes a row.
TRANSPORTS = {"views", "api", "consumers", "tasks", "middleware", "context", "serializers", "forms"}
MAY_RUN_SQL = {
    "console/kernel": "the floor speaks to the database for all",
    "console/local": "prepares servers before Django runs",
    "audit": "snapshots, sealing and verification are plain SQL",
    "agents/controls/permits.py": "advisory locks have no ORM form",
    "agents/controls/commands.py": "advisory locks have no ORM form",
}


class TestCommands:
    def test_are_keyword_only_with_the_actor_first(self) -> None:
        wrong = []
        for path in python_files():
            for node in functions(path):
                if not decorators(node) & {"command", "query"}:
                    continue
                names = [arg.arg for arg in node.args.kwonlyargs]
                if node.args.args or node.args.vararg or names[:1] != ["actor"]:
                    wrong.append(f"{name_of(path)}:{node.lineno} {node.name}")
        assert wrong == []

    def test_exist_in_every_room_that_writes(self) -> None:
        rooms = {
            name_of(path).split("/")[0]
            for path in python_files()
            for node in functions(path)
            if "command" in decorators(node)
        }
        assert {"approvals", "audit", "costs", "agents", "console"} <= rooms


class TestTransactions:
    def test_are_opened_by_tenancy_alone(self) -> None:
        openers = []
        for path in python_files():
            if name_of(path) == "console/kernel/tenancy.py":
                continue
            for node in ast.walk(parsed(path)):
                if isinstance(node, ast.Attribute) and node.attr == "atomic":
                    openers.append(f"{name_of(path)}:{node.lineno}")
        assert openers == []


class TestTransports:
    def test_write_no_rows(self) -> None:
        writers = []
        for path in python_files():
            if path.stem not in TRANSPORTS and not TRANSPORTS & set(path.parts):
                continue
            if "kernel" in path.parts:
                continue  # the floor keeps the answers of idempotency keys itself
            for node in ast.walk(parsed(path)):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in WRITES
                    and "objects" in ast.unparse(node.func)
                ):
                    writers.append(f"{name_of(path)}:{node.lineno}")
        assert writers == []
