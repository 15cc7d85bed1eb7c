"""What the list of reviews takes at 100,000 open proposals: `python deploy/bench/queue_page.py`.

*Ours* is the whole page through the real view: session, rights, counts of all lists, 50 rows,
templates. Beside it stand the team's list, a page deep in it, and the page of a reader whom one
row in a thousand asks. *Plain* is the least that such a page needs: its 50 rows by one prepared
query. The rows are in a tenant of their own, and withdrawn at the end.
"""

import argparse
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from secrets import token_urlsafe
from typing import Final
from uuid import UUID

from django.contrib.auth.hashers import make_password
from django.db import connection
from django.test import Client
from django_ready import connect
from rows import Row, quantile, say, script

from approvals import commands
from approvals.cards import Content, Principal, ProposalCard, ProposalFacts, Subject
from approvals.states import PrincipalRole
from console.accounts import commands as accounts
from console.kernel.actors import Actor, system
from console.kernel.ids import uuid7
from console.kernel.transactions import in_tenant

OPEN: Final = 100_000
TARGET_MS: Final = 150.0
BAR_MS: Final = 500.0  # of every list in the product; a search looks at all rows that wait
# The worst of their kind: one in ten fits, patterns, three words at once, none fits.
FILTERS: Final = (
    "agent:agent-3",
    "tool:tool_*",
    "tool:tool_7 agent:agent-7 tier:1",
    "-agent:agent-*",
)
# A row of each table is made by the product's own command; the others are its copies, so that this
# knows as little of the columns as can be.
COPIES: Final = (
    """
    INSERT INTO approvals_proposal
    SELECT made.* FROM approvals_proposal one, generate_series(1, %(open)s) n,
      LATERAL (SELECT CASE WHEN n %% 1000 = 0 THEN 'legal' WHEN n %% 5 < 2 THEN 'care'
                      ELSE 'finance' END AS asked) who,
      LATERAL jsonb_populate_record(one, jsonb_build_object(
        'id', md5(one.tenant_id::text || 'p' || n)::uuid,
        'subject_id', md5(one.tenant_id::text || 's' || n)::uuid,
        'tier', 1 + (n %% 3 = 0)::int, 'tool', 'tool_' || n %% 20, 'title', 'Change order #W' || n,
        'agent_id', 'agent-' || n %% 10, 'agent_label', 'agent-' || n %% 10 || ' v3',
        'asked_groups', jsonb_build_array(who.asked), 'needs', 1,
        'run_id', md5(one.tenant_id::text || 'run' || n %% 10000)::uuid,
        'decide_by', one.decide_by + n * interval '7 seconds'
      )) made
     WHERE one.id = %(one)s
    """,
    """
    INSERT INTO approvals_revision
    SELECT made.* FROM approvals_revision one, generate_series(1, %(open)s) n,
      LATERAL jsonb_populate_record(one, jsonb_build_object(
        'id', md5(one.tenant_id::text || 'r' || n)::uuid,
        'fingerprint', E'\\\\x' || repeat(md5(CASE n %% 10
          WHEN 0 THEN n %% 10000 || '.' || n / 20000 ELSE n::text END), 2),
        'proposal_id', md5(one.tenant_id::text || 'p' || n)::uuid)) made
     WHERE one.proposal_id = %(one)s
    """,
    """
    INSERT INTO approvals_requirement
    SELECT made.* FROM approvals_requirement one, generate_series(1, %(open)s) n,
      LATERAL (SELECT asked_groups AS asked FROM approvals_proposal p
                WHERE p.id = md5(one.tenant_id::text || 'p' || n)::uuid) who,
      LATERAL jsonb_populate_record(one, jsonb_build_object(
        'id', md5(one.tenant_id::text || 'q' || n)::uuid,
        'proposal_id', md5(one.tenant_id::text || 'p' || n)::uuid,
        'asked_groups', to_jsonb(who.asked),
        'blocks', jsonb_build_array(jsonb_build_object('slots',
          jsonb_build_array(jsonb_build_object('groups', to_jsonb(who.asked), 'n', 1)))))) made
     WHERE one.proposal_id = %(one)s
    """,
    """
    INSERT INTO approvals_principal
    SELECT made.* FROM approvals_principal one, generate_series(1, %(open)s) n,
      LATERAL jsonb_populate_record(one, jsonb_build_object(
        'id', md5(one.tenant_id::text || one.role || n)::uuid,
        'proposal_id', md5(one.tenant_id::text || 'p' || n)::uuid)) made
     WHERE one.proposal_id = %(one)s
    """,
)
WITHDRAW: Final = """
    UPDATE approvals_proposal
       SET state = 'withdrawn', close_cause = 'bench', moved_at = clock_timestamp()
     WHERE tenant_id = %(tenant)s AND state = 'open'
"""
PLAIN: Final = """
    SELECT id, title, tool, tier, agent_label, decide_by FROM approvals_proposal
     WHERE tenant_id = %s AND state = 'open' AND asked_groups && '{care}'
     ORDER BY decide_by, tier DESC, id LIMIT 50
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """A tenant full of proposals, and the browsers of two of its reviewers."""

    tenant_id: UUID
    care: Client
    legal: Client


def measure(asked: argparse.Namespace) -> list[Row]:
    times = 20 if asked.quick else 100
    with _desk() as desk, connect("default") as plain:
        plain.execute("SELECT set_config('signalbox.tenant_id', %s, false)", [str(desk.tenant_id)])
        deep = _deep(desk.care)
        pages = {
            "my turn": partial(_page, desk.care, "/reviews/?view=mine"),
            "team": partial(_page, desk.care, "/reviews/?view=team"),
            "waiting on others": partial(_page, desk.care, "/reviews/?view=waiting"),
            "20 pages on": partial(_page, desk.care, deep),
            "one in 1,000 is yours": partial(_page, desk.legal, "/reviews/?view=mine"),
            "the same, team": partial(_page, desk.legal, "/reviews/?view=team"),
            "the same, waiting": partial(_page, desk.legal, "/reviews/?view=waiting"),
            "the same, newest": partial(_page, desk.legal, "/reviews/?view=mine&sort=newest"),
            **{
                f"filtered by {words}": partial(_page, desk.care, f"/reviews/?view=team&q={words}")
                for words in FILTERS
            },
        }
        least = _timed(
            lambda: plain.execute(PLAIN, [desk.tenant_id], prepare=True).fetchall(), times
        )
        rows = [_row(name, _timed(ask, times), least) for name, ask in pages.items()]
        text = partial(_page, desk.care, "/reviews/?view=mine&q=W99")
        return [*rows, _row("searched by text", _timed(text, times), least, target=BAR_MS)]


def _row(name: str, ours: list[float], plain: list[float], *, target: float = TARGET_MS) -> Row:
    return Row(
        measurement=f"queue page, {OPEN:,} open: {name} (p95)",
        ours=_both(ours),
        plain=f"{_both(plain)}, one query",
        target=f"<= {target:.0f} ms",
        met=quantile(ours, 0.95) <= target,
    )


def _both(values: list[float]) -> str:
    return f"{quantile(values, 0.95):.1f} ms (p50 {quantile(values, 0.5):.1f})"


def _timed(act: Callable[[], object], times: int) -> list[float]:
    for _ in range(3):
        act()
    took = []
    for _ in range(times):
        began = time.perf_counter()
        act()
        took.append((time.perf_counter() - began) * 1000)
    return took


def _page(client: Client, address: str) -> str:
    answer = client.get(address)
    if answer.status_code != 200:
        raise RuntimeError(f"{address} was answered with {answer.status_code}.")
    return str(answer.content.decode())


def _deep(client: Client) -> str:
    """Return the address of a page that is 20 pages on."""
    address = "/reviews/?view=team"
    for _ in range(20):
        found = re.search(r'rel="next"[^>]*href="([^"]+)"', _page(client, address))
        if found is None:
            raise RuntimeError("The list ended before its 20th page.")
        address = found[1].replace("&amp;", "&")
    return address


@contextmanager
def _desk() -> Iterator[Desk]:
    me = system("bench", uuid7())
    accounts.create_tenant(actor=me, slug=f"bench-{me.tenant_id.hex[-12:]}", name="Bench")
    for group in ("care", "finance", "legal"):
        accounts.create_group(actor=me, slug=group, title=group)
    browsers = {group: _reviewer(me, group) for group in ("care", "legal")}
    began = time.monotonic()
    with in_tenant(me.tenant_id), connection.cursor() as cursor:
        first = _opened(me)
        for copy in COPIES:
            cursor.execute(copy, {"open": OPEN, "one": first.id})
    say(f"queue: {OPEN:,} proposals opened in {time.monotonic() - began:.0f} s")
    with connect("owner") as owner:
        owner.execute(
            "ANALYZE approvals_proposal, approvals_revision, approvals_principal,"
            " approvals_requirement, approvals_vote"
        )
    try:
        yield Desk(tenant_id=me.tenant_id, **browsers)
    finally:
        with in_tenant(me.tenant_id), connection.cursor() as cursor:
            # An event, without which no proposal changes.
            commands.withdraw(actor=me, proposal_id=first.id, cause="bench")
            cursor.execute(WITHDRAW, {"tenant": me.tenant_id})


def _reviewer(me: Actor, group: str) -> Client:
    password = token_urlsafe()
    email = f"{group}.{uuid7().hex[-12:]}@bench.example"
    accounts.add_person(
        actor=me,
        email=email,
        name=group.capitalize(),
        roles=["reviewer"],
        groups=[group],
        password_hash=make_password(password),
    )
    client = Client(SERVER_NAME="localhost")
    answer = client.post("/sign-in/", {"email": email, "password": password})
    if answer.status_code != 302:
        raise RuntimeError("The bench's reviewer could not sign in.")
    return client


def _opened(me: Actor) -> ProposalCard:
    return commands.open_proposal(
        actor=me,
        subject=Subject(kind="bench", id=uuid7()),
        content=Content(
            tool="tool_0",
            contract_hash="c" * 64,
            args={"order_id": "#W1"},
            before={"orders": {"#W1": {"status": "pending"}}},
            after={"orders": {"#W1": {"status": "cancelled"}}},
        ),
        facts=ProposalFacts(
            title="Change order #W0", tier=1, agent_id="agent-0", agent_label="agent-0 v3"
        ),
        principals=(
            Principal(
                role=PrincipalRole.AGENT, actor_kind="agent", actor_id="agent-0", label="agent-0"
            ),
        ),
    )


if __name__ == "__main__":
    script(measure)
