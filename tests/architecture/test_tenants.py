"""Row-level security is forced on every tenant's table, and nobody can step out of it."""

import uuid

import pytest
from django.apps import apps
from django.db import ProgrammingError, connection, connections
from django.db.migrations.loader import MigrationLoader

from console.kernel import schema, tenancy


def operations() -> list[schema._TableOperation]:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return [
        operation
        for migration in loader.disk_migrations.values()
        for operation in migration.operations
        if isinstance(operation, schema._TableOperation)
    ]


def tables_of(kind: type[schema._TableOperation]) -> set[str]:
    return {one.table for one in operations() if isinstance(one, kind)}


def catalog(sql: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


class TestPolicies:
    def test_every_table_with_a_tenant_is_forced_or_shared_with_a_reason(self) -> None:
        forced = {
            str(name)
            for (name,) in catalog(
                "SELECT relname FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"
            )
        }
        with_tenant = {
            str(name)
            for (name,) in catalog(
                "SELECT c.relname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
                "WHERE a.attname = 'tenant_id' AND c.relkind IN ('r', 'p') "
                "AND c.relnamespace = 'public'::regnamespace AND NOT c.relispartition"
            )
        }
        shared = tables_of(schema.SharedTable)
        assert with_tenant - forced - shared == set()
        assert len(forced) > 20

    def test_every_table_of_ours_says_who_may_see_it(self) -> None:
        ours = {
            model._meta.db_table
            for config in apps.get_app_configs()
            if config.name.startswith(("console", "audit", "approvals", "costs", "agents"))
            for model in config.get_models()
        }
        named = tables_of(schema.TenantTable) | tables_of(schema.SharedTable)
        audit_by_hand = {table for table in ours if table.startswith("audit_")}
        assert ours - named - audit_by_hand == set()

    def test_reasons_are_sentences(self) -> None:
        shared = [one for one in operations() if isinstance(one, schema.SharedTable)]
        assert [one.table for one in shared if len(one.reason.split()) < 3] == []


class TestRole:
    def test_is_bound_by_row_level_security(self) -> None:
        assert not tenancy.role_sees_everything()

    def test_owns_nothing(self) -> None:
        assert catalog("SELECT relname FROM pg_class WHERE relowner = current_user::regrole") == []

    @pytest.mark.parametrize(
        "sql",
        [
            "SET ROLE postgres",
            "SET session_replication_role = replica",
            "ALTER TABLE approvals_vote DISABLE ROW LEVEL SECURITY",
            "CREATE TABLE public.mine (n int)",
            "CREATE TEMPORARY TABLE audit_event (n int)",
            "TRUNCATE approvals_vote",
            "DROP TRIGGER must_audit ON approvals_vote",
        ],
    )
    def test_cannot_step_out(self, sql: str) -> None:
        with connection.cursor() as cursor, pytest.raises(ProgrammingError):
            cursor.execute(sql)

    def test_sees_nothing_without_a_scope(self) -> None:
        for table in sorted(tables_of(schema.TenantTable)):
            rows = catalog(f"SELECT count(*) FROM {table}")
            assert rows == [(0,)], table

    def test_sees_nothing_after_a_transaction_of_a_tenant(self) -> None:
        with tenancy.scope(uuid.uuid4()):
            pass
        assert tenancy.current() is None
        assert catalog("SELECT current_setting('signalbox.tenant_id', true)")[0][0] in ("", None)

    def test_owner_alias_is_another_login(self) -> None:
        assert connections["owner"].settings_dict["USER"] != connection.settings_dict["USER"]


class TestEveryTenant:
    def test_needs_a_reason(self) -> None:
        with pytest.raises(ValueError, match="reason"):
            next(tenancy.every_tenant(reason=""))
