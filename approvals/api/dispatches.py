"""`dispatches/{id}`: how the one execution went, as its agent reports it or people find out."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import commands
from approvals.serializers import DispatchOut, NothingIn, OutcomeIn, ReconcileIn
from approvals.states import DispatchState
from console.accounts.states import Permission
from console.kernel.rest import ApiView, actor_of, take, take_query


class Outcomes(ApiView):
    """Reporting how the change went; the same report again changes nothing."""

    permission = Permission.APPROVALS_PROPOSE

    @extend_schema(operation_id="dispatches_report", request=OutcomeIn, responses=DispatchOut)
    def post(self, request: Request, dispatch_id: UUID) -> Response:
        take_query(NothingIn, request)
        values = take(OutcomeIn, request)
        card = commands.report_own(
            actor=actor_of(request),
            dispatch_id=dispatch_id,
            outcome=DispatchState(values["outcome"]),
            after=values.get("after", {}),
            evidence=values.get("evidence", {}),
        )
        return Response(DispatchOut(card).data)


class Reconcile(ApiView):
    """A person's word for what became of a dispatch of which nobody knew."""

    permission = Permission.RUNS_START
    people_only = True

    @extend_schema(operation_id="dispatches_reconcile", request=ReconcileIn, responses=DispatchOut)
    def post(self, request: Request, dispatch_id: UUID) -> Response:
        take_query(NothingIn, request)
        values = take(ReconcileIn, request)
        card = commands.reconcile(
            actor=actor_of(request),
            dispatch_id=dispatch_id,
            happened=values["outcome"] == DispatchState.SUCCEEDED.value,
            evidence=values["evidence"],
        )
        return Response(DispatchOut(card).data)
