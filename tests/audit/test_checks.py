"""The system check notices a role that could rewrite the trail."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.core import checks

from audit.checks import trail_is_out_of_reach
from audit.queries import direct

Login = Callable[[str], "psycopg.Connection[Any]"]


class TestTrailIsOutOfReach:
    def test_has_nothing_to_say_about_the_applications_role(self) -> None:
        assert trail_is_out_of_reach(databases=["default"]) == []

    @pytest.mark.parametrize(
        ("environment", "kind"), [("development", checks.Warning), ("production", checks.Error)]
    )
    def test_names_tables_that_a_grant_opened(
        self, settings: Any, environment: str, kind: type
    ) -> None:
        settings.ENVIRONMENT = environment
        with direct.connect("owner") as owner:
            owner.execute("GRANT DELETE ON audit_tile TO signalbox_app")
            try:
                (found,) = trail_is_out_of_reach(databases=["default"])
            finally:
                owner.execute("REVOKE DELETE ON audit_tile FROM signalbox_app")
        assert isinstance(found, kind)
        assert found.id == "console.E005"
        assert "(audit_tile)" in found.msg

    def test_names_a_trigger_that_is_not_always_on(self) -> None:
        with direct.connect("owner") as owner:
            owner.execute("ALTER TABLE audit_tile ENABLE TRIGGER append_only")
            try:
                (found,) = trail_is_out_of_reach(databases=["default"])
            finally:
                owner.execute("ALTER TABLE audit_tile ENABLE ALWAYS TRIGGER append_only")
        assert "audit_tile" in found.msg
