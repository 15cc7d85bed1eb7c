"""What earlier calls come to, for rules that add up."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.db import connection

from approvals.policies import Rule, Sums
from approvals.states import LIVE, ProposalState
from console.kernel import canonical

_NUMBER: Final = r"^-?(0|[1-9][0-9]{0,29})(\.[0-9]{1,18})?$"
_COUNTED: Final = sorted(state.value for state in LIVE | {ProposalState.DISPATCHED})
# What is no number makes the sum unknown; what is not there adds nothing.
_SUM: Final = """
SELECT coalesce(sum(CASE WHEN found.number ~ %(number)s THEN found.number::numeric END), 0),
       count(*) FILTER (WHERE found.number !~ %(number)s)
  FROM (
    SELECT known.facts #>> %(sum)s::text[] AS number
      FROM approvals_proposal p
      JOIN approvals_revision r
        ON r.tenant_id = p.tenant_id AND r.proposal_id = p.id AND r.no = p.revision_no
      LEFT JOIN approvals_evaluation e
        ON e.tenant_id = p.tenant_id AND e.proposal_id = p.id AND e.revision_no = p.revision_no
       AND e.purpose = 'propose'
     CROSS JOIN LATERAL (
        SELECT coalesce(e.facts, '{}'::jsonb)
               || jsonb_build_object('args', convert_from(r.args, 'UTF8')::jsonb)
     ) AS known (facts)
     WHERE p.tenant_id = %(tenant)s
       AND NOT p.is_check
       AND p.created_at > %(since)s
       AND p.state = ANY (%(states)s)
       AND p.id <> %(own)s
       AND (p.created_at, p.id) < (%(before)s, %(own)s)
       AND p.tool LIKE %(tool)s
       AND p.agent_id LIKE %(agent)s
       AND (%(any_tier)s OR p.tier = ANY (%(tiers)s))
       AND coalesce(known.facts ->> 'environment', '') LIKE %(environment)s
       AND coalesce(known.facts ->> 'channel', '') LIKE %(channel)s
       AND NOT EXISTS (
         SELECT 1 FROM jsonb_array_elements(%(by)s::jsonb) AS one (by)
          WHERE known.facts #> ARRAY(SELECT jsonb_array_elements_text(one.by -> 'path'))
                IS DISTINCT FROM one.by -> 'value')
  ) AS found
"""

LAST: Final = UUID(int=2**128 - 1)  # after every proposal


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a call stands among the others: only those before it are counted."""

    at: datetime
    own: UUID = LAST


def sums_of(
    tenant_id: UUID, wanted: Mapping[str, tuple[Rule, tuple[Any, ...]]], place: Place, at: datetime
) -> Sums:
    """Return what the live and dispatched calls before this one come to, for each rule.

    Whoever decides by it holds the locks of these rules, so that no other call is counted at the
    same time.

    Args:
        wanted: rules with the values that they add up by, as `policies.totals_wanted` returns them.
        at: the end of the window.
    """
    return {
        name: _sum(tenant_id, rule, values, place, at) for name, (rule, values) in wanted.items()
    }


def _sum(
    tenant_id: UUID, rule: Rule, values: tuple[Any, ...], place: Place, at: datetime
) -> Decimal | None:
    total = rule.total
    if total is None:
        return None
    by = [
        {"path": list(path), "value": value} for path, value in zip(total.by, values, strict=True)
    ]
    given: dict[str, Any] = {
        "number": _NUMBER,
        "sum": list(total.sum),
        "tenant": tenant_id,
        "since": at - timedelta(seconds=total.window_s),
        "states": _COUNTED,
        "own": place.own,
        "before": place.at,
        "tool": _like(rule.match.tool),
        "agent": _like(rule.match.agent),
        "any_tier": not rule.match.tiers,
        "tiers": sorted(rule.match.tiers),
        "environment": _like(rule.match.environment),
        "channel": _like(rule.match.channel),
        "by": canonical.dumps(by).decode(),
    }
    with connection.cursor() as cursor:
        cursor.execute(_SUM, given)
        found, odd = cursor.fetchone()
    return None if odd else Decimal(found)


def _like(pattern: str) -> str:
    """Return a glob as a pattern of LIKE; the empty one fits everything."""
    if not pattern:
        return "%"
    quoted = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return quoted.replace("*", "%").replace("?", "_")
