"""From the words of a filter to conditions on rows."""

import re
from collections.abc import Iterable
from functools import reduce
from operator import and_, or_

from django.db.models import Q

from approvals import policies
from approvals.cards import Filter, Term
from approvals.queries.turns import Reader, held


def rows_of(asked: Filter, reader: Reader, *, without: Iterable[str] = ()) -> Q:
    """Select what fits all words; `mine` and what is put off are the lists' own question.

    Args:
        without: fields that are left out.
    """
    left_out = {"mine", *without}
    terms = [term for term in asked.terms if term.field not in left_out]
    return reduce(and_, (_condition(term, reader) for term in terms), Q())


def _condition(term: Term, reader: Reader) -> Q:
    found = reduce(or_, (_fits(term.field, value, reader) for value in term.values))
    return ~found if term.negated else found


def _fits(field: str, value: str, reader: Reader) -> Q:
    match field:
        case "is":
            return _is(value, reader)
        case "tier" | "needs":
            return Q(**{field: int(value)})
        case "group":
            return Q(asked_groups__contains=[value])
        case "tool":
            return _like("tool", value)
        case "agent":
            return _like("agent_id", value) | _like("agent_label", value)
        case _:
            return _text(value)


def _is(value: str, reader: Reader) -> Q:
    if value == policies.HELD:
        return held()
    if value == policies.CLAIMED:
        return reader.claimed
    if value == policies.SNOOZED:
        return reader.snoozed
    return Q(state=value)


def _like(column: str, value: str) -> Q:
    if "*" not in value:
        return Q(**{f"{column}__iexact": value})
    pattern = ".*".join(re.escape(piece) for piece in value.split("*"))
    return Q(**{f"{column}__iregex": f"^{pattern}$"})


def _text(value: str) -> Q:
    return Q(title__icontains=value) | Q(agent_label__icontains=value) | Q(tool__icontains=value)
