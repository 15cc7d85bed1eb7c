"""`attention`: how fast, how much and how often people decided."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import commands, queries
from approvals.api.people import editor_of
from approvals.serializers import (
    AttentionIn,
    AttentionOut,
    CheckSettingIn,
    CheckSettingOut,
    NothingIn,
)
from console.accounts.states import Permission
from console.kernel import clock
from console.kernel.ranges import DAYS, span_of
from console.kernel.rest import ApiView, actor_of, take, take_query


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


class Checks(ApiView):
    """Whether checks are planted in this tenant; who may manage policies says so.

    Switching them on counts at once. Switching them off asks two people; until they agree the
    answer says that they are on, and names the proposal.
    """

    permission = Permission.POLICIES_MANAGE

    @extend_schema(operation_id="checks_switch", request=CheckSettingIn, responses=CheckSettingOut)
    def post(self, request: Request) -> Response:
        actor = editor_of(request)
        take_query(NothingIn, request)
        values = take(CheckSettingIn, request)
        card = commands.switch_checks(actor=actor, is_on=values["is_on"])
        return Response(CheckSettingOut(card).data)
