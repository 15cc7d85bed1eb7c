"""What the processes are told, from what the environment says."""

import os
from pathlib import Path

import pytest

from console.local import environment, places
from console.local.environment import OWNER_URL, Source
from console.local.errors import CannotStart

OWNER = "postgresql://boss:s%2Fx@db.example:6000/shop?sslmode=require"


class TestRead:
    def test_runs_both_servers_when_nothing_is_said(self, checkout: Path) -> None:
        found = environment.read({}, places.at(checkout / ".local"))

        assert found.source is Source.EMBEDDED
        assert found.servers.postgres is not None
        assert found.servers.redis is not None

    def test_gives_the_roles_passwords_when_only_the_owner_is_said(self, checkout: Path) -> None:
        given = {"DATABASE_URL": OWNER, "REDIS_URL": "redis://cache.example/0"}
        place = places.at(checkout / ".local")

        urls = environment.read(given, place).urls()

        word = environment.read(given, place).keys.role("db.example:6000", "signalbox_app")
        address = "db.example:6000/shop?sslmode=require"
        assert urls["DATABASE_URL"] == f"postgresql://signalbox_app:{word}@{address}"
        assert urls[OWNER_URL] == OWNER
        assert len({urls["SIGNALBOX_SEALER_URL"], urls["SIGNALBOX_SIGNER_URL"], OWNER}) == 3
        assert "REDIS_URL" not in urls
        assert len(word) >= 32

    def test_shares_the_passwords_of_roles_with_whoever_uses_the_server_already(
        self, checkout: Path
    ) -> None:
        given = {"DATABASE_URL": OWNER, "REDIS_URL": "redis://cache.example/0"}
        product = places.at(checkout / ".local")
        tests = places.at(checkout / ".local" / "test")

        ours = environment.read(given, product).urls()
        theirs = environment.read(given, tests, roles_of=product).urls()

        assert theirs["DATABASE_URL"] == ours["DATABASE_URL"]

    def test_logs_in_as_the_owner_after_the_roles_were_refused(self, checkout: Path) -> None:
        found = environment.read({"DATABASE_URL": OWNER}, places.at(checkout / ".local"))
        found.mark_unbound(unbound=True)

        assert found.is_unbound
        assert "DATABASE_URL" not in found.urls()
        assert found.urls()[OWNER_URL] == OWNER

    @pytest.mark.parametrize(
        "given",
        [
            {"DATABASE_URL": "postgresql://anyone@db/shop", OWNER_URL: OWNER},
            {"DATABASE_URL": "postgresql://signalbox_app:word@db/shop"},
        ],
    )
    def test_takes_the_logins_as_they_are_when_the_application_has_one(
        self, checkout: Path, given: dict[str, str]
    ) -> None:
        found = environment.read({**given, "SIGNALBOX_SECRET_KEY": "x"}, places.at(checkout / ".l"))

        assert found.source is Source.ALL_GIVEN
        assert set(found.urls()) == {"REDIS_URL"}

    def test_refuses_another_kind_of_database(self, checkout: Path) -> None:
        with pytest.raises(CannotStart, match="only PostgreSQL will do"):
            environment.read({"DATABASE_URL": "sqlite:///x"}, places.at(checkout / ".local"))


class TestOwnerUrl:
    def test_is_asked_for_when_only_the_application_has_a_login(self, checkout: Path) -> None:
        given = {"DATABASE_URL": "postgresql://signalbox_app:word@db/shop"}
        found = environment.read(given, places.at(checkout / ".local"))

        with pytest.raises(CannotStart, match="set SIGNALBOX_OWNER_URL"):
            _ = found.owner_url


class TestRenamed:
    def test_changes_the_database_in_every_url(self, checkout: Path) -> None:
        given = {"DATABASE_URL": OWNER, "REDIS_URL": "redis://cache.example/0"}
        found = environment.read(given, places.at(checkout / ".local")).renamed("shop_test")

        assert found.database == "shop_test"
        urls = found.urls()
        assert [environment.database_of(urls[name]) for name in environment.URLS] == [
            "shop_test"
        ] * 4


class TestTheseTests:
    def test_run_on_a_database_of_their_own_as_the_bound_role(self) -> None:
        names = {environment.database_of(os.environ[name]) for name in environment.URLS}

        assert len(names) == 1
        assert "_test" in names.pop()
        assert os.environ["DATABASE_URL"].startswith("postgresql://signalbox_app")
        assert not os.environ["REDIS_URL"].endswith("/0")
