"""What happens below and matters here. A fact is a nudge: each handler decides from the tables."""

from typing import Any, Final
from uuid import UUID
from zlib import crc32

from approvals import commands, queries
from approvals.states import DispatchState, NoticeReason, Outcome
from console.kernel.actors import Actor, system
from console.kernel.outbox import on, publish_fact

_LEFT: Final = "dead_ends.left"  # a nudge to this file alone: a part was looked at, more is left


def when_people_change(*, actor: Actor) -> None:
    """Flag what nobody can complete any more, in the transaction that changes the people."""
    commands.note_quorum(actor=_me(actor))
    commands.check_dead_ends(actor=_me(actor))


@on("person.added")
@on("membership.changed")
@on("grant.given")
@on("grant.taken")
@on("delegation.made")
@on("delegation.ended")
@on(_LEFT)
def look_again(*, actor: Actor, subject: UUID, data: dict[str, Any]) -> None:
    """Look once more after the commit: at what was locked just then, opened meanwhile, or left.

    One part at a time: the hints and tasks of everybody wait behind the transaction of a fact.
    """
    if commands.check_dead_ends(actor=_me(actor)) >= commands.MOST_DEAD_ENDS:
        publish_fact(_LEFT, subject=subject, actor=actor)


@on("proposal.opened")
def tell_of_opening(*, actor: Actor, subject: UUID, data: dict[str, Any]) -> None:
    """Tell who can decide it that it is their turn."""
    _ask(actor, subject, NoticeReason.OPENED)


@on("proposal.reopened")
def tell_of_reopening(*, actor: Actor, subject: UUID, data: dict[str, Any]) -> None:
    """Tell who can decide it that an approval does not count any more."""
    # The voided decision tells two of one clock apart.
    _ask(actor, subject, NoticeReason.REOPENED, no=_number(data["decision_id"]))


@on("proposal.widened")
def tell_of_widening(*, actor: Actor, subject: UUID, data: dict[str, Any]) -> None:
    """Tell those who are asked as well by now; everybody, where the time begins anew."""
    new = data["cause"] != "escalated"
    _ask(actor, subject, NoticeReason.WIDENED, no=data["requirement_no"], only_new=new)


@on("proposal.reminded")
def tell_of_time_passing(*, actor: Actor, subject: UUID, data: dict[str, Any]) -> None:
    """Remind who can decide it."""
    # The share and the deadline tell rungs apart, and the same rung of two windows.
    number = _number(f"{data['share']} {data['decide_by']}")
    _ask(actor, subject, NoticeReason.REMINDED, no=number)


@on("proposal.revised")
def tell_of_revision(*, actor: Actor, subject: UUID, data: dict[str, Any]) -> None:
    """Tell who can decide it that it is another content now."""
    _ask(actor, subject, NoticeReason.REVISED, no=data["revision_no"])


@on("proposal.asked")
def tell_of_question(*, actor: Actor, subject: UUID, data: dict[str, Any]) -> None:
    """Tell who proposed a change of rules, people or the gate; an agent has no mail."""
    me = _notices(actor)
    who = queries.answerer_of(actor=me, proposal_id=subject)
    if who is not None:
        commands.notify(
            actor=me,
            people=[who],
            reason=NoticeReason.ASKED,
            proposal_id=subject,
            no=_number(data["comment_id"]),
        )


@on("proposal.answered")
def tell_of_answer(*, actor: Actor, subject: UUID, data: dict[str, Any]) -> None:
    """Tell who asked, if they can still decide it."""
    who = queries.asker_of(actor=_notices(actor), comment_id=UUID(data["answers"]))
    if who is not None:
        number = _number(data["comment_id"])
        _ask(actor, subject, NoticeReason.ANSWERED, no=number, only=who)


