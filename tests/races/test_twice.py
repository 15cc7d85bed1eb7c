"""I12: a command that comes again, later or at the same moment, does nothing more than once.

Each act is done once in one half of the test; in the other half its like comes from two threads at
once and then once more. What both leave behind, rows of every table and events, has to be equal.
"""

from collections import Counter
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from approvals import commands
from approvals.cards import Claimed, ProposalCard, RevisedCall, Subject
from approvals.states import (
    Choice,
    CommentKind,
    DispatchState,
    NoticeReason,
    SnoozeFor,
)
from console.kernel import clock
from console.kernel.ids import uuid7
from console.kernel.transactions import COMMANDS
from tests.approvals import letters
from tests.approvals.desk import (
    AFTER,
    agent,
    approved,
    claim,
    content,
    facts,
    now,
    opened,
    principals,
    pulse,
    shown,
    vote,
)
from tests.approvals.letters import DRAWER
from tests.approvals.outsider import asked_by_key
from tests.approvals.plans import change, opened_plan, steps
from tests.approvals.sql import counts
from tests.approvals.test_replying import asked_of_noor
from tests.cast import Cast, make_cast, with_permissions
from tests.races import acts_on_requests, acts_on_rules
from tests.races.acts import CASES, OF_A_TENANT, Act, about, case
from tests.races.test_votes import at_once

__all__ = ["acts_on_requests", "acts_on_rules"]  # their cases are registered by the import

REFUSALS = frozenset({"vote.refused", "dispatch.refused"})  # the trail has each attempt
_OTHERS: dict[str, tuple[str, ...]] = {
    "each answer is good once, so a second one is another; what is signed counts once": (
        "signing.challenge_vote",
    ),
    "called by `carry_out` alone, in the transaction of the one dispatch, and refused without": (
        "external_tools.register_agreed", "external_tools.retire_agreed",
        "switching_checks.stop_checks_agreed", "versioning.retire_version",
        "sealed_arguments.erase_agreed",
    ),
    "takes what nobody else looks at (a lease); `test_commands_timers`, eight threads": (
        "timing.lease_due", "timing.look",
    ),
    "leases before it sends and sends again only after the lease; `test_notices_leaving`": (
        "sending.lease_notices", "sending.settle_notices",
    ),
    "looks at what is wrong now and mends it under each lock; `test_dead_ends`": (
        "laddering.check_dead_ends",
    ),
    "asks workers to go on, and `advance_replay`, which is here, counts nothing twice": (
        "replaying.resume_replays",
    ),
    "deletes what is old, and what is gone is not there a second time; `test_sweeping`": (
        "sweeping.sweep",
    ),
    "follows from the people there are, as one row by a constraint; `test_entrusting`": (
        "founding.note_quorum",
    ),
    "a part of what opens or revises, in its transaction; both are here": (
        "sealed_arguments.seal",
    ),
    "asks by the same `gating` as `retire_external_tool`, which is here; one waits for a subject": (
        "sealed_arguments.erase_sealed",
    ),
    "the halves of `probe`, which is here, around a look outside; `test_outside_targets`": (
        "probing.begin_look", "probing.compare",
    ),
    "counts one notice for each person by `notice_once`, as `ask_deciders` here": (
        "noticing.tell_leads",
    ),
    "two pulses at once are a test of its own; the second meets a constraint; `test_checks`": (
        "planting.plant",
    ),
}  # fmt: skip
ELSEWHERE = {name: why for why, names in _OTHERS.items() for name in names}


def seen(card: ProposalCard) -> dict[str, Any]:
    return {"revision_no": card.revision_no, "seen_digest": card.digest}


@case("opening.open_proposal")
def _open(cast: Cast) -> Act:
    subject = Subject(kind="tool_call", id=uuid7())
    said, chain = facts(1), principals(cast)
    return lambda: commands.open_proposal(
        actor=agent(cast), subject=subject, content=content(), facts=said, principals=chain
    )


@case("plans.open_plan")
def _plan(cast: Cast) -> Act:
    subject, changes = uuid7(), steps(change(1), change(2))
    return lambda: opened_plan(cast, changes=changes, subject=subject)


@case("opening.withdraw")
def _withdraw(cast: Cast) -> Act:
    card = opened(cast)
    return lambda: commands.withdraw(actor=cast.omar, cause="over", **about(card))


@case("opening.refresh")
def _refresh(cast: Cast) -> Act:
    card = approved(cast)
    other = {"orders": {"#W1": {"status": "pending", "total": 5}}}
    claim(cast, card, before=other)
    return lambda: commands.refresh(actor=agent(cast), content=content(before=other), **about(card))


@case("serving.serve_parts")
def _serve(cast: Cast) -> Act:
    return partial(shown, opened(cast), cast.ruth)


@case("voting.cast_vote")
def _vote(cast: Cast) -> Act:
    return partial(vote, shown(opened(cast, tier=2), cast.ruth), cast.ruth, Choice.APPROVE)


@case("voting.withdraw_vote")
def _unvote(cast: Cast) -> Act:
    card = approved(cast)
    return lambda: commands.withdraw_vote(actor=cast.ruth, **about(card))


@case("dispatching.claim_dispatch")
def _dispatch(cast: Cast) -> Act:
    return partial(claim, cast, approved(cast), key=uuid7())


@case("dispatching.report_outcome")
def _report(cast: Cast) -> Act:
    got = claim(cast, approved(cast))
    assert isinstance(got, Claimed)
    return lambda: commands.report_outcome(
        actor=agent(cast),
        dispatch_id=got.dispatch_id,
        outcome=DispatchState.SUCCEEDED,
        after=AFTER,
        evidence={"rows": 1},
    )


