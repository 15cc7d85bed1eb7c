"""`plans`: several changes of an agent that runs elsewhere, which people decide about as one."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import commands
from approvals.cards import ExternalCall
from approvals.serializers import NothingIn, PlanIn, PlanProgressOut
from console.accounts.states import Permission
from console.kernel.rest import ApiView, actor_of, take, take_query


class Plans(ApiView):
    """Asking people for several changes as one. Each is dispatched and reported by itself."""

    permission = Permission.APPROVALS_PROPOSE
    writes_per_minute = 60

    @extend_schema(
        operation_id="plans_open",
        description="Ask people for several changes in a fixed order. The same plan for the same "
        "subject gets the live one; another one takes its place.",
        request=PlanIn,
        responses={201: PlanProgressOut},
    )
    def post(self, request: Request) -> Response:
        take_query(NothingIn, request)
        values = take(PlanIn, request)
        plan, *changes = commands.propose_plan(
            actor=actor_of(request),
            subject=values["subject"],
            calls=[ExternalCall(**one) for one in values["changes"]],
        )
        return Response(PlanProgressOut({"plan": plan, "changes": changes}).data, status=201)
