"""Asking that arguments which a contract hides are erased."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from approvals import commands
from approvals.forms.sealing import EraseForm
from approvals.views import pages
from console.kernel.errors import ConsoleError, NotFound
from console.kernel.http import actor_of, read, requires


@requires("policies.manage")
@require_POST
def erase_sealed(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Ask two people whether the hidden values may go; a refusal shows the page again."""
    try:
        values = read(EraseForm, request.POST)
        waiting = commands.erase_sealed(
            actor=actor_of(request), proposal_id=proposal_id, reason=values["erase_reason"]
        )
    except NotFound:
        raise
    except ConsoleError as refusal:
        return pages.again(request, proposal_id, refusal)
    if waiting is None:
        messages.success(request, "The hidden values were erased.", extra_tags="clear")
        return redirect("approvals:detail", proposal_id)
    said = "Two reviewers are asked now; the values are erased when they agree."
    messages.info(request, said, extra_tags="clear")
    return redirect("approvals:detail", waiting.id)
