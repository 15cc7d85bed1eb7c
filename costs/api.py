"""Usage and spend under `/api/v1/costs/`."""

from datetime import datetime
from uuid import UUID

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from console.kernel.ranges import span_of
from console.kernel.rest import (
    PAGE_ASKS,
    PAGE_PARAMETERS,
    ApiView,
    actor_of,
    keyset,
    page,
    paged,
    take_query,
)
from costs import queries
from costs.forms import group_of
from costs.serializers import LineOut, SpendIn, SpendOut, UsageIn


class Usage(ApiView):
    """Usage lines, as they were booked."""

    permission = "costs.view"
    asks = PAGE_ASKS | {"run_id", "agent"}

    @extend_schema(
        operation_id="costs_usage_list",
        parameters=[
            *PAGE_PARAMETERS,
            OpenApiParameter("run_id", UUID),
            OpenApiParameter("agent", str),
        ],
        responses=paged(LineOut),
    )
    def get(self, request: Request) -> Response:
        """List usage lines, newest first."""
        values = take_query(UsageIn, request)
        cards, following = keyset(
            request,
            lambda after, limit: queries.usage_lines(
                actor=actor_of(request), before=after, limit=limit, **values
            ),
            key=lambda card: (card.admitted_at, card.id),
            kinds=(datetime, UUID),
        )
        return page(LineOut, cards, following)


class Spend(ApiView):
    """What calls came to, by agent, run or day."""

    permission = "costs.view"
    asks = frozenset({"days", "group", "agent"})

    @extend_schema(
        operation_id="costs_spend_get",
        parameters=[
            OpenApiParameter("days", int, description="The last so many days, 30 unless said."),
            OpenApiParameter("group", str, enum=["agent", "run", "day"]),
            OpenApiParameter("agent", str),
        ],
        responses=SpendOut,
    )
    def get(self, request: Request) -> Response:
        """Return spend of the last days in UTC, grouped."""
        values = take_query(SpendIn, request)
        actor = actor_of(request)
        card = queries.spend(
            actor=actor,
            span=span_of(values, today=queries.today(actor=actor)),
            group_by=group_of(values),
            agent=values.get("agent", ""),
        )
        return Response(SpendOut(card).data)


urlpatterns = [
    path("usage", Usage.as_view()),
    path("spend", Spend.as_view()),
]