@case("editing.edit")
def _edit(cast: Cast) -> Act:
    return partial(letters.edit, letters.opened(cast), cast.ruth)


@case("probing.rebase")
def _rebase(cast: Cast) -> Act:
    card = _moved(cast)
    return lambda: commands.rebase(actor=cast.ruth, **about(card), **seen(card))


@case("probing.hand_back")
def _hand_back(cast: Cast) -> Act:
    card = _moved(cast)
    return lambda: commands.hand_back(actor=cast.ruth, **about(card), **seen(card))


@case("extending.extend")
def _extend(cast: Cast) -> Act:
    card = opened(cast)
    why = "A receipt is asked for."
    return lambda: commands.extend(actor=cast.ruth, reason=why, clock_no=1, **about(card))


@case("claiming.claim")
def _claim(cast: Cast) -> Act:
    card = opened(cast)
    return lambda: commands.claim(actor=cast.ruth, **about(card))


@case("claiming.release")
def _release(cast: Cast) -> Act:
    card = opened(cast)
    commands.claim(actor=cast.ruth, **about(card))
    return lambda: commands.release(actor=cast.ruth, **about(card))


@case("snoozing.snooze")
def _snooze(cast: Cast) -> Act:
    card = opened(cast)
    return lambda: commands.snooze(actor=cast.ruth, for_how_long=SnoozeFor.HOUR, **about(card))


@case("snoozing.wake")
def _wake(cast: Cast) -> Act:
    card = opened(cast)
    commands.snooze(actor=cast.ruth, for_how_long=SnoozeFor.HOUR, **about(card))
    return lambda: commands.wake(actor=cast.ruth, **about(card))


@case("timing.freeze")
def _freeze(cast: Cast) -> Act:
    card, at = opened(cast), clock.now()
    return lambda: commands.freeze(actor=cast.omar, proposal_ids=[card.id], cause="stop", since=at)


@case("timing.thaw")
def _thaw(cast: Cast) -> Act:
    card = opened(cast)
    commands.freeze(actor=cast.omar, proposal_ids=[card.id], cause="stop", since=clock.now())
    return lambda: commands.thaw(actor=cast.omar, proposal_ids=[card.id], cause="stop")


@case("timing.settle")
def _settle(cast: Cast) -> Act:
    card = opened(cast)

    def late() -> None:
        with clock.frozen(card.decide_by):
            commands.settle(actor=pulse(cast), **about(card))

    return late


@case("asking.answer")
def _answer(cast: Cast) -> Act:
    card = letters.opened(cast)
    asked = commands.ask(
        actor=cast.ruth, kind=CommentKind.QUESTION, text="Why?", revision_no=1, **about(card)
    )
    return lambda: commands.answer(actor=agent(cast), comment_id=asked.id, text="It is heavy.")


@case("external_revising.revise_own")
def _revise(cast: Cast) -> Act:
    card, key = asked_by_key(cast)
    call = RevisedCall(**seen(card), args={"n": 2}, before={}, after={})
    return lambda: commands.revise_own(actor=key, call=call, **about(card))


@case("replying.reply")
def _reply(cast: Cast) -> Act:
    card, asked = asked_of_noor(cast)
    return lambda: commands.reply(
        actor=cast.noor, comment_id=asked.id, text="A pilot.", **about(card)
    )


@case("withdrawing.take_back")
def _take_back(cast: Cast) -> Act:
    card, omar = opened(cast), with_permissions(cast.omar, "approvals.view")
    return lambda: commands.take_back(actor=omar, **about(card))


@case("noticing.notify")
def _notify(cast: Cast) -> Act:
    card, ruth = opened(cast), UUID(cast.ruth.id)
    return lambda: commands.notify(
        actor=cast.system, people=[ruth], reason=NoticeReason.OPENED, **about(card)
    )


def _moved(cast: Cast) -> ProposalCard:
    """Return a stale proposal: its target is another one by now."""
    card = letters.opened(cast, tier=2)
    DRAWER[card.subject.id]["state"] = "weighed"
    assert commands.probe(actor=cast.system, proposal_id=card.id, every_s=0)
    return now(cast, card).card


def left(cast: Cast) -> Counter[str]:
    """Return how many rows each table of the room has, and how many events there are of a kind."""
    return Counter({name: n for name, n in counts(cast).items() if name not in REFUSALS})


def moved(before: Counter[str], after: Counter[str]) -> dict[str, int]:
    """Return by how much each number grew, or shrank."""
    return {
        name: after[name] - before[name] for name in before | after if after[name] != before[name]
    }


class TestEveryCommand:
    @pytest.mark.parametrize("name", sorted(CASES))
    def test_done_twice_leaves_what_once_leaves(self, cast: Cast, name: str) -> None:
        there = make_cast() if name in OF_A_TENANT else cast
        once, again = CASES[name](cast), CASES[name](there)
        start = left(cast)
        once()
        done = moved(start, left(cast))
        start = left(there)
        found = at_once([again, again])
        at_once([again])
        assert any(not isinstance(one, Exception) for one in found), found
        assert moved(start, left(there)) == done

    def test_is_here_or_said_why_not(self) -> None:
        known = {name.partition("approvals.commands.")[2] for name in COMMANDS} - {""}
        assert known == CASES.keys() | ELSEWHERE.keys()
        assert not CASES.keys() & ELSEWHERE.keys()
