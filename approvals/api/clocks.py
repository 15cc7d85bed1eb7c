"""`proposals/{id}/clock` and `extend`: the time to decide."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import commands, queries
from approvals.api.people import voter_of
from approvals.serializers import ClockOut, ExtendIn, NothingIn
from console.kernel.rest import ApiView, actor_of, take, take_query


class Clock(ApiView):
    """The time to decide of one proposal; nothing in it depends on votes."""

    @extend_schema(operation_id="proposals_clock", responses=ClockOut)
    def get(self, request: Request, proposal_id: UUID) -> Response:
        take_query(NothingIn, request)
        found = queries.clock_of(actor=actor_of(request), proposal_id=proposal_id)
        return Response(ClockOut(found).data)


class Extend(ApiView):
    """More time to decide. It takes the clock that was read: of two who saw it, one moves it."""

    @extend_schema(operation_id="proposals_extend", request=ExtendIn, responses=ClockOut)
    def post(self, request: Request, proposal_id: UUID) -> Response:
        actor = voter_of(request)
        take_query(NothingIn, request)
        values = take(ExtendIn, request)
        commands.extend(
            actor=actor,
            proposal_id=proposal_id,
            reason=values["reason"],
            clock_no=values["clock_no"],
        )
        return Response(ClockOut(queries.clock_of(actor=actor, proposal_id=proposal_id)).data)
