"""`proposals/{id}/claim`: who is at work on it."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import commands
from approvals.api.people import voter_of
from approvals.serializers import ClaimIn, ClaimsOut, NothingIn
from console.kernel.rest import ApiView, take, take_query


class Claims(ApiView):
    """Being at work on a proposal. The same again renews the lease, so it needs no key.

    Not behind an idempotency key: the stored answer would name a lease that is over.
    """

    repeatable = False

    @extend_schema(operation_id="claims_take", request=ClaimIn, responses=ClaimsOut)
    def post(self, request: Request, proposal_id: UUID) -> Response:
        actor = voter_of(request)
        take_query(NothingIn, request)
        asked = take(ClaimIn, request)
        if asked["take_over"]:
            found = commands.take_over(actor=actor, proposal_id=proposal_id)
        else:
            found = commands.claim(
                actor=actor, proposal_id=proposal_id, by_itself=asked["by_itself"]
            )
        return Response(ClaimsOut(found).data)

    @extend_schema(operation_id="claims_release", responses=ClaimsOut)
    def delete(self, request: Request, proposal_id: UUID) -> Response:
        actor = voter_of(request)
        take_query(NothingIn, request)
        take(NothingIn, request)
        found = commands.release(actor=actor, proposal_id=proposal_id)
        return Response(ClaimsOut(found).data)
