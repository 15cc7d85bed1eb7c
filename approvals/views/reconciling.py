"""Saying what became of a dispatch of which nobody knew."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from approvals import commands, queries
from approvals.errors import OutcomeKnown
from approvals.forms import FoundForm
from approvals.views import pages
from console.kernel.errors import ConsoleError, NotFound
from console.kernel.http import actor_of, read, requires


@requires("runs.start")
@require_POST
def reconcile(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Take a person's word; a refusal shows the page again, as it is now, with what was typed."""
    found = queries.proposal(actor=actor_of(request), proposal_id=proposal_id)
    try:
        values = read(FoundForm, request.POST)
        if found.dispatch is None:
            raise OutcomeKnown("This was never handed over for execution; nothing is unknown.")
        commands.reconcile(
            actor=actor_of(request),
            dispatch_id=found.dispatch.id,
            happened=values["happened"] == "yes",
            evidence=values["evidence"],
        )
    except NotFound:
        raise
    except ConsoleError as refusal:
        return pages.again(request, proposal_id, refusal)
    return redirect("approvals:detail", proposal_id)
