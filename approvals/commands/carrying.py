"""Carrying out what people agreed to about rules, reviewers and the gate; no agent has a part.

Taking the dispatch, making the change and reporting the outcome are one transaction: a crash leaves
an approved proposal that is tried again, or one that is done. The proposal's own id is the key of
the call, so a second try finds the first. What cannot be done any more (the version was put away
meanwhile) fails for good and says so; another active version, or a person who is something else by
now, makes the proposal stale.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from approvals.cards import Claimed, Content, DispatchCard, NotClaimed
from approvals.commands import (
    entrusting,
    external_tools,
    gating,
    sealed_arguments,
    switching_checks,
)
from approvals.commands.dispatching import claim_dispatch, report_outcome
from approvals.commands.governing import MAY_ACT, Planned, planned
from approvals.commands.versioning import ACTIVATE, SUBJECT, activate_version, retire_version
from approvals.errors import ExternalToolTaken
from approvals.models import Proposal, Revision
from approvals.policies import GATE_KIND, PEOPLE_KIND
from approvals.queries.carrying import to_carry_out
from approvals.states import DispatchState, ProposalState
from console.kernel.actors import Actor
from console.kernel.errors import ConsoleError
from console.kernel.transactions import command


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ended:
    """How it went."""

    outcome: DispatchState
    after: Mapping[str, Any]
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Change:
    """What is about to be done, with the target locked, and how to do it for a proposal."""

    content: Content
    do: Callable[[UUID], _Ended]


@command
def carry_out(*, actor: Actor, proposal_id: UUID) -> DispatchCard | NotClaimed | None:
    """Do what an approved proposal about rules, people or the gate says, once; of all else nothing.

    Returns:
        How it ended; why it may not run now; or None if this is no approved proposal of that kind.
    """
    row = Proposal.objects.filter(
        pk=proposal_id, subject_kind__in=list(_CHANGES), state=ProposalState.APPROVED.value
    ).first()
    if row is None:
        return None
    # Before the proposal's lock, as a dispatch does.
    change = _CHANGES[row.subject_kind](actor, row)
    claimed = claim_dispatch(
        actor=actor, proposal_id=proposal_id, call_key=proposal_id, content=change.content
    )
    if isinstance(claimed, NotClaimed):
        return claimed
    return _reported(actor, claimed, change.do(proposal_id))


def carry_out_due(*, actor: Actor) -> int:
    """Try what was agreed to and not done: a stop held it, or a process died. Returns how many.

    One that cannot be tried (the database refuses) does not keep the others waiting.
    """
    done = 0
    for each in to_carry_out(actor=actor):
        try:
            done += isinstance(carry_out(actor=actor, proposal_id=each), DispatchCard)
        except ConsoleError:
            continue
    return done


def _reported(actor: Actor, claimed: Claimed, ended: _Ended) -> DispatchCard:
    return report_outcome(
        actor=actor,
        dispatch_id=claimed.dispatch_id,
        outcome=ended.outcome,
        after=ended.after,
        evidence=ended.evidence,
    )


def _of_rules(actor: Actor, row: Proposal) -> _Change:
    found = planned(row.subject_id, row.tool)
    return _Change(content=found.content, do=lambda by: _moved(actor, by, found))


def _moved(actor: Actor, proposal_id: UUID, found: Planned) -> _Ended:
    tool = found.content.tool
    if found.row.state not in MAY_ACT[tool]:
        why = f"The version is {found.row.state} by now."
        return _Ended(
            outcome=DispatchState.FAILED,
            after=found.content.before,
            evidence={"code": "policy.conflict", "message": why},
        )
    act = activate_version if tool == ACTIVATE else retire_version
    version = act(actor=actor, version_id=found.row.pk, proposal_id=proposal_id)
    return _Ended(
        outcome=DispatchState.SUCCEEDED,
        after=found.content.after,
        evidence={"version": str(version.id), "state": version.state.value},
    )


def _of_people(actor: Actor, row: Proposal) -> _Change:
    said = Revision.objects.get(proposal=row, no=row.revision_no).content(row.tool)
    content = entrusting.planned(actor, row.subject_id, said.args)
    return _Change(content=content, do=lambda by: _entrusted(actor, by, row.subject_id, content))


def _entrusted(actor: Actor, proposal_id: UUID, person_id: UUID, content: Content) -> _Ended:
    entrusting.carried_out(actor, person_id, content, proposal_id)
    return _Ended(
        outcome=DispatchState.SUCCEEDED,
        after=content.after,
        evidence={"person": str(person_id)},
    )


def _of_gate(actor: Actor, row: Proposal) -> _Change:
    said = Revision.objects.get(proposal=row, no=row.revision_no).content(row.tool)
    content = gating.planned(row.tool, row.subject_id, said.args)
    return _Change(content=content, do=lambda by: _set(actor, by, row, content))


def _set(actor: Actor, proposal_id: UUID, row: Proposal, content: Content) -> _Ended:
    try:
        _SETTINGS[content.tool](actor, proposal_id, row.subject_id, content)
    except ExternalToolTaken as refusal:  # of a hosted agent by now
        return _Ended(
            outcome=DispatchState.FAILED,
            after=content.before,
            evidence={"code": refusal.code, "message": refusal.message},
        )
    return _Ended(outcome=DispatchState.SUCCEEDED, after=content.after, evidence={})


_SETTINGS: Final[Mapping[str, Callable[[Actor, UUID, UUID, Content], object]]] = {
    gating.REGISTER: lambda actor, by, subject, content: external_tools.register_agreed(
        actor=actor, subject_id=subject, args=content.args, proposal_id=by
    ),
    gating.RETIRE: lambda actor, by, subject, _content: external_tools.retire_agreed(
        actor=actor, tool_id=subject, proposal_id=by
    ),
    gating.ERASE: lambda actor, by, subject, _content: sealed_arguments.erase_agreed(
        actor=actor, subject_id=subject, proposal_id=by
    ),
    gating.STOP_CHECKS: lambda actor, by, subject, _content: switching_checks.stop_checks_agreed(
        actor=actor, setting_id=subject, proposal_id=by
    ),
}
_CHANGES: Final[Mapping[str, Callable[[Actor, Proposal], _Change]]] = {
    SUBJECT: _of_rules,
    PEOPLE_KIND: _of_people,
    GATE_KIND: _of_gate,
}
