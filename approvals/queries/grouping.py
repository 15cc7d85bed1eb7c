"""Identical requests of one run: in a list they stand together, where the first of them stands."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any, TypeAlias
from uuid import UUID

from django.db.models import (
    Case,
    Count,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
    Window,
)

from approvals.models import Proposal, Revision
from approvals.queries.paging import Order

Row: TypeAlias = tuple[int, Proposal]  # with the number of the part of the list that it is in


def identical(
    rows: QuerySet[Proposal], parts: Sequence[Q], runs: Collection[UUID]
) -> Iterable[Proposal]:
    """Return the rows of these runs that have an equal in the same part of the list.

    Equal is what has the same tool and arguments now. It looks at these runs and at nothing else
    that waits, so it costs the same in a list of any length.
    """
    current = Revision.objects.filter(
        tenant_id=OuterRef("tenant_id"), proposal=OuterRef("pk"), no=OuterRef("revision_no")
    )
    whens = [When(part, then=Value(number)) for number, part in enumerate(parts)]
    several: Any = Case(*whens, output_field=IntegerField())
    kinds = rows.filter(reduce(or_, parts), run_id__in=runs).annotate(
        part=several if len(parts) > 1 else Value(0),
        fingerprint=Subquery(current.values("fingerprint")[:1]),
    )
    as_one = [F("run_id"), F("part"), F("fingerprint")]
    return kinds.annotate(alike=Window(Count("pk"), partition_by=as_one)).filter(
        fingerprint__isnull=False, alike__gt=1
    )


class Alike:
    """What one run asks for several times, as far as it touches a page."""

    def __init__(self, rows: Iterable[Any], order: Order) -> None:
        found: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
        for row in sorted(rows, key=order.key):
            found[row.run_id, row.part, bytes(row.fingerprint)].append((row.part, row))
        self._groups = {row.id: group for group in found.values() for _part, row in group}

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
