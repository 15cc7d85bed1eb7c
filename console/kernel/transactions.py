"""The only doors to the database: `@command` writes, `@query` reads, each in one transaction."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import ParamSpec, TypeVar, cast
from uuid import UUID

from console.kernel import tenancy
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError

P = ParamSpec("P")
R = TypeVar("R")

COMMANDS: dict[str, Callable[..., object]] = {}
QUERIES: dict[str, Callable[..., object]] = {}


def command(act: Callable[P, R]) -> Callable[P, R]:
    """Run `act` in one transaction of its actor's tenant; inside another command it joins that one.

    A refusal that is *returned* is raised after the commit, so that what was noticed is kept. A
    command that joined raises it at once, and the outer command decides.
    """

    @wraps(act)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        actor = cast(Actor, kwargs["actor"])
        try:
            with tenancy.scope(actor.tenant_id):
                result = act(*args, **kwargs)
        except ConsoleError as refusal:
            refusal.keeps = False  # also where an inner command returned it: this one raised it
            raise
        if isinstance(result, ConsoleError):
            result.keeps = True
            raise result
        return result

    COMMANDS[f"{act.__module__}.{act.__name__}"] = run
    return run


def query(read: Callable[P, R]) -> Callable[P, R]:
    """Run `read` in one read-only transaction of its actor's tenant, or in the one that is open."""

    @wraps(read)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        actor = cast(Actor, kwargs["actor"])
        with tenancy.scope(actor.tenant_id, read_only=True):
            return read(*args, **kwargs)

    QUERIES[f"{read.__module__}.{read.__name__}"] = run
    return run


def in_tenant(tenant_id: UUID, *, read_only: bool = False) -> AbstractContextManager[bool]:
    """Open or join a tenant's transaction, for the relay, REST idempotency and duties."""
    return tenancy.scope(tenant_id, read_only=read_only)


after_commit = tenancy.after_commit
