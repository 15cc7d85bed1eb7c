"""Which values a column has among all that waits, read by skipping from each to the next.

100,000 rows that wait have few tools, agents and sets of groups. Asked for by these values, a
condition is an equality: row-level security lets an index answer it and statistics estimate it. An
overlap or a pattern on each row gets neither.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias
from uuid import UUID

from django.db import connection
from django.db.models import Exists, OuterRef, Q

from approvals.models import Proposal
from approvals.states import DECIDABLE, PLAN
from console.kernel.actors import Actor

MOST_VALUES: Final = 500  # of more, a condition on each row costs less than to name them

# {fits} compares as the condition on each row would, in the same database.
_SKIP: Final = """
WITH RECURSIVE found AS (
  (SELECT {columns} FROM {table} WHERE {waits} ORDER BY {key} LIMIT 1)
  UNION ALL
  SELECT following.* FROM found, LATERAL (
    SELECT {columns} FROM {table} WHERE {waits} AND ({key}) > ({found_key}) ORDER BY {key} LIMIT 1
  ) AS following
), few AS (SELECT * FROM found LIMIT %(most)s)
SELECT {columns}, {fits}, count(*) OVER () FROM few
"""
_WAITS: Final = "tenant_id = %(tenant)s AND state IN ('open', 'stale')"
_Rows: TypeAlias = list[tuple[object, ...]]


def asked_of(actor: Actor, names: frozenset[str]) -> Q:
    """Select what waits and asks for one of these groups."""
    given = {"names": sorted(names)}
    fits = "asked_groups && %(names)s::varchar[]"
    found = _values(actor, ("asked_key",), fits, given, more=("asked_groups",))
    if found is None:
        return Q(asked_groups__overlap=sorted(names))
    return Q(asked_key__in=[key for key, _groups, fit in found if fit])


def of_group(actor: Actor, name: str, *, but: bool = False) -> Q:
    """Select what waits and asks for this group, by a name of the filter.

    Args:
        but: all the others instead. They are named as well: said as "not one of these", no index
            would answer, and where nothing is left all that waits would be read to learn it.
    """
    found = _values(
        actor,
        ("asked_key",),
        "%(name)s = ANY (asked_groups)",
        {"name": name},
        more=("asked_groups",),
    )
    if found is None:
        asking = Q(asked_groups__contains=[name])
        return ~asking if but else asking
    return Q(asked_key__in=[key for key, _groups, fit in found if fit is not but])


def of_tool(actor: Actor, comparison: str, value: str, *, but: bool = False) -> Q | None:
    """Select what waits for a tool that compares so, or None where there are too many tools.

    A plan waits for the tool of each of its changes, too.

    Args:
        but: all the others instead, as in `of_group`.
    """
    found = _values(actor, ("tool",), comparison.format("tool"), {"value": value})
    if found is None:
        return None
    named = Q(tool__in=[tool for tool, fit in found if fit is not but])
    of_steps = [tool for tool, fit in found if fit and tool != PLAN]
    if not of_steps or PLAN not in {tool for tool, _fit in found}:
        return named
    plans = Q(pk__in=_plans_with(actor, of_steps))
    return named & ~plans if but else named | plans


def of_agent(actor: Actor, comparison: str, value: str, *, but: bool = False) -> Q | None:
    """Select what waits for an agent whose id or label compares so, or None as `of_tool`.

    Args:
        but: all the others instead, as in `of_group`.
    """
    by_id, by_label = comparison.format("agent_id"), comparison.format("agent_label")
    fits = f"{by_id}, {by_label}"
    found = _values(actor, ("agent_id", "agent_label"), fits, {"value": value})
    if found is None:
        return None
    if but:
        others = [(agent, label) for agent, label, *fits in found if True not in fits]
        # Nothing else is both: whatever fits by its id or its label is in neither of the two.
        return Q(
            agent_id__in={agent for agent, _label in others},
            agent_label__in={label for _agent, label in others},
        )
    named = {agent for agent, _label, fit, _by_label in found if fit}
    labelled = {(agent, label) for agent, label, fit, by_label in found if by_label and not fit}
    # Ids beside the labels: the index begins with them.
    return Q(agent_id__in=named) | Q(
        agent_id__in={agent for agent, _label in labelled},
        agent_label__in={label for _agent, label in labelled},
    )


def _plans_with(actor: Actor, tools: Sequence[object]) -> list[UUID]:
    """Return the plans that wait and have a change by one of these tools; read by their few rows.

    Asked within the list, the condition would keep its index from answering for everything else.
    """
    steps = Proposal.objects.filter(plan=OuterRef("pk"), tenant_id=actor.tenant_id, tool__in=tools)
    waiting = Proposal.objects.filter(
        tenant_id=actor.tenant_id, tool=PLAN, state__in=sorted(one.value for one in DECIDABLE)
    )
    return list(waiting.filter(Exists(steps)).values_list("pk", flat=True))


def _values(
    actor: Actor,
    key: tuple[str, ...],
    fits: str,
    given: Mapping[str, Any],
    *,
    more: tuple[str, ...] = (),
) -> _Rows | None:
    """Return each value of an index's columns with whether it fits, or None of too many."""
    asked = _SKIP.format(
        table=Proposal._meta.db_table,  # noqa: SLF001 - Django's documented way to a table's name
        columns=", ".join((*key, *more)),
        key=", ".join(key),
        found_key=", ".join(f"found.{column}" for column in key),
        waits=_WAITS,
        fits=fits,
    )
    with connection.cursor() as cursor:
        cursor.execute(asked, {"tenant": actor.tenant_id, "most": MOST_VALUES + 1, **given})
        found: _Rows = cursor.fetchall()
    if len(found) > MOST_VALUES:
        return None
    return [row[:-1] for row in found]
