"""Saved views: lists that a person keeps by name; nobody else sees them."""

from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet

from approvals import policies
from approvals.cards import SavedViewCard
from approvals.errors import ViewNameTaken, ViewsFull
from approvals.models import VIEW_NAME_LENGTH, SavedView
from approvals.queries.lists import Sort, View, sorts_of
from console.kernel.actors import Actor
from console.kernel.errors import BadInput, NotAllowed, NotFound
from console.kernel.transactions import command

MOST_VIEWS: Final = 50


@command
def save_view(
    *, actor: Actor, name: str, view: View, words: str = "", sort: Sort | None = None
) -> SavedViewCard:
    """Keep a list under a name.

    Args:
        words: the filter, as it was typed.
        sort: an order that the list has; None for the usual one.

    Raises:
        BadInput: the name is empty or too long, or the filter cannot be read.
        ViewNameTaken, ViewsFull: choose another name, or delete one first.
    """
    policies.parse_filter(words)
    if sort is not None and sort not in sorts_of(view):
        said = f"The list {view} is not sorted by {sort}; choose another order."
        raise BadInput(said, fields={"sort": [said]})
    asked = {"view": view.value, "q": words.strip(), "sort": sort.value if sort else ""}
    address = urlencode({key: value for key, value in asked.items() if value})
    return _add(actor, _plain(name), address).card()


@command
def rename_view(*, actor: Actor, view_id: UUID, name: str) -> SavedViewCard:
    """Give a saved view another name; its id changes with it.

    Raises:
        NotFound: this person has no such view.
        BadInput, ViewNameTaken: choose another name.
    """
    wanted = _plain(name)
    row = _own(actor, view_id)
    if wanted == row.name:
        return row.card()
    row.delete()
    # A new row and not a new name: two that take the same name at once are told apart by the
    # index without an error that would end the transaction.
    new = _add(actor, wanted, row.address)
    if row.is_default:
        new.is_default = True
        new.save(update_fields=["is_default"])
    return new.card()


@command
def delete_view(*, actor: Actor, view_id: UUID) -> None:
    """Forget a saved view.

    Raises:
        NotFound: this person has no such view.
    """
    _own(actor, view_id).delete()


@command
def make_default_view(*, actor: Actor, view_id: UUID, on: bool = True) -> SavedViewCard:
    """Have the list of reviews open with this view, or no longer.

    Raises:
        NotFound: this person has no such view.
    """
    _own(actor, view_id)
    # All of them are locked in one order, so that two at once come one after the other.
    rows = {row.id: row for row in _mine(actor).select_for_update().order_by("id")}
    _mine(actor).filter(is_default=True).update(is_default=False)
    row = rows[view_id]
    row.is_default = on
    row.save(update_fields=["is_default"])
    return row.card()


def _mine(actor: Actor) -> QuerySet[SavedView]:
    if not actor.is_person:
        raise NotAllowed("Only people keep views; a program keeps its own addresses.")
    return SavedView.objects.filter(tenant_id=actor.tenant_id, person_id=UUID(actor.id))


def _own(actor: Actor, view_id: UUID) -> SavedView:
    row = _mine(actor).select_for_update().filter(pk=view_id).first()
    if row is None:
        raise NotFound("There is no such saved view; look at the list of them.")
    return row


def _add(actor: Actor, name: str, address: str) -> SavedView:
    if _mine(actor).count() >= MOST_VIEWS:
        raise ViewsFull(f"You keep {MOST_VIEWS} views already; delete one of them first.")
    row = SavedView(tenant_id=actor.tenant_id, person_id=UUID(actor.id), name=name, address=address)
    SavedView.objects.bulk_create([row], ignore_conflicts=True)
    if not SavedView.objects.filter(pk=row.pk).exists():
        raise ViewNameTaken("You have a view of this name already; choose another name.")
    return row


def _plain(name: str) -> str:
    bare = " ".join(name.split())
    if not bare:
        raise _bad("Give the view a name.")
    if len(bare) > VIEW_NAME_LENGTH:
        raise _bad(f"The name is too long; use at most {VIEW_NAME_LENGTH} characters.")
    if not bare.isprintable():
        raise _bad("The name holds characters that cannot be seen; take them out.")
    return bare


def _bad(sentence: str) -> BadInput:
    return BadInput(sentence, fields={"name": [sentence]})
