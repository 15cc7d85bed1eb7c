"""Tenant scope: which organisation's rows the open transaction may touch.

The scope lives on the connection, so it ends with the transaction and never leaks into another
thread. Row-level security in PostgreSQL enforces it; this module only says it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction

_SCOPE: Final = "signalbox_scope"
_directory: list[Callable[[], list[UUID]]] = []


@dataclass(slots=True)
class _Scope:
    """What goes with the open transaction."""

    tenant_id: UUID
    said: set[str] = field(default_factory=set)
    last: dict[Callable[[list[Any]], None], list[Any]] = field(default_factory=dict)


def _open() -> _Scope | None:
    found: _Scope | None = getattr(connection, _SCOPE, None)
    return found


def current() -> UUID | None:
    """Return the tenant of the open transaction, or None outside of one."""
    found = _open()
    return found.tenant_id if found else None


def said_before(word: str) -> bool:
    """Tell whether this was asked in the open transaction before, for what is said once in it."""
    found = _open()
    if found is None:
        return False
    if word in found.said:
        return True
    found.said.add(word)
    return False


def at_the_end(write: Callable[[list[Any]], None], row: Any) -> None:
    """Have `write` called with all the rows that it was given, as the transaction's last act.

    Rows of a kind that many commands write then share one round trip; if they cannot be written,
    nothing is committed.

    Raises:
        RuntimeError: there is no open transaction of a tenant.
    """
    found = _open()
    if found is None:
        raise RuntimeError("Only a command can send something; there is no open transaction.")
    found.last.setdefault(write, []).append(row)


@contextmanager
def scope(tenant_id: UUID, *, read_only: bool = False) -> Iterator[bool]:
    """Open one transaction bound to a tenant, or join the open one; yields whether it is new.

    Raises:
        RuntimeError: the open transaction belongs to another tenant.
    """
    open_for = current()
    if open_for is not None:
        if open_for != tenant_id:
            raise RuntimeError("One transaction belongs to one tenant.")
        yield False
        return
    # The thread's own connection, looked up once: the proxy does that for each attribute.
    own = connections[DEFAULT_DB_ALIAS]
    with transaction.atomic(durable=True):
        mode = "SET TRANSACTION READ ONLY; " if read_only else ""
        with own.cursor() as cursor:
            # UUID() has checked the text; one round trip for both statements, and no rows back.
            cursor.execute(f"{mode}SET LOCAL signalbox.tenant_id = '{UUID(str(tenant_id))}'")
        opened = _Scope(tenant_id)
        setattr(own, _SCOPE, opened)
        try:
            yield True
            for write, rows in opened.last.items():
                write(rows)
        finally:
            setattr(own, _SCOPE, None)


@contextmanager
def unscoped() -> Iterator[None]:
    """Open one transaction without a tenant: only tables that belong to no tenant can be seen."""
    with transaction.atomic(durable=True):
        yield


def after_commit(act: Callable[[], None]) -> None:
    """Run `act` once the open transaction has committed; for effects that may be lost."""
    transaction.on_commit(act)


def set_directory(tenant_ids: Callable[[], list[UUID]]) -> None:
    """Fill the port through which the floor learns which tenants there are; accounts does it."""
    _directory[:] = [tenant_ids]


def every_tenant(*, reason: str) -> Iterator[UUID]:
    """Yield the id of each tenant, for duties across tenants; `reason` is for the reader.

    Nothing is opened: each piece of work still enters one tenant's scope.
    """
    if not reason:
        raise ValueError("Work across tenants needs a reason.")
    for directory in _directory:
        yield from directory()


def role_sees_everything() -> bool:
    """Tell whether row-level security does not bind the role of this connection."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        row = cursor.fetchone()
    return bool(row and row[0])
