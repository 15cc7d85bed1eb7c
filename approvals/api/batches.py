"""`batches`: one act for several proposals of one tool. Only a person's session votes."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import commands
from approvals.api.people import voter_of
from approvals.cards import Listed
from approvals.serializers import BatchIn, BatchOut, NothingIn
from approvals.states import Choice
from console.kernel.rest import ApiView, take, take_query


class Batches(ApiView):
    """A vote for each item, each with its own receipt or refusal.

    Not behind an idempotency key: each vote is a transaction of its own, and the same batch again
    is answered with the first receipts.
    """

    repeatable = False

    @extend_schema(operation_id="batches_cast", request=BatchIn, responses=BatchOut)
    def post(self, request: Request) -> Response:
        actor = voter_of(request)
        take_query(NothingIn, request)
        values = take(BatchIn, request)
        results = commands.cast_batch(
            actor=actor,
            items=[_listed(one) for one in values["items"]],
            choice=Choice(values["choice"]),
            reason_code=values.get("reason_code", ""),
            note=values.get("note", ""),
            agent_message=values.get("agent_message", ""),
            in_place_of=values.get("in_place_of"),
        )
        return Response(BatchOut({"results": results}).data)


def _listed(sent: dict[str, Any]) -> Listed:
    return Listed(
        proposal_id=sent["proposal"], revision_no=int(sent["revision"]), digest=sent["digest"]
    )
