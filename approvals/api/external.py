"""`proposals/{id}/wait` and `dispatch`: what an agent that runs elsewhere does with a proposal."""

from typing import cast
from uuid import UUID

from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import commands, queries, streams
from approvals.cards import Progress
from approvals.policies.external import MOST_WAIT_S, USUAL_WAIT_S
from approvals.serializers import ClaimedOut, DispatchIn, NothingIn, WaitIn, WaitOut
from console.accounts.states import Permission
from console.kernel.rest import ApiView, actor_of, take, take_query

_WAITS = [
    OpenApiParameter("after", str, description="A row_version or state; left out: until settled."),
    OpenApiParameter(
        "questions",
        int,
        description="How many open ones you know; more answer the wait. Left out: none does.",
    ),
    OpenApiParameter(
        "seconds",
        int,
        description=f"How long at most, 0 to {MOST_WAIT_S}; {USUAL_WAIT_S} unless said.",
    ),
]


class Wait(ApiView):
    """Waiting until people decided, or anything else changed; the answer may take a minute.

    It is no promise: the fact stands in the proposal, and whoever asks again gets it.
    """

    permission = Permission.APPROVALS_PROPOSE
    asks = frozenset({"after", "seconds", "questions"})

    @extend_schema(operation_id="proposals_wait", parameters=_WAITS, responses=WaitOut)
    def get(self, request: Request, proposal_id: UUID) -> HttpResponse:
        values = take_query(WaitIn, request)
        seconds = values["seconds"]
        after = request.query_params.get("after", "")
        actor = actor_of(request)
        card = queries.progress(actor=actor, proposal_id=proposal_id)

        def moved(now: Progress) -> bool:
            return streams.has_moved(now, after, values.get("questions"))

        def body(now: Progress) -> bytes:
            answer = {"changed": moved(now), "proposal": now}
            raw: bytes = JSONRenderer().render(WaitOut(answer).data)
            return raw

        if moved(card) or not seconds:
            return HttpResponse(body(card), content_type="application/json")
        streams.require_room(actor)
        response = StreamingHttpResponse(
            streams.until_moved(actor, card, moved, seconds, body), content_type="application/json"
        )
        response.headers["X-Accel-Buffering"] = "no"
        return cast("HttpResponse", response)


class Dispatch(ApiView):
    """Taking the one permission to make an approved change, right before making it.

    Not behind an idempotency key: `call_key` is one, and a stored permission would outlive the time
    to make the change.
    """

    permission = Permission.APPROVALS_PROPOSE
    repeatable = False

    @extend_schema(operation_id="proposals_dispatch", request=DispatchIn, responses=ClaimedOut)
    def post(self, request: Request, proposal_id: UUID) -> Response:
        take_query(NothingIn, request)
        values = take(DispatchIn, request)
        found = commands.dispatch_own(actor=actor_of(request), proposal_id=proposal_id, **values)
        return Response(ClaimedOut(found).data)
