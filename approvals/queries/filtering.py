"""From the words of a filter to conditions on rows."""

import re
from collections.abc import Iterable
from functools import reduce
from operator import and_, or_

from django.db.models import Exists, OuterRef, Q

from approvals import policies
from approvals.cards import Filter, Term
from approvals.models import Proposal
from approvals.queries import values
from approvals.queries.turns import Reader, held
from approvals.states import PLAN
from console.kernel.actors import Actor


def waiting_rows_of(asked: Filter, reader: Reader) -> Q:
    """Select what fits all words among what waits; `mine` and `is:snoozed` are the lists' own."""
    return reduce(
        and_, (_condition(term, reader, waits=True) for term in _terms(asked, ("mine",))), Q()
    )


def rows_of(asked: Filter, reader: Reader, *, without: Iterable[str] = ()) -> Q:
    """Select what fits all words; `mine` and what is put off are the lists' own question.

    Args:
        without: fields that are left out.
    """
    terms = _terms(asked, ("mine", *without))
    return reduce(and_, (_condition(term, reader, waits=False) for term in terms), Q())


def _terms(asked: Filter, without: Iterable[str]) -> Iterable[Term]:
    left_out = frozenset(without)
    return (term for term in asked.terms if term.field not in left_out)


def _condition(term: Term, reader: Reader, *, waits: bool) -> Q:
    found = (_fits(term, value, reader, waits=waits) for value in term.values)
    return reduce(and_ if term.negated else or_, found)


def _fits(term: Term, value: str, reader: Reader, *, waits: bool) -> Q:
    """Select what one value of a word selects, or what it leaves where the word is negated."""
    if waits and (found := _waiting(term, value, reader.actor)) is not None:
        return found
    said = _said(term.field, value, reader)
    return ~said if term.negated else said


def _said(field: str, value: str, reader: Reader) -> Q:
    match field:
        case "is":
            return _is(value, reader)
        case "tier" | "needs":
            return Q(**{field: int(value)})
        case "group":
            return Q(asked_groups__contains=[value])
        case "tool" | "agent":
            return _like(field, value)
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


def _waiting(term: Term, value: str, actor: Actor) -> Q | None:
    """Select by the values that there are among what waits, or None where that is no way."""
    if term.field == "group":
        return values.of_group(actor, value, but=term.negated)
    if term.field not in ("tool", "agent"):
        return None
    select = values.of_tool if term.field == "tool" else values.of_agent
    if "*" in value:
        return select(actor, "{} ~* %(value)s", _pattern(value), but=term.negated)
    return select(actor, "upper({}) = upper(%(value)s)", value, but=term.negated)


def _like(field: str, value: str) -> Q:
    how, wanted = ("iregex", _pattern(value)) if "*" in value else ("iexact", value)
    if field != "tool":
        columns = ("agent_id", "agent_label")
        return reduce(or_, (Q(**{f"{column}__{how}": wanted}) for column in columns))
    named = Q(**{f"tool__{how}": wanted})
    # A plan is found by the tool of each of its changes; only the rows of plans are asked for them.
    return named | Q(Exists(Proposal.objects.filter(named, plan=OuterRef("pk"))), tool=PLAN)


def _pattern(value: str) -> str:
    return f"^{'.*'.join(re.escape(piece) for piece in value.split('*'))}$"


def _text(value: str) -> Q:
    return Q(title__icontains=value) | Q(agent_label__icontains=value) | Q(tool__icontains=value)
