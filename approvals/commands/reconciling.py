"""A person's word for what became of a dispatch of which nobody knew."""

from uuid import UUID

from approvals.cards import DispatchCard, Subject
from approvals.commands import remarks
from approvals.commands.desk import must_lock
from approvals.commands.dispatching import report_outcome
from approvals.errors import OutcomeKnown
from approvals.kinds import Reconciled, kind_of
from approvals.models import Dispatch
from approvals.states import DispatchState
from console.accounts.queries import require
from console.accounts.states import Permission
from console.kernel.actors import Actor
from console.kernel.errors import BadInput, NotAllowed, NotFound
from console.kernel.transactions import command


@command
def reconcile(*, actor: Actor, dispatch_id: UUID, happened: bool, evidence: str) -> DispatchCard:
    """Settle an unknown dispatch by what a person found at the target.

    Args:
        evidence: what they looked at and saw.

    Raises:
        NotAllowed: a program asks, or the person lacks `runs.start`.
        NotFound: there is no such dispatch.
        OutcomeKnown, or what the kind's own room says: it is not unknown.
        BadInput: the evidence is missing or too long.
    """
    require(actor, Permission.RUNS_START)
    found = Dispatch.objects.filter(pk=dispatch_id).select_related("proposal").first()
    if found is None:
        raise NotFound("There is no such dispatch here; look at the list of reviews.")
    if not actor.is_person:
        raise NotAllowed("Only a person says this; sign in to the console and look at the target.")
    said = remarks.text_of(evidence, "evidence")
    if not said:
        sentence = "Say what you looked at and what you saw."
        raise BadInput(f"Evidence: {sentence}", fields={"evidence": [sentence]})
    proposal = found.proposal
    kind: object = kind_of(proposal.subject_kind)
    if isinstance(kind, Reconciled):
        # Its room locks what is its own first; the order of locks is run, call, proposal.
        subject = Subject(kind=proposal.subject_kind, id=proposal.subject_id)
        kind.reconcile(actor=actor, subject=subject, happened=happened, evidence=said)
    else:
        _settle(actor, found, happened=happened, said=said)
    return Dispatch.objects.get(pk=dispatch_id).card()


def _settle(actor: Actor, found: Dispatch, *, happened: bool, said: str) -> None:
    desk = must_lock(actor=actor, proposal_id=found.proposal_id)
    row = Dispatch.objects.get(pk=found.pk)
    if row.state != DispatchState.UNKNOWN.value:
        raise OutcomeKnown(
            f"This dispatch is on record as {row.state}; only an unknown one is settled by people."
        )
    content = desk.content
    report_outcome(
        actor=actor,
        dispatch_id=row.pk,
        outcome=DispatchState.SUCCEEDED if happened else DispatchState.FAILED,
        after=content.after if happened else content.before,
        evidence={"found": said, "by": actor.label},
    )