@on("proposal.unfillable")
def tell_of_dead_end(*, actor: Actor, subject: UUID, data: dict[str, Any]) -> None:
    """Tell who leads the reviewers, if it still is one."""
    commands.tell_leads(actor=_notices(actor), proposal_id=subject)


@on("proposal.decided")
def tell_of_decision(*, actor: Actor, subject: UUID, data: dict[str, Any]) -> None:
    """Tell who asked for the change how it was decided."""
    reason = NoticeReason(data["outcome"])
    detail = {
        NoticeReason.APPROVED: data["basis"],
        NoticeReason.REJECTED: data["code"],
        NoticeReason.EXPIRED: data["fallback"] or data["code"],
    }.get(reason, "")
    number = _number(f"{data['digest']} {data['execute_by']}")
    commands.tell_outcome(
        actor=_notices(actor), proposal_id=subject, reason=reason, detail=detail, no=number
    )


@on("proposal.decided")
def carry_out(*, actor: Actor, subject: UUID, data: dict[str, Any]) -> None:
    """Do what people agreed to about rules, people or the gate; pulse repeats what failed."""
    if data["outcome"] == Outcome.APPROVED.value:
        commands.carry_out(actor=system("approvals.policies", actor.tenant_id), proposal_id=subject)


@on("policy.rule_turned")
def tell_of_turn(*, actor: Actor, subject: UUID, data: dict[str, Any]) -> None:
    """Tell who answers for policies that a rule asks people from now on."""
    number = _number(f"{subject} {data['rule']}")
    commands.tell_of_rule(actor=_notices(actor), reason=NoticeReason.RULE_TURNED, no=number)


@on("policy.activated")
def tell_of_new_rules(*, actor: Actor, subject: UUID, data: dict[str, Any]) -> None:
    """Tell them, too, when a new version lets such a rule allow again."""
    before = data["retired_id"]
    me = _notices(actor)
    if before and queries.allow_again(actor=me, version_id=subject, before=UUID(before)):
        number = _number(f"{subject}")
        commands.tell_of_rule(actor=me, reason=NoticeReason.RULE_ALLOWS, no=number)


@on("dispatch.succeeded")
def tell_of_success(*, actor: Actor, subject: UUID, data: dict[str, Any]) -> None:
    _report(actor, subject, NoticeReason.EXECUTED)


@on("dispatch.failed")
def tell_of_failure(*, actor: Actor, subject: UUID, data: dict[str, Any]) -> None:
    _report(actor, subject, NoticeReason.FAILED)


@on("dispatch.staled")
def tell_of_drift(*, actor: Actor, subject: UUID, data: dict[str, Any]) -> None:
    _report(actor, subject, NoticeReason.STALED)


@on("dispatch.unknown")
def tell_of_doubt(*, actor: Actor, subject: UUID, data: dict[str, Any]) -> None:
    _report(actor, subject, NoticeReason.UNKNOWN)


@on("dispatch.reconciled")
def tell_of_finding(*, actor: Actor, subject: UUID, data: dict[str, Any]) -> None:
    done = data["outcome"] == DispatchState.SUCCEEDED.value
    _report(actor, subject, NoticeReason.EXECUTED if done else NoticeReason.FAILED)


def _ask(actor: Actor, proposal_id: UUID, reason: NoticeReason, **other: Any) -> None:
    commands.ask_deciders(actor=_notices(actor), proposal_id=proposal_id, reason=reason, **other)


def _report(actor: Actor, proposal_id: UUID, reason: NoticeReason) -> None:
    commands.tell_outcome(actor=_notices(actor), proposal_id=proposal_id, reason=reason)


def _number(text: str) -> int:
    """Return a number that tells two facts of one proposal apart; equal facts get the same."""
    return crc32(text.encode()) & 0x7FFFFFFF


def _notices(actor: Actor) -> Actor:
    return system("approvals.notices", actor.tenant_id)


def _me(actor: Actor) -> Actor:
    return system("approvals.people", actor.tenant_id)
