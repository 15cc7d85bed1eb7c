"""Who decides: what a program may not do is told it before its body is read."""

from rest_framework.request import Request

from approvals.errors import EditByMachine, VoteByMachine
from console.kernel.actors import Actor
from console.kernel.rest import actor_of


def editor_of(request: Request) -> Actor:
    """Return the person who asks; what a proposal says is no program's to change."""
    actor = actor_of(request)
    if not actor.is_person:
        raise EditByMachine("Only people who are signed in do this; ask a reviewer.")
    return actor


def voter_of(request: Request) -> Actor:
    """Return the person who asks; a key is told so before its body is even read."""
    actor = actor_of(request)
    if not actor.is_person:
        raise VoteByMachine("Only people who are signed in vote; ask a reviewer to decide this.")
    return actor
