"""Handing an approved change over to execution, once, and learning how that ended."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from approvals import policies
from approvals.cards import (
    Claimed,
    Content,
    DispatchCard,
    NotClaimed,
    Requirement,
    Subject,
)
from approvals.commands import deciding, foreseen, judging, laddering, planned, steps
from approvals.commands.births import DENIED
from approvals.commands.desk import POLICY, Desk, must_lock
from approvals.commands.drifting import go_stale
from approvals.commands.refusing import settled_by
from approvals.errors import OutcomeKnown
from approvals.errors.sealed import SealedBroken, SealedErased
from approvals.events import (
    DispatchFailed,
    DispatchReconciled,
    DispatchRefused,
    DispatchStaled,
    DispatchSucceeded,
    DispatchUnknown,
    ProposalDispatched,
)
from approvals.models import Decision, Dispatch
from approvals.queries.breaking import still_stands
from approvals.queries.sealed import true_values
from approvals.states import (
    NEXT_DISPATCH,
    PLAN,
    SEEN_S,
    SEEN_TOO_EARLY,
    Basis,
    DispatchState,
    Outcome,
    ProposalState,
    Purpose,
    Says,
)
from audit.commands import record
from audit.events import Event
from console.kernel import canonical, clock
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.transactions import command

_SAYS_AFTER: Final = frozenset({DispatchState.SUCCEEDED, DispatchState.FAILED})


@command
def claim_dispatch(
    *,
    actor: Actor,
    proposal_id: UUID,
    call_key: UUID,
    content: Content,
    seen_at: datetime | None = None,
) -> Claimed | NotClaimed:
    """Take the one permission to run a proposal, in the transaction that marks the call executing.

    What was noticed on the way (an expiry, a changed target) is kept, so this answers instead of
    raising; only an unknown proposal raises.

    Args:
        content: what is about to run and the target as it is now, read under its row lock where the
            target is ours.
        seen_at: when a target that is not ours was looked at, outside of this transaction; None
            where it is ours, or an agent elsewhere says what it found.
    """
    desk = must_lock(actor=actor, proposal_id=proposal_id)
    at = clock.now()
    earlier = Dispatch.objects.filter(proposal=desk.row).first()
    if earlier is not None:
        return _again(desk, earlier, call_key, late=at >= earlier.execute_by)
    found = (
        _not_now(desk, at=at)
        or planned.too_early(desk)
        or _not_lately(desk, seen_at, at=at)
        or _not_this(desk, call_key, content, at=at)
        or _not_by_them(desk, at=at)
        or _as_rules_say(desk, call_key, content, seen_at)
    )
    return planned.or_broken(desk, found, at=at)


@command
def report_outcome(
    *,
    actor: Actor,
    dispatch_id: UUID,
    outcome: DispatchState,
    after: Mapping[str, Any],
    evidence: Mapping[str, Any],
) -> DispatchCard:
    """Say how the execution ended; the same report again changes nothing.

    Raises:
        OutcomeKnown: another outcome is on record, or this is a plan, which ends as its changes do.
    """
    found = Dispatch.objects.filter(pk=dispatch_id).values_list("proposal_id", flat=True).first()
    if found is None:
        raise NotFound("There is no such dispatch here.")
    desk = must_lock(actor=actor, proposal_id=found)
    if desk.row.subject_kind == PLAN:
        raise OutcomeKnown("A plan ends as its changes do; report each of those.")
    at = clock.now()
    row = Dispatch.objects.get(pk=dispatch_id)
    was, now = DispatchState(row.state), DispatchState(outcome)
    if was is now:
        return row.card()
    if now not in NEXT_DISPATCH[was]:
        raise OutcomeKnown(f"This dispatch is on record as {was}; it cannot become {now}.")
    image = canonical.dumps(after)
    row.state, row.settled_at = now.value, at
    row.after = image if now in _SAYS_AFTER else None
    row.evidence = dict(evidence)
    row.save(update_fields=["state", "settled_at", "after", "evidence"])
    record(_outcome_event(row, was, now, evidence), actor=actor)
    if desk.plan is not None:
        steps.report(desk.plan, desk.row, actor=actor, at=at)
    return row.card()


# -- answers -------------------------------------------------------------------------------------


def _again(desk: Desk, earlier: Dispatch, call_key: UUID, *, late: bool) -> Claimed | NotClaimed:
    """Answer a claim of a proposal that was dispatched before."""
    if earlier.call_key != call_key or earlier.state != DispatchState.CLAIMED.value:
        return _not(desk, "dispatch.duplicate", "This proposal was run once; it never runs again.")
    if late:
        return _not(desk, "dispatch.late", "The time to run this is over; nothing is started.")
    return Claimed(dispatch_id=earlier.id, args=desk.content.args, repeated=True)


def _not_now(desk: Desk, *, at: datetime) -> NotClaimed | None:
    if desk.settle_clock(at=at):
        return _not(desk, "proposal.expired", "The time for this is over; nothing was run.")
    if desk.state is not ProposalState.APPROVED:
        said = settled_by(desk) or "People have not approved this."
        return _not(desk, f"proposal.{desk.state.value}", f"{said} Nothing was run.")
    if desk.window.causes:
        return _not(desk, "proposal.frozen", "A stop holds this proposal; nothing was run.")
    return None


def _not_lately(desk: Desk, seen_at: datetime | None, *, at: datetime) -> NotClaimed | None:
    """Refuse what was found before this transaction waited for its locks, or before a refresh."""
    if seen_at is None or at - seen_at <= timedelta(seconds=SEEN_S):
        return None
    return _not(
        desk,
        SEEN_TOO_EARLY,
        f"The target was looked at more than {SEEN_S} seconds ago; look again. Nothing was run.",
    )


def _not_this(desk: Desk, call_key: UUID, content: Content, *, at: datetime) -> NotClaimed | None:
    """Compare what is about to run with what people saw."""
    if content.tool != desk.row.tool or content.args_bytes != bytes(desk.revision.args):
        return _refuse_other_call(desk, call_key, content)
    if content.digest != bytes(desk.revision.digest):
        return _stale(desk, content, at=at)
    try:
        subject = Subject(kind=desk.row.subject_kind, id=desk.row.subject_id)
        true_values(actor=desk.actor, subject=subject, args=content.args, lock=True)
    except (SealedErased, SealedBroken) as refusal:
        return _not(desk, refusal.code, f"{refusal.message} Nothing was run.")
    return None


def _not_by_them(desk: Desk, *, at: datetime) -> NotClaimed | None:
    """Take it back to people if the votes do not suffice any more."""
    decision = _decision(desk)
    if desk.plan is not None:
        return planned.not_by_them(desk)
    if decision.basis == Basis.BREAK_GLASS.value and not still_stands(desk.actor, decision):
        desk.reopen("authority", at=at)
        if not desk.settle_clock(at=at):
            laddering.check(desk, at=at)
        said = "Whoever broke glass has lost the right to; people decide anew."
        return _not(desk, "proposal.reopened", said)
    lost = _votes_without_authority(desk) if decision.basis == Basis.PEOPLE.value else []
    if not lost or desk.assignment() is not None:
        # The others suffice; `dispatch_of_lent` lets nothing run on a place that was taken back.
        lent = [vote for vote in lost if vote.delegation_id is not None]
        desk.void_votes(lent, cause="authority", at=at)
        return None
    desk.void_votes(lost, cause="authority", at=at)
    desk.reopen("authority", at=at)
    if not desk.settle_clock(at=at):
        laddering.check(desk, at=at)
    return _not(desk, "proposal.reopened", "A voter lost the right to vote; people decide anew.")


def _as_rules_say(
    desk: Desk, call_key: UUID, content: Content, seen_at: datetime | None
) -> Claimed | NotClaimed:
    """Ask the rules again, as they are now: stricter ones count, looser ones change nothing."""
    judged = judging.judge_again(desk, content, purpose=Purpose.DISPATCH)
    judging.keep(desk.row, judged, purpose=Purpose.DISPATCH)
    if judged.says is Says.DENY:
        return _block(desk, judged)
    return (
        _not_now(desk, at=judged.at)  # rules that add up may have waited for each other
        or _not_lately(desk, seen_at, at=judged.at)
        or _not_foreseen(desk, judged)
        or _not_enough(desk, judged)
        or _dispatch(desk, call_key, content, judged, seen_at)
    )


def _block(desk: Desk, judged: judging.Judged) -> NotClaimed:
    desk.void_decision(at=judged.at)
    desk.move(ProposalState.BLOCKED, at=judged.at, cause=", ".join(judged.rules))
    deciding.tell(
        desk.row,
        desk.revision,
        Outcome.BLOCKED,
        actor=desk.actor,
        basis=Basis.RULE.value,
        rules=judged.rules,
        code="policy.denied",
        agent_message=DENIED,
    )
    return _not(desk, "policy.denied", f"{judged.verdict.sentence} Nothing was run.")


def _not_foreseen(desk: Desk, judged: judging.Judged) -> NotClaimed | None:
    """Take it to people if the standing approval that spoke in their place may not any more."""
    if Basis(_decision(desk).basis) is not Basis.STANDING:
        return None
    why = foreseen.why_silent(desk)
    if not why:
        return None
    asked = judged.verdict.requirement if judged.says is Says.HOLD else None
    whole = desk.with_what_is_asked(asked) if asked else desk.requirement
    _to_people(desk, whole, cause=Basis.STANDING.value, at=judged.at)
    return _not(desk, "proposal.reopened", f"{why} People decide first; nothing was run.")


def _not_enough(desk: Desk, judged: judging.Judged) -> NotClaimed | None:
    """Take it back to people if the rules ask for more than was agreed to."""
    basis = Basis(_decision(desk).basis)
    asked = judged.verdict.requirement
    if judged.says is not Says.HOLD or asked is None or basis is Basis.BREAK_GLASS:
        return None
    if desk.plan is not None:
        return planned.not_enough(desk, asked, judged.verdict.sentence)
    whole = desk.with_what_is_asked(asked)
    if basis is Basis.RULE:
        # The rule that spoke in place of people does not any more.
        whole = replace(whole, explanation=asked.explanation)
    elif _is_met(desk, whole, basis, judged):
        return None
    _to_people(desk, whole, cause=POLICY, at=judged.at)
    said = judged.verdict.sentence or "No rule allows this without people any more."
    return _not(desk, "proposal.reopened", f"{said} People decide first; nothing was run.")


def _to_people(desk: Desk, whole: Requirement, *, cause: str, at: datetime) -> None:
    """Have people decide, with the whole time and all that the rules ask by now."""
    if whole != desk.requirement:
        desk.ask(whole, cause=POLICY, at=at)
    desk.start_window(at)
    desk.reopen(cause, at=at)
    laddering.check(desk, at=at)  # as long as nobody was asked, nobody looked


def _is_met(desk: Desk, whole: Requirement, basis: Basis, judged: judging.Judged) -> bool:
    if basis is Basis.PEOPLE:
        return policies.assignment(whole, desk.approvers()) is not None
    if basis is Basis.STANDING:
        return foreseen.is_enough(desk, whole, judged)
    return whole.blocks == desk.requirement.blocks


def _decision(desk: Desk) -> Decision:
    """Return the decision that counts; the state says that there is one."""
    return Decision.objects.get(proposal=desk.row, voided_at__isnull=True)


def _not(desk: Desk, code: str, message: str, **details: Any) -> NotClaimed:
    return NotClaimed(state=desk.state, code=code, message=message, details=details)


def _refuse_other_call(desk: Desk, call_key: UUID, content: Content) -> NotClaimed:
    record(
        DispatchRefused(
            proposal_id=desk.row.id,
            code="dispatch.other_call",
            observed_digest=content.digest.hex(),
            call_key=call_key,
        ),
        actor=desk.actor,
    )
    return _not(
        desk, "dispatch.other_call", "This is not the call that people approved; nothing was run."
    )


def _stale(desk: Desk, content: Content, *, at: datetime) -> NotClaimed:
    paths = go_stale(desk, content, at=at)
    return _not(
        desk,
        "proposal.stale",
        "The target changed after people approved this; nothing was run.",
        paths=list(paths),
    )


def _votes_without_authority(desk: Desk) -> list[Any]:
    """Return the approvals that no longer count."""
    counted = {voter.person_id for voter in desk.approvers()}
    return [vote for vote in desk.votes if vote.person_id not in counted]


def _dispatch(
    desk: Desk,
    call_key: UUID,
    content: Content,
    judged: judging.Judged,
    seen_at: datetime | None,
) -> Claimed:
    decision = _decision(desk)
    row = Dispatch.objects.create(
        tenant_id=desk.row.tenant_id,
        proposal=desk.row,
        revision=desk.revision,
        decision=decision,
        digest=desk.revision.digest,
        observed_digest=content.digest,
        call_key=call_key,
        seen_at=seen_at,
        claimed_at=judged.at,
        execute_by=desk.row.execute_by or judged.at,  # the state says that there is one
        state=DispatchState.CLAIMED.value,
        policy_versions=list(judged.versions),
    )
    desk.move(ProposalState.DISPATCHED, at=judged.at)
    record(
        ProposalDispatched(
            proposal_id=desk.row.id,
            dispatch_id=row.id,
            call_key=call_key,
            revision_no=desk.row.revision_no,
            observed_digest=content.digest.hex(),
            decision_id=decision.id,
            policy_versions=tuple(str(version) for version in judged.versions),
        ),
        actor=desk.actor,
    )
    return Claimed(dispatch_id=row.id, args=desk.content.args)


def _outcome_event(
    row: Dispatch, was: DispatchState, now: DispatchState, evidence: Mapping[str, Any]
) -> Event:
    facts: dict[str, Any] = {
        "proposal_id": row.proposal_id,
        "dispatch_id": row.id,
        "after_digest": sha256(bytes(row.after)).hexdigest() if row.after is not None else "",
        "evidence_digest": canonical.digest(evidence).hex(),
    }
    if was is DispatchState.UNKNOWN:
        return DispatchReconciled(**facts, outcome=now.value)
    if now is DispatchState.SUCCEEDED:
        return DispatchSucceeded(**facts)
    if now is DispatchState.FAILED:
        return DispatchFailed(**facts)
    if now is DispatchState.STALE:
        return DispatchStaled(**facts, outcome=now.value)
    return DispatchUnknown(**facts)
