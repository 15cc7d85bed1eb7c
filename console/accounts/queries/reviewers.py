"""Who may review: asked at every vote, claim and page of a proposal, so it is SQL of our own."""

from collections.abc import Collection
from typing import Any, Final
from uuid import UUID

from console.accounts.cards import Reviewer
from console.accounts.states import OBJECT_RIGHTS, ObjectKind, Role
from console.kernel import prepared
from console.kernel.actors import Actor
from console.kernel.transactions import query

_ALL: Final = """
    SELECT m.person_id, p.name, ARRAY(
        SELECT g.slug FROM accounts_groupmember s JOIN accounts_reviewgroup g ON g.id = s.group_id
        WHERE s.tenant_id = m.tenant_id AND s.person_id = m.person_id
    )
    FROM accounts_membership m JOIN accounts_person p ON p.id = m.person_id
    WHERE m.tenant_id = %(tenant)s AND m.active AND p.is_active AND (
        m.roles @> ARRAY[%(role)s::varchar] OR (%(needed)s > 0 AND %(needed)s = (
            SELECT count(DISTINCT o.object_pk) FROM accounts_objectgrant o
            JOIN auth_permission r ON r.id = o.permission_id
            JOIN django_content_type t ON t.id = o.content_type_id
            WHERE o.tenant_id = m.tenant_id AND o.user_id = m.person_id
              AND o.object_pk = ANY (%(tools)s) AND r.codename = %(right)s
              AND t.app_label = 'agents' AND t.model = %(kind)s
        ))
    )
"""
_SOME: Final = f"{_ALL} AND m.person_id = ANY (%(among)s)"
_BY_NAME: Final = " ORDER BY p.name, m.person_id"
_RIGHT: Final = OBJECT_RIGHTS[ObjectKind.TOOL][0]


@query
def reviewers(
    *, actor: Actor, tools: Collection[UUID] = (), among: Collection[UUID] | None = None
) -> tuple[Reviewer, ...]:
    """Return the active people who may review, by name.

    Args:
        tools: also those who may review each of these by a right on it.
        among: nobody but these; None asks for everybody.
    """
    if among is not None and not among:
        return ()
    wanted = {str(tool) for tool in tools}
    values: dict[str, Any] = {
        "tenant": actor.tenant_id,
        "role": Role.REVIEWER.value,
        "tools": list(wanted),
        "needed": len(wanted),
        "right": _RIGHT,
        "kind": ObjectKind.TOOL.value,
    }
    with prepared.cursor() as cursor:
        if among is None:
            cursor.execute(_ALL + _BY_NAME, values)
        else:
            cursor.execute(_SOME + _BY_NAME, {**values, "among": list(among)})
        rows = cursor.fetchall()
    return tuple(Reviewer(id=id_, name=name, groups=frozenset(slugs)) for id_, name, slugs in rows)
