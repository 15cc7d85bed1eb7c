"""`metrics`: what was held, how it ended, how long people took."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import queries
from approvals.queries import By
from approvals.serializers import MetricsIn, MetricsOut
from console.kernel import clock
from console.kernel.ranges import span_of
from console.kernel.rest import ApiView, actor_of, take_query


class Metrics(ApiView):
    """What was held in the last days, how it ended, and how long people took."""

    asks = frozenset({"days", "by"})

    @extend_schema(
        operation_id="approval_metrics_get",
        parameters=[
            OpenApiParameter("days", int, description="The last so many days, 30 unless said."),
            OpenApiParameter("by", str, enum=[by.value for by in By]),
        ],
        responses=MetricsOut,
    )
    def get(self, request: Request) -> Response:
        values = take_query(MetricsIn, request)
        card = queries.metrics(
            actor=actor_of(request),
            span=span_of(values, today=clock.now().date()),
            by=By(values.get("by") or By.TOOL),
        )
        return Response(MetricsOut(card).data)
