"""Migration operations for what the ORM cannot state: row-level security, grants, triggers.

Every table says in its migration who may see it (`TenantTable` or `SharedTable`), and no grant
exists that such an operation did not name.
"""

from typing import Any

from django.db import migrations
from typing_extensions import override

APP_ROLE = "signalbox_app"
SEALER_ROLE = "signalbox_sealer"
SIGNER_ROLE = "signalbox_signer"
ROLES = (APP_ROLE, SEALER_ROLE, SIGNER_ROLE)

# After a transaction the variable reads '' and not NULL, hence nullif.
IN_TENANT = "tenant_id = nullif(current_setting('signalbox.tenant_id', true), '')::uuid"


class Sql(migrations.RunSQL):
    """Plain SQL with its reverse; without one the migration cannot be undone."""

    def __init__(self, sql: str, reverse: str | None = None) -> None:
        super().__init__(sql, reverse_sql=reverse)


class _TableOperation(migrations.RunSQL):
    """SQL about one table, remembered so that tests can walk over all tables."""

    def __init__(self, table: str, sql: str, reverse: str, **options: str) -> None:
        self.table = table
        self.options = options
        super().__init__(sql, reverse_sql=reverse)

    @override
    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [self.table], dict(self.options)


class TenantTable(_TableOperation):
    """Force row-level security by tenant on `table` and grant the application just `grants`.

    Args:
        grants: privileges of the application's role, as in GRANT; column lists are allowed.
    """

    def __init__(self, table: str, *, grants: str = "SELECT, INSERT, UPDATE") -> None:
        super().__init__(
            table,
            f"""
            ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
            ALTER TABLE {table} FORCE ROW LEVEL SECURITY;
            CREATE POLICY in_tenant ON {table} USING ({IN_TENANT}) WITH CHECK ({IN_TENANT});
            REVOKE ALL ON {table} FROM PUBLIC, {APP_ROLE};
            GRANT {grants} ON {table} TO {APP_ROLE};
            """,
            f"""
            REVOKE ALL ON {table} FROM {APP_ROLE};
            DROP POLICY in_tenant ON {table};
            ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY;
            ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;
            """,
            grants=grants,
        )


class SharedTable(_TableOperation):
    """Grant the application `grants` on a table that belongs to no tenant, with the reason."""

    def __init__(
        self, table: str, *, reason: str, grants: str = "SELECT, INSERT, UPDATE, DELETE"
    ) -> None:
        self.reason = reason
        super().__init__(
            table,
            f"REVOKE ALL ON {table} FROM PUBLIC, {APP_ROLE};"
            f"GRANT {grants} ON {table} TO {APP_ROLE};",
            f"REVOKE ALL ON {table} FROM {APP_ROLE};",
            reason=reason,
            grants=grants,
        )


class Governed(_TableOperation):
    """Refuse at COMMIT a change of `table` whose transaction recorded no audit event.

    The function is made by the first migration of `audit`; depend on it.
    """

    def __init__(self, table: str) -> None:
        super().__init__(
            table,
            f"""
            CREATE CONSTRAINT TRIGGER must_audit AFTER INSERT OR UPDATE OR DELETE ON {table}
              DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit_require_event();
            ALTER TABLE {table} ENABLE ALWAYS TRIGGER must_audit;
            CREATE TRIGGER no_truncate BEFORE TRUNCATE ON {table}
              FOR EACH STATEMENT EXECUTE FUNCTION kernel_refuse_change();
            ALTER TABLE {table} ENABLE ALWAYS TRIGGER no_truncate;
            """,
            f"DROP TRIGGER no_truncate ON {table}; DROP TRIGGER must_audit ON {table};",
        )


class AppendOnly(_TableOperation):
    """Refuse UPDATE, DELETE and TRUNCATE on `table`, whoever asks and in replica mode too."""

    def __init__(self, table: str) -> None:
        super().__init__(
            table,
            f"""
            CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table}
              FOR EACH ROW EXECUTE FUNCTION kernel_refuse_change();
            CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table}
              FOR EACH STATEMENT EXECUTE FUNCTION kernel_refuse_change();
            ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only;
            ALTER TABLE {table} ENABLE ALWAYS TRIGGER append_only_truncate;
            """,
            f"DROP TRIGGER append_only_truncate ON {table}; DROP TRIGGER append_only ON {table};",
        )
