"""All that the tables hold of one proposal, read in one statement.

Random histories look after every act, ten thousand times: each table by itself, through the ORM,
took longer than what they look at.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any, Final
from uuid import UUID

from console.kernel import prepared
from console.kernel.transactions import in_tenant

_DIGEST: Final = "encode(digest, 'hex') AS digest"
_OF_IT: Final = "WHERE proposal_id = %(proposal)s"
# Which columns of which rows are looked at; a second look may find other leases, so not those.
_PARTS: Final = {
    "proposals": "SELECT id, state, tier, tool, agent_id, revision_no, clock_no, extensions, "
    "unfillable_since, row_version FROM approvals_proposal WHERE id = %(proposal)s",
    "revisions": f"SELECT id, no, {_DIGEST}, contract_hash FROM approvals_revision {_OF_IT} "
    "ORDER BY no",
    "votes": f"SELECT id, revision_id, {_DIGEST}, person_id, person_label, choice, session, "
    f"delegation_id, cast_at, voided_at, created_at FROM approvals_vote {_OF_IT} "
    "ORDER BY created_at, id",
    "decisions": f"SELECT id, revision_id, {_DIGEST}, outcome, basis, assignment, decided_at, "
    f"decide_by, voided_at, created_at FROM approvals_decision {_OF_IT} ORDER BY created_at, id",
    "dispatches": f"SELECT decision_id, {_DIGEST}, encode(observed_digest, 'hex') AS observed, "
    f"claimed_at, execute_by FROM approvals_dispatch {_OF_IT}",
    "requirements": "SELECT no, cause, people, jsonb_array_length(blocks) AS blocks, on_expiry "
    f"FROM approvals_requirement {_OF_IT} ORDER BY no",
    "principals": "SELECT person_id, role FROM approvals_principal "
    f"{_OF_IT} AND person_id IS NOT NULL ORDER BY id",
    "freezes": f"SELECT cause, since, until FROM approvals_freeze {_OF_IT} ORDER BY since, id",
    "comments": "SELECT kind, answers_id, said_at FROM approvals_comment "
    f"{_OF_IT} ORDER BY said_at, id",
    "timers": f"SELECT kind, step, due_at, done_at FROM approvals_timer {_OF_IT} ORDER BY id",
    "glass": "SELECT u.decision_id, encode(u.digest, 'hex') AS digest, u.person_id, u.used_at, "
    "g.granted_at, g.expires_at, g.revoked_at, g.granted_by_id, t.closed_by_id "
    "FROM approvals_break_glass u JOIN approvals_break_glass_grant g ON g.id = u.grant_id "
    "LEFT JOIN approvals_review_task t ON t.decision_id = u.decision_id "
    "WHERE u.proposal_id = %(proposal)s ORDER BY u.used_at, u.id",
    "tasks": f"SELECT kind, closed_at FROM approvals_review_task {_OF_IT} ORDER BY id",
    "uses": "SELECT u.used_at, s.maker_id, s.tier, s.tool, s.agent_id, s.contract_hash, s.ends_at, "
    "s.revoked_at, s.uses - s.uses_left AS gone, (SELECT count(*) FROM approvals_standing_use o "
    "WHERE o.standing_id = s.id) AS used FROM approvals_standing_use u "
    "JOIN approvals_standing s ON s.id = u.standing_id WHERE u.proposal_id = %(proposal)s",
    "loans": 'SELECT id, from_person_id, to_person_id, "group", made_at, until, ended_at, '
    "created_at FROM approvals_delegation WHERE made_at >= %(since)s ORDER BY created_at, id",
}  # fmt: skip
# In a list of its own: saying a thing twice may be told twice, and change nothing all the same.
_EVENTS: Final = (
    "SELECT id, e ->> 'action' AS action, e -> 'target' ->> 'id' AS target FROM ("
    "SELECT id, convert_from(envelope, 'UTF8')::json AS e FROM audit_event "
    "WHERE id > %(trail)s ORDER BY id) AS told"
)


def _rows(name: str, select: str) -> str:
    return f"'{name}', (SELECT coalesce(json_agg(x), '[]') FROM ({select}) AS x)"


_ALL: Final = (
    "SELECT json_build_object("
    + ", ".join(_rows(name, select) for name, select in _PARTS.items())
    + f")::text, json_build_object({_rows('events', _EVENTS)})::text"
)
_TIMES: Final = ("_at", "_by", "since", "until")


class Row(SimpleNamespace):
    """One row: its columns are attributes, times are times, ids and digests are text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """What one statement found."""

    text: str  # all but the events, to be compared as a whole
    proposal: Row
    revision: Row  # the current one
    rows: Row  # a list of rows for each part
    events: list[Row]

    @property
    def votes(self) -> list[Row]:
        found: list[Row] = self.rows.votes
        return found


def look(tenant_id: UUID, proposal_id: UUID, *, since: datetime, trail: int) -> Tables:
    """Return what is there now.

    Args:
        since: from when on delegations have a part in it.
        trail: the newest event that was seen before.
    """
    values: dict[str, Any] = {"proposal": proposal_id, "since": since, "trail": trail}
    with in_tenant(tenant_id, read_only=True), prepared.cursor() as cursor:
        cursor.execute(_ALL, values)
        text, told = cursor.fetchone()
    rows = json.loads(text, object_hook=_row)
    (proposal,) = rows.proposals
    return Tables(
        text=text,
        proposal=proposal,
        revision=next(one for one in rows.revisions if one.no == proposal.revision_no),
        rows=rows,
        events=json.loads(told, object_hook=_row).events,
    )


def newest_event(tenant_id: UUID) -> int:
    with in_tenant(tenant_id, read_only=True), prepared.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(id), 0) FROM audit_event")
        return int(cursor.fetchone()[0])


def _row(values: dict[str, Any]) -> Row:
    for name, value in values.items():
        if value is not None and name.endswith(_TIMES):
            values[name] = datetime.fromisoformat(value)
    return Row(**values)
