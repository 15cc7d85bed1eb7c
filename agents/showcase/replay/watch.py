"""The digest of a tenant's shop, cheap enough to take after every task."""

from collections.abc import Mapping

from agents.showcase.retail import queries, state
from console.kernel.actors import Actor


class Watch:
    """Keeps the canonical text of every record and reads anew what PostgreSQL says was written.

    The mark is the row's `xmin`: the database sets it on every write, whoever writes, so nothing
    can change a record unseen. A fresh reading of the whole shop ends each replay all the same.
    """

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._marks = queries.row_marks(actor=actor)
        self._texts = queries.fragments(actor=actor)
        self._initial = {kind: dict(texts) for kind, texts in self._texts.items()}

    def digest(self) -> str:
        """Return `state_sha256` of the shop as it is now."""
        marks = queries.row_marks(actor=self._actor)
        moved = {
            kind: [key for key, mark in rows.items() if self._marks[kind].get(key) != mark]
            for kind, rows in marks.items()
        }
        if any(moved.values()):
            for kind, texts in queries.fragments(actor=self._actor, keys=moved).items():
                self._texts[kind].update(texts)
        self._marks = marks
        return state.digest({kind: texts.items() for kind, texts in self._texts.items()})

    def changed(self) -> Mapping[str, list[str]]:
        """Return the records that are other than at the start, as of the last digest."""
        return {
            kind: [key for key, text in texts.items() if self._initial[kind][key] != text]
            for kind, texts in self._texts.items()
        }
