"""Approved = executed: from sealed entries alone."""

from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.urls import reverse

from approvals.events import (
    DispatchRefused,
    DispatchSucceeded,
    ProposalDecided,
    ProposalDispatched,
    VoteCast,
    VoteVoided,
)
from audit import commands
from audit.commands import record
from audit.events import Event
from console.kernel.actors import Actor
from console.kernel.transactions import command
from tests.audit.facts import settle
from tests.cast import Cast

A, B = "a" * 64, "b" * 64


@command
def say(*, actor: Actor, event: Event) -> UUID:
    return record(event, actor=actor).uid


def vote(actor: Actor, proposal: UUID, name: str, digest: str = A) -> UUID:
    event = VoteCast(
        proposal_id=proposal, choice="approve", revision_no=1, digest=digest, code="",
        session="", strength="password",
    )  # fmt: skip
    return say(actor=replace(actor, id=name.lower(), label=name), event=event)


def decide(actor: Actor, proposal: UUID, digest: str = A) -> None:
    event = ProposalDecided(
        proposal_id=proposal, outcome="approved", basis="people", code="", agent_message="",
        revision_no=1, digest=digest,
    )  # fmt: skip
    say(actor=actor, event=event)


def hand_over(actor: Actor, proposal: UUID, digest: str) -> None:
    event = ProposalDispatched(
        proposal_id=proposal, dispatch_id=uuid4(), call_key=uuid4(), revision_no=1,
        observed_digest=digest, decision_id=uuid4(),
    )  # fmt: skip
    say(actor=actor, event=event)


@pytest.fixture
def told(cast: Cast) -> Actor:
    """One change that ran as agreed, one that ran otherwise, one refused, one never decided."""
    actor, (one, two, three, four) = cast.noor, (uuid4() for _ in range(4))
    lost = vote(actor, one, "Omar")
    say(
        actor=actor,
        event=VoteVoided(proposal_id=one, vote_event=lost, person=uuid4(), cause="authority"),
    )
    vote(actor, one, "Ruth", B)
    for proposal in (one, two, three):
        vote(actor, proposal, "Ruth")
        vote(actor, proposal, "Ines")
        decide(actor, proposal)
    hand_over(actor, one, A)
    hand_over(actor, two, B)
    refused = DispatchRefused(
        proposal_id=three, code="dispatch.other_call", observed_digest=B, call_key=uuid4()
    )
    say(actor=actor, event=refused)
    hand_over(actor, four, A)
    came_out = DispatchSucceeded(
        proposal_id=one, dispatch_id=uuid4(), after_digest="", evidence_digest=""
    )
    say(actor=actor, event=came_out)
    settle(actor)
    return actor


class TestExecuted:
    def test_puts_what_ran_beside_what_was_agreed_to(self, told: Actor) -> None:
        undecided, refused, other, same = commands.list_executed(actor=told)

        assert (same.holds, same.agrees, same.approved, same.ran) == (True, True, A, A)
        assert [fact.label for fact in same.votes] == ["Ruth", "Ines"]
        assert same.result is not None
        assert same.result.outcome == "ok"
        assert (other.holds, other.agrees, other.ran) == (False, False, B)
        assert (refused.holds, refused.agrees, refused.handed_over) == (True, False, False)
        assert (undecided.holds, undecided.approved, undecided.votes) == (False, "", ())

    def test_is_a_page_and_an_answer_of_the_api(self, told: Actor, cast: Cast) -> None:
        html = cast.client("noor").get(reverse("audit:executed")).content.decode()
        for word in ("same", "another", "refused", "no decision"):
            assert f"{word}<" in html, word
        client = cast.key_client("audit.view")
        seen: list[Any] = []
        after: str | None = ""
        while after is not None:
            asked = {"limit": "3", **({"after": after} if after else {})}
            answer = client.get("/api/v1/audit/executed", asked).json()
            seen += [row["holds"] for row in answer["items"]]
            after = answer["next"]
        assert seen == [False, True, False, True]

    def test_needs_the_permission(self, cast: Cast) -> None:
        assert cast.client("ruth").get(reverse("audit:executed")).status_code == 403
