"""The questions that auditors ask most, each as a query that can be read and changed."""

from collections.abc import Iterator
from datetime import date
from typing import Final

_ASKED: Final = (
    ("What agents did today", "agent:* action:call.*,proposal.*,dispatch.* created:{today}"),
    ("Who approved", "action:vote.cast outcome:approve"),
    ("Refused", "outcome:refused"),
    ("Asked for something else than approved", "has:mismatch"),
    ("Clock differs", "has:skew"),
    ("Stops", "action:switch.*"),
    ("Who may do what", "action:person.*,membership.*,grant.*,key.*"),
    ("Who looked into the trail", "kind:read"),
)


def presets(*, today: date) -> Iterator[tuple[str, str]]:
    """Yield the words for a question, and the query; its days are those of now."""
    for words, query in _ASKED:
        yield words, query.format(today=today.isoformat())
