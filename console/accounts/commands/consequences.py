"""A port: what has to happen in the very transaction in which people, groups or rights change.

Rooms above fill it when they are ready; what may come a moment later subscribes to the facts.
"""

from collections.abc import Callable
from typing import Protocol

from console.kernel.actors import Actor


class Consequence(Protocol):
    """A command that looks at what the people of the actor's tenant can do now."""

    def __call__(self, *, actor: Actor) -> object: ...


_consequences: dict[str, Consequence] = {}


def when_people_change(name: str, act: Callable[..., object]) -> None:
    """Have `act` called whenever it may have changed who may decide what."""
    _consequences[name] = act


def people_changed(*, actor: Actor) -> None:
    """Tell the rooms above; part of the caller's transaction."""
    for act in _consequences.values():
        act(actor=actor)
