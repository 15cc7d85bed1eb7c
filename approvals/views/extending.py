"""Giving people more time to decide."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from approvals import commands
from approvals.forms import ExtendForm
from approvals.views import pages
from console.kernel.errors import ConsoleError, NotFound
from console.kernel.http import actor_of, read, requires


@requires("")
@require_POST
def extend(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Extend the time; a refusal shows the page again, as it is now, with what was typed."""
    try:
        values = read(ExtendForm, request.POST)
        commands.extend(
            actor=actor_of(request),
            proposal_id=proposal_id,
            reason=values["extend_reason"],
            clock_no=values["clock_no"],
        )
    except NotFound:
        raise
    except ConsoleError as refusal:
        return pages.again(request, proposal_id, refusal)
    return redirect("approvals:detail", proposal_id)
