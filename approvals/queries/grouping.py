"""Identical requests of one run: in a list they stand together, where the first of them stands."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeAlias
from uuid import UUID

from django.db import connection

from approvals.models import Proposal
from approvals.queries.paging import Order
from console.kernel.actors import Actor

Row: TypeAlias = tuple[int, Proposal]  # with the number of the part of the list that it is in

# Of all that a list could hold; the list says which of it it does.
_SAME: Final = """
SELECT id, run_id, fingerprint
  FROM (SELECT p.id, p.run_id, r.fingerprint,
               count(*) OVER (PARTITION BY p.run_id, r.fingerprint) AS alike
          FROM approvals_proposal p
          JOIN approvals_revision r
            ON r.tenant_id = p.tenant_id AND r.proposal_id = p.id AND r.no = p.revision_no
         WHERE p.tenant_id = %(tenant)s AND p.run_id = ANY (%(runs)s) AND p.plan_id IS NULL
           AND (p.state IN ('open', 'stale') OR p.moved_at > %(left_after)s)
           AND r.fingerprint IS NOT NULL) AS one
 WHERE alike > 1
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """What equal requests have in common: their run, and the same tool and arguments now."""

    run_id: UUID
    fingerprint: bytes


def kinds_of(
    actor: Actor, runs: Collection[UUID], left_after: datetime | None
) -> Mapping[UUID, Kind]:
    """Return what these runs may have asked for several times, with the kind of each.

    It looks at these runs and at nothing else that waits, so it costs the same in a list of any
    length, and it asks nothing of the reader: few requests have an equal, and only these are asked
    for their place in the list.

    Args:
        left_after: what was decided after this counts, too.
    """
    if not runs:
        return {}
    given: dict[str, Any] = {
        "tenant": actor.tenant_id,
        "runs": list(runs),
        "left_after": left_after or "infinity",
    }
    with connection.cursor() as cursor:
        cursor.execute(_SAME, given)
        return {id_: Kind(run, bytes(fingerprint)) for id_, run, fingerprint in cursor.fetchall()}


class Alike:
    """What one run asks for several times, as far as it touches a page.

    Args:
        rows: of these kinds, each with the part of the list that it is in.
    """

    def __init__(self, rows: Iterable[Row], kinds: Mapping[UUID, Kind], order: Order) -> None:
        found: dict[tuple[int, Kind], list[Row]] = defaultdict(list)
        for part, row in sorted(rows, key=lambda one: order.key(one[1])):
            found[part, kinds[row.id]].append((part, row))
        self._groups = {
            row.id: group for group in found.values() if len(group) > 1 for _part, row in group
        }

    @property
    def groups(self) -> Mapping[UUID, UUID]:
        """Return the first of its group for every member of one."""
        return {member: group[0][1].id for member, group in self._groups.items()}

    def gathered(self, found: Sequence[Row], order: Order, *, begun: bool) -> list[Proposal]:
        """Return the rows of a page with all members of a group behind its first.

        A group is on one page only: where its first member stands, even if others would stand on
        later pages.

        Args:
            begun: there are pages before this one.
        """
        shown: dict[UUID, Proposal] = {}
        start = _place(found[0], order) if found else ()
        for part, row in found:
            group = self._groups.get(row.id, [(part, row)])
            if begun and _place(group[0], order) < start:
                continue
            shown |= {member.id: member for _part, member in group}
        return list(shown.values())


def _place(row: Row, order: Order) -> tuple[Any, ...]:
    return (row[0], *order.key(row[1]))
