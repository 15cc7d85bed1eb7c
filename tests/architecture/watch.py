"""Looking closely: every row of a tenant, the sentence of a refusal, and what the trail says."""

import json
import re
from functools import cache
from typing import Any, Final

from django.db import connection

from console.kernel.templatetags.signalbox import visible
from console.kernel.transactions import in_tenant
from tests.cast import Cast

# What may grow while nothing changes: the trail, hints, what was shown, when somebody was seen.
NOT_STATE: Final = (
    "audit_",
    "kernel_outbox",
    "kernel_topic",
    "kernel_idempotency",
    "accounts_sessionrecord",
    "accounts_keyuse",
    "accounts_refusedsignin",
    "approvals_served",
)
_TABLES: Final = """
    SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
      AND NOT c.relispartition AND a.attname = 'tenant_id'
      AND has_table_privilege(c.oid, 'SELECT')
    ORDER BY 1
"""
SENTENCE: Final = re.compile(r"[A-Z0-9\\#][^\n]{8,300}[.]")
TYPED: Final = "zq4711zq"  # stands in every text that the tests of bad input send


@cache
def _digest_sql(*, all_of_it: bool) -> str:
    with connection.cursor() as cursor:
        cursor.execute(_TABLES)
        found = [name for (name,) in cursor.fetchall()]
    tables = [name for name in found if all_of_it or not name.startswith(NOT_STATE)]
    one = (
        "SELECT '{0}', count(*), md5(string_agg(md5(t::text), '' ORDER BY md5(t::text)))"
        " FROM {0} t WHERE tenant_id = %(tenant)s"
    )
    people = (
        "SELECT 'people', count(*), md5(string_agg(md5(t::text), '' ORDER BY md5(t::text)))"
        " FROM accounts_person t WHERE email = ANY(%(emails)s)"
    )
    return " UNION ALL ".join([*(one.format(name) for name in tables), people])


class Watch:
    """What stands in the database of one tenant."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast

    def rows(self, *, all_of_it: bool = False) -> dict[str, tuple[int, str]]:
        """Return count and digest of the tenant's rows and of its people, by table.

        Args:
            all_of_it: the trail, the outbox and what was last seen, too.
        """
        emails = [member.email for member in self.cast.members.values()]
        with in_tenant(self.cast.tenant_id, read_only=True), connection.cursor() as cursor:
            values: dict[str, Any] = {"tenant": self.cast.tenant_id, "emails": emails}
            cursor.execute(_digest_sql(all_of_it=all_of_it), values)
            return {name: (count, digest) for name, count, digest in cursor.fetchall()}

    def refusals_of(self, actor_id: str) -> list[tuple[str, str, str]]:
        """Return (code, method, path) of each recorded refusal of an actor, in order.

        Also sees to it that nothing that was typed stands in any event of theirs.
        """
        with in_tenant(self.cast.tenant_id, read_only=True), connection.cursor() as cursor:
            cursor.execute(
                "SELECT envelope FROM audit_event WHERE tenant_id = %s", [self.cast.tenant_id]
            )
            stored = [bytes(envelope) for (envelope,) in cursor.fetchall()]
        theirs = [json.loads(one) for one in stored if actor_id.encode() in one]
        refused = [one for one in theirs if one["action"] == "request.refused"]
        assert not [one for one in refused if TYPED in json.dumps(one)]
        bound = [one["bind"] for one in refused if one["actor"]["id"] == actor_id]
        return sorted((one["code"], one["method"], one["path"]) for one in bound)

    def repeats_of(self, actor_id: str) -> int:
        """Return how many refusals of an actor were counted and not recorded once more."""
        with in_tenant(self.cast.tenant_id, read_only=True), connection.cursor() as cursor:
            cursor.execute(
                "SELECT coalesce(sum(repeats), 0) FROM audit_repeat"
                " WHERE tenant_id = %s AND actor LIKE %s",
                [self.cast.tenant_id, f"%:{actor_id}"],
            )
            return int(cursor.fetchone()[0])


def sentence_of(answer: Any) -> str:
    """Return the one sentence of a refusal; fail where there is none, or more than one."""
    text = answer.content.decode()
    if is_json(answer):
        body = json.loads(text)
        assert set(body) == {"code", "message", "details"}, text[:300]
        said: str = body["message"]
    else:
        assert text.count('role="alert"') == 1, text[:300]
        said = answer.refusal.message
        assert str(visible(said)) in text, f"not shown: {said!r}"
    assert SENTENCE.fullmatch(said), said
    return said


def code_of(answer: Any) -> str:
    return str(json.loads(answer.content)["code"] if is_json(answer) else answer.refusal.code)


def is_json(answer: Any) -> bool:
    return bool(answer["Content-Type"].startswith("application/json"))
