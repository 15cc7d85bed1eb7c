"""`attention`: how fast, how much and how often people decided."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import queries
from approvals.serializers import AttentionIn, AttentionOut
from console.kernel import clock
from console.kernel.ranges import DAYS, span_of
from console.kernel.rest import ApiView, actor_of, take_query


class Attention(ApiView):
    """The reader's own figures; for who leads the reviewers, those of everybody, by name.

    A figure with too little to tell is null, which is not zero.
    """

    asks = frozenset({"days"})

    @extend_schema(
        operation_id="approval_attention_get",
        parameters=[
            OpenApiParameter("days", int, description="The last so many days, 7 unless said."),
        ],
        responses=AttentionOut,
    )
    def get(self, request: Request) -> Response:
        days = take_query(AttentionIn, request).get("days") or DAYS[0]
        card = queries.attention(
            actor=actor_of(request), span=span_of({"days": days}, today=clock.now().date())
        )
        return Response(AttentionOut(card).data)
