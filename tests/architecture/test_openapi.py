"""The committed API file is what the code does, and every operation knows the one error shape."""

from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command

FILE: Final = Path(settings.BASE_DIR) / "console" / "openapi.yaml"
REFRESH: Final = "Run: .venv/bin/python manage.py spectacular --file console/openapi.yaml"
WRITES: Final = {"post", "put", "patch", "delete"}
ERROR: Final = {"$ref": "#/components/schemas/ErrorOut"}


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    described = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return [
        (path, method, operation)
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    ]


OPERATIONS: Final = operations()
IDS: Final = [operation["operationId"] for _path, _method, operation in OPERATIONS]


class TestFile:
    def test_is_current(self, tmp_path: Path) -> None:
        fresh = tmp_path / "openapi.yaml"

        call_command("spectacular", "--file", str(fresh), "--validate", "--fail-on-warn")

        assert fresh.read_text() == FILE.read_text(), REFRESH

    def test_names_every_operation_once(self) -> None:
        assert len(set(IDS)) == len(IDS)

    def test_covers_the_rooms(self) -> None:
        tags = {tag for _path, _method, operation in OPERATIONS for tag in operation["tags"]}

        assert tags >= {"approvals", "audit", "controls", "costs", "keys", "people", "runs"}


class TestOperation:
    @pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=IDS)
    def test_answers_errors_in_one_shape(
        self, path: str, method: str, operation: dict[str, Any]
    ) -> None:
        refusals = {code: one for code, one in operation["responses"].items() if code >= "400"}
        needed = {"400", "401", "403", "404", "429"} | (
            {"409", "413"} if method in WRITES else set()
        )

        assert needed <= set(refusals), path
        for code, one in refusals.items():
            assert one["content"]["application/json"]["schema"] == ERROR, code

    @pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=IDS)
    def test_that_writes_takes_a_key_or_says_why_not(
        self, path: str, method: str, operation: dict[str, Any]
    ) -> None:
        taken = {one.get("name") for one in operation.get("parameters", ())}
        said = "idempotency key" in operation["description"]

        assert method not in WRITES or "Idempotency-Key" in taken or said, path

    @pytest.mark.parametrize(("path", "method", "operation"), OPERATIONS, ids=IDS)
    def test_says_in_words_what_it_is(
        self, path: str, method: str, operation: dict[str, Any]
    ) -> None:
        assert operation.get("description", "").endswith("."), (path, method)
