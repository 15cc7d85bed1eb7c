"""What `make run` prints."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from console.local.environment import Environment, Source
from console.local.places import Place

RULES = "rules, no language model (set ANTHROPIC_API_KEY to use one)"


def running_already(record: Mapping[str, Any], place: Place) -> str:
    where = f"at {record['url']}" if record.get("url") else "and about to answer"
    pid = record.get("pid", "unknown")
    return (
        f"Signalbox is running already, {where} (process {pid}).\n"
        f"Its logs are in {place.logs}. Stop it with Ctrl-C there, or with: kill {pid}"
    )


def running(
    place: Place, port: int, people: Sequence[Mapping[str, Any]], found: Environment, took_s: float
) -> str:
    """Tell a newcomer where to go, as whom, what answers, and where to look when it does not."""
    lines = [
        "",
        f"Signalbox is running (started in {took_s:.1f} s). Stop it with Ctrl-C.",
        "",
        f"  console   http://localhost:{port}",
        f"  shop      http://localhost:{port}/demo/shop/  (a page with the agent's chat)",
        f"  widget    http://127.0.0.1:{port}  (the chat's origin)",
        f"  model     {model()}",
        f"  database  {_database(found)}",
        f"  redis     {'embedded' if found.servers.redis else 'yours, from REDIS_URL'}",
        f"  logs      {place.logs}",
        "",
        *_people(people),
    ]
    if found.is_unbound:
        lines += ["", *unbound()]
    return "\n".join(lines)


def model() -> str:
    if os.environ.get("ANTHROPIC_API_KEY") or os.environ.get("ANTHROPIC_BASE_URL"):
        return f"anthropic, {os.environ.get('SIGNALBOX_MODEL') or 'the default model'}"
    return RULES


def unbound() -> list[str]:
    """Say loudly what is lost when we log in as the owner."""
    return [
        "!! The login in DATABASE_URL may not prepare the roles that row-level security binds.",
        "!! Everything runs as that login, and tenants are kept apart by the program alone.",
        "!! Let a superuser run `manage.py roles` before real people use this.",
    ]


def _database(found: Environment) -> str:
    if found.source is Source.EMBEDDED:
        return f"embedded PostgreSQL, data in {found.servers.place.data}"
    return "yours, from DATABASE_URL"


def _people(people: Sequence[Mapping[str, Any]]) -> list[str]:
    """List who can sign in, tenant by tenant."""
    if not people:
        return ["  This database has no demo people; sign in as somebody of yours."]
    rows = [(str(one["email"]), _roles(one), str(one["password"])) for one in people]
    widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
    lines = []
    for tenant in dict.fromkeys(str(one["tenant"]) for one in people):
        lines.append(f"  people of {tenant}, with roles and passwords")
        lines += [
            f"    {row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}"
            for row, one in zip(rows, people, strict=True)
            if one["tenant"] == tenant
        ]
    return lines


def _roles(one: Mapping[str, Any]) -> str:
    groups = f" ({', '.join(one['groups'])})" if one.get("groups") else ""
    return " + ".join(one["roles"]) + groups
