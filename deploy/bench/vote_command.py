"""What one vote takes where sixteen people decide: `python deploy/bench/vote_command.py`.

A rule asks for sixteen reviewers, who look at the change and vote one after the other; only the
vote itself is timed, so the last ones have fifteen others to count. *Plain* is the least that a
vote needs: the row lock, one INSERT and one UPDATE in a transaction.
"""

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_hex
from typing import Any, Final
from uuid import UUID

import psycopg
from django.contrib.auth.hashers import make_password
from django_ready import connect
from rows import Row, quantile, say, script

from approvals import commands, queries
from approvals.cards import Claimed, Content, ProposalCard, ProposalFacts, Subject
from approvals.commands.versioning import ACTIVATE, SUBJECT
from approvals.states import Choice
from console.accounts import commands as accounts
from console.accounts import policies
from console.accounts import queries as people
from console.accounts.states import Role
from console.kernel.actors import Actor, ActorKind, system
from console.kernel.ids import uuid7

VOTERS: Final = 16
TARGET_MS: Final = 30.0
CONTRACT: Final = "ab" * 32
TOOL: Final = "bench_write"
BODY: Final = {
    "policy": "bench",
    "rules": [
        {
            "id": "sixteen",
            "match": {"tool": TOOL},
            "effect": "hold",
            "require": {"all": [{"slots": [{"groups": ["crowd"], "n": VOTERS // 2}] * 2}]},
        }
    ],
}
PLAIN: Final = (
    "SELECT state FROM bench_proposal WHERE id = %s FOR UPDATE",
    "INSERT INTO bench_vote (proposal, person, cast_at) VALUES (%s, %s, clock_timestamp())",
    "UPDATE bench_proposal SET votes = votes + 1 WHERE id = %s",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """A tenant, and the reviewers who vote in it."""

    me: Actor
    voters: tuple[Actor, ...]


def measure(asked: argparse.Namespace) -> list[Row]:
    rounds = 4 if asked.quick else 25
    crowd = _crowd()
    _let_rule_speak(crowd)
    _votes(crowd)  # warms up, is not counted
    took = [ms for _ in range(rounds) for ms in _votes(crowd)]
    plain = _plain(len(took))
    say(f"vote command: {len(took)} votes, p99 {quantile(took, 0.99):.1f} ms")
    return [
        Row(
            measurement=f"vote command, {VOTERS} voters (p95)",
            ours=_both(took),
            plain=f"{_both(plain)}, lock + INSERT + UPDATE",
            target=f"<= {TARGET_MS:.0f} ms",
            met=quantile(took, 0.95) <= TARGET_MS,
        )
    ]


def _both(values: list[float]) -> str:
    return f"{quantile(values, 0.95):.1f} ms (p50 {quantile(values, 0.5):.1f})"


def _votes(crowd: Crowd) -> list[float]:
    """Return the milliseconds of each vote on a new proposal; the last one approves it."""
    card = _opened(crowd.me, TOOL, {"n": token_hex(8)})
    took = []
    state = ""
    for voter in crowd.voters:
        _look(card, voter)
        began = time.perf_counter()
        state = _approve(card, voter).state
        took.append((time.perf_counter() - began) * 1000)
    if state != "approved":
        raise RuntimeError(f"{VOTERS} votes left the proposal {state}.")
    commands.withdraw(actor=crowd.me, proposal_id=card.id, cause="bench")
    return took


def _look(card: ProposalCard, voter: Actor) -> None:
    parts = queries.parts_needed(actor=voter, proposal_id=card.id, revision_no=card.revision_no)
    commands.serve_parts(
        actor=voter, proposal_id=card.id, revision_no=card.revision_no, parts=parts
    )


def _approve(card: ProposalCard, voter: Actor) -> Any:
    return commands.cast_vote(
        actor=voter,
        proposal_id=card.id,
        revision_no=card.revision_no,
        seen_digest=card.digest,
        choice=Choice.APPROVE,
    )


def _opened(me: Actor, tool: str, args: dict[str, str], **other: Any) -> ProposalCard:
    agent = Actor(tenant_id=me.tenant_id, kind=ActorKind.AGENT, id="bench", label="bench")
    return commands.open_proposal(
        actor=agent,
        subject=other.get("subject") or Subject(kind="bench", id=uuid7()),
        content=_content(tool, args),
        facts=ProposalFacts(
            title="Bench", tier=other.get("tier", 1), agent_id="bench", agent_label="bench"
        ),
        principals=(),
    )


def _content(tool: str, args: dict[str, str]) -> Content:
    before = {"things": {"T1": {"state": "old"}}}
    after = {"things": {"T1": {"state": "new"}}}
    return Content(tool=tool, contract_hash=CONTRACT, args=args, before=before, after=after)


def _crowd() -> Crowd:
    me = system("bench", uuid7())
    accounts.create_tenant(actor=me, slug=f"votes-{me.tenant_id.hex[-12:]}", name="Bench")
    for group in ("crowd", "other"):
        accounts.create_group(actor=me, slug=group, title=group)
    # Two of another group as well, who agree to the rule.
    groups = [("crowd",)] * (VOTERS - 1) + [("crowd", "other")]
    return Crowd(me=me, voters=tuple(_voter(me, each) for each in groups))


def _voter(me: Actor, groups: tuple[str, ...]) -> Actor:
    made = accounts.add_person(
        actor=me,
        email=f"{token_hex(8)}@bench.example",
        name=token_hex(4),
        roles=(Role.REVIEWER, Role.ADMIN),
        groups=groups,
        password_hash=make_password(token_hex()),
    )
    key = token_hex()
    accounts.open_session(
        actor=me, person_id=made.person.id, session_key=key, address="", user_agent="bench"
    )
    return Actor(
        tenant_id=me.tenant_id,
        kind=ActorKind.PERSON,
        id=str(made.person.id),
        label=made.person.name,
        session=people.digest_of(key),
        strength="password",
        permissions=policies.permissions_of(made.person.roles),
        groups=frozenset(groups),
    )


def _let_rule_speak(crowd: Crowd) -> None:
    """Activate the rule as the product does it: two people agree, then it is carried out."""
    version = commands.add_version(actor=crowd.voters[0], body=BODY)
    args = {"version": str(version.id), "digest": version.digest}
    card = _opened(crowd.me, ACTIVATE, args, tier=2, subject=Subject(kind=SUBJECT, id=version.id))
    for voter in (crowd.voters[1], crowd.voters[-1]):
        _look(card, voter)
        _approve(card, voter)
    claimed = commands.claim_dispatch(
        actor=crowd.me, proposal_id=card.id, call_key=uuid7(), content=_content(ACTIVATE, args)
    )
    if not isinstance(claimed, Claimed):
        raise TypeError(f"The rule was not carried out: {claimed.message}")
    commands.activate_version(actor=crowd.me, version_id=version.id, proposal_id=card.id)


def _plain(count: int) -> list[float]:
    """Return the milliseconds of as many plain votes, sixteen on each row."""
    took = []
    with _plain_tables() as owner:
        proposal = UUID(int=0)
        for number in range(count):
            if number % VOTERS == 0:
                proposal = uuid7()
                owner.execute("INSERT INTO bench_proposal VALUES (%s, 'open', 0)", [proposal])
            began = time.perf_counter()
            with owner.transaction():
                owner.execute(PLAIN[0], [proposal])
                owner.execute(PLAIN[1], [proposal, uuid7()])
                owner.execute(PLAIN[2], [proposal])
            took.append((time.perf_counter() - began) * 1000)
    return took


@contextmanager
def _plain_tables() -> Iterator["psycopg.Connection[Any]"]:
    with connect("owner") as owner:
        owner.execute("DROP TABLE IF EXISTS bench_proposal, bench_vote")
        owner.execute("CREATE TABLE bench_proposal (id uuid PRIMARY KEY, state text, votes int)")
        owner.execute("CREATE TABLE bench_vote (proposal uuid, person uuid, cast_at timestamptz)")
        try:
            yield owner
        finally:
            owner.execute("DROP TABLE bench_proposal, bench_vote")


if __name__ == "__main__":
    script(measure)
