"""The system check notices a role that could rewrite the trail."""

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from django.core import checks

from audit import direct
from audit.checks import trail_is_out_of_reach
from console.kernel.checks import require_sound

Login = Callable[[str], "psycopg.Connection[Any]"]


async def in_a_loop() -> None:
    """Ask as a web process does, whose server loads it inside its event loop."""
    require_sound()


def reached() -> checks.CheckMessage:
    (found,) = [
        one for one in trail_is_out_of_reach(databases=["default"]) if one.id != "console.E010"
    ]
    return found


class TestTrailIsOutOfReach:
    def test_has_nothing_to_say_about_the_applications_role(self) -> None:
        """The tests' own server has `fsync` off, which is said under a number of its own."""
        found = trail_is_out_of_reach(databases=["default"])
        assert {one.id for one in found} <= {"console.E010"}
        with direct.connect("default") as connection:
            off = connection.execute("SHOW fsync").fetchone() == ("off",)
        assert bool(found) is off

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
                found = reached()
            finally:
                owner.execute("REVOKE DELETE ON audit_tile FROM signalbox_app")
        assert isinstance(found, kind)
        assert found.id == "console.E005"
        assert "(audit_tile)" in found.msg

    def test_names_a_trigger_that_is_not_always_on(self) -> None:
        with direct.connect("owner") as owner:
            owner.execute("ALTER TABLE audit_tile ENABLE TRIGGER append_only")
            try:
                found = reached()
            finally:
                owner.execute("ALTER TABLE audit_tile ENABLE ALWAYS TRIGGER append_only")
        assert "audit_tile" in found.msg


class TestRequireSound:
    def test_ends_a_start_in_production_and_names_why(self, settings: Any) -> None:
        settings.ENVIRONMENT = "production"
        with direct.connect("owner") as owner:
            owner.execute("GRANT DELETE ON audit_tile TO signalbox_app")
            try:
                with pytest.raises(SystemExit) as ended:
                    asyncio.run(in_a_loop())
            finally:
                owner.execute("REVOKE DELETE ON audit_tile FROM signalbox_app")
        said = str(ended.value)
        assert said.startswith("Cannot start:")
        assert "The role signalbox_app has DELETE on audit_tile. Do: REVOKE DELETE" in said

    def test_lets_development_begin(self) -> None:
        with direct.connect("owner") as owner:
            owner.execute("GRANT DELETE ON audit_tile TO signalbox_app")
            try:
                require_sound()
            finally:
                owner.execute("REVOKE DELETE ON audit_tile FROM signalbox_app")
