"""From terms to conditions on rows of the search table, each of which an index serves."""

from functools import reduce
from operator import or_
from typing import Any, Final

from django.contrib.postgres.search import SearchQuery
from django.db.models import Q, QuerySet

from audit.events import catalogue
from audit.models import AuditSearch, AuditSearchName, AuditSearchWindow
from audit.search import FIELDS, Exact, Prefix, Query, Takes, Term, Value, plain, span_of
from console.kernel.actors import Actor

_LAST: Final = "\U0010ffff"  # sorts behind whatever follows a prefix
_COLUMNS: Final = {"actor": "actor_id", "created": "received_us", "claimed": "claimed_us"}
_LISTED: Final = frozenset({"approver", "has", "policy", "subject", "via"})
_NAMED: Final = frozenset({"actor", "agent"})
# Their indexes leave out entries without a value, so a condition says that there is one.
_SPARSE: Final = frozenset(
    {"agent", "digest", "outcome", "proposal", "run", "target_id", "tool", "trace"}
)
_NONE: Final = Q(index__in=[])
MOST_NAMED: Final = 100


def matching(*, actor: Actor, query: Query) -> QuerySet[Any]:
    """Return the rows that a question asks for, in no order."""
    rows = _table(query).filter(tenant_id=actor.tenant_id)
    for term in query.terms:
        wanted = reduce(or_, _conditions(term, actor))
        rows = rows.filter(~wanted if term.negated else wanted)
    return rows


def _table(query: Query) -> QuerySet[Any]:
    """Return the table under its policy, or the window where only that lets an index be used."""
    windowed = any(term.field in {"", "id", *_LISTED} for term in query.terms)
    return AuditSearchWindow.objects.all() if windowed else AuditSearch.objects.all()


def _conditions(term: Term, actor: Actor) -> list[Q]:
    if term.field == "":
        return [_said(value) for value in term.values]
    if term.field == "id":
        return [Q(ids__contains=[_text(value)]) for value in term.values]
    if term.field in _LISTED:
        tokens = (f"{term.field}:{_text(value)}".lower() for value in term.values)
        return [Q(tokens__contains=[token]) for token in tokens]
    if FIELDS[term.field].takes in {Takes.TIME, Takes.NUMBER}:
        return [_in_range(term.field, value) for value in term.values]
    if term.field == "target":
        return [_targets(value) for value in term.values]
    return _in_column(term, actor)


def _in_column(term: Term, actor: Actor) -> list[Q]:
    column = _COLUMNS.get(term.field, term.field)
    whole = [value.text for value in term.values if isinstance(value, Exact)]
    if term.field in _NAMED:
        whole += _ids_named(term.field, whole, actor)
    begun = [_begins(column, value.text) for value in term.values if isinstance(value, Prefix)]
    return [*([_there(column, Q(**{f"{column}__in": whole}))] if whole else []), *begun]


def _ids_named(field: str, names: list[str], actor: Actor) -> list[str]:
    """Return the ids that went by one of these names, in any case."""
    rows = AuditSearchName.objects.filter(
        tenant_id=actor.tenant_id, field=field, name__in=[name.lower() for name in names]
    )
    return list(rows.values_list("value", flat=True).distinct()[:MOST_NAMED])


def _begins(column: str, text: str) -> Q:
    found = Q(**{f"{column}__gte": text, f"{column}__lt": text + _LAST}) if text else Q()
    return _there(column, found) if text or column in _SPARSE else Q(**{f"{column}__gt": ""})


def _there(column: str, found: Q) -> Q:
    return found & Q(**{f"{column}__gt": ""}) if column in _SPARSE else found


def _targets(value: Value) -> Q:
    """Read an id, a type, or `type:id`; which words are types is known."""
    text = _text(value)
    types = {event.target_type for event in catalogue()}
    kind, colon, rest = text.partition(":")
    if isinstance(value, Prefix):
        if colon and kind in types:
            return Q(target_type=kind) & _begins("target_id", rest)
        return _begins("target_id", text)
    if text in types:
        return Q(target_type=text)
    if colon and kind in types:
        return Q(target_type=kind) & _there("target_id", Q(target_id=rest))
    return _there("target_id", Q(target_id=text))


def _in_range(field: str, value: Value) -> Q:
    column = _COLUMNS.get(field, field)
    low, high = span_of(field, value)
    bounds = {f"{column}__gte": low, f"{column}__lt": high}
    return Q(**{name: bound for name, bound in bounds.items() if bound is not None})


def _said(value: Value) -> Q:
    """Find a word, a phrase, or the beginning of its last word; or an id that reads so."""
    text = _text(value)
    words = plain(text).lower()
    if isinstance(value, Prefix):
        lexemes = " <-> ".join(f"'{word}'" for word in words.split())
        return Q(words=_asked(f"{lexemes}:*", "raw")) if lexemes else _NONE
    found = Q(words=_asked(words, "phrase")) if words else _NONE
    return found | Q(ids__contains=[text])


def _asked(text: str, how: str) -> SearchQuery:
    return SearchQuery(text, config="simple", search_type=how)


def _text(value: Value) -> str:
    return value.text if isinstance(value, Exact | Prefix) else str(value)
