"""System checks of the trail: what the application's role could do to it."""

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connection

_REACH = """
    SELECT c.relname FROM pg_class c JOIN pg_roles r ON r.rolname = current_user
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
       AND c.relname IN ('audit_event', 'audit_entry', 'audit_head', 'audit_tile', 'audit_round',
                         'audit_checkpoint', 'audit_log', 'audit_meta_leaf', 'audit_blob')
       AND (r.rolsuper OR pg_has_role(c.relowner, 'MEMBER')
            OR has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE, TRIGGER'))
    UNION ALL
    SELECT c.relname FROM pg_class c JOIN pg_trigger t ON t.tgrelid = c.oid
     WHERE c.relname LIKE 'audit\\_%' AND t.tgname LIKE 'append\\_only%' AND t.tgenabled <> 'A'
    ORDER BY 1
"""


@register(Tags.database)
def trail_is_out_of_reach(
    app_configs: Any = None,  # noqa: ARG001 - Django gives it
    databases: Any = None,
    **_scope: Any,
) -> list[CheckMessage]:
    """Refuse a role that could rewrite the trail, and guards that were switched off."""
    if not databases or settings.AS_OWNER:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_REACH)
        tables = [row[0] for row in cursor.fetchall()]
    if not tables:
        return []
    hint = (
        "Connect as signalbox_app (`manage.py roles`), and enable the append_only triggers ALWAYS."
    )
    kind = checks.Warning if settings.ENVIRONMENT == "development" else Error
    text = f"Self-attested: the application could alter its own trail ({', '.join(tables)})."
    return [kind(text, hint=hint, id="console.E005")]
