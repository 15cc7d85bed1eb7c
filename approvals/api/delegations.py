"""`delegations`: who may decide in the place of whom. All of it is for people."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import commands, queries
from approvals.serializers import NothingIn
from approvals.serializers.delegating import DelegationIn, DelegationOut, DelegationsOut
from console.accounts.states import Permission
from console.kernel.rest import ApiView, actor_of, take, take_query


class Delegations(ApiView):
    """Who stands in for whom, those that last first; naming who stands in for the caller."""

    permission = Permission.APPROVALS_VIEW
    people_only = True

    @extend_schema(operation_id="delegations_list", responses=DelegationsOut)
    def get(self, request: Request) -> Response:
        take_query(NothingIn, request)
        found = queries.delegations(actor=actor_of(request))
        return Response(DelegationsOut({"delegations": found}).data)

    @extend_schema(
        operation_id="delegations_add", request=DelegationIn, responses={201: DelegationOut}
    )
    def post(self, request: Request) -> Response:
        take_query(NothingIn, request)
        values = take(DelegationIn, request)
        card = commands.delegate(
            actor=actor_of(request),
            person_id=values["person"],
            group=values["group"],
            until=values["until"],
            reason=values["reason"],
        )
        return Response(DelegationOut(card).data, status=201)


class OneDelegation(ApiView):
    """Ending one before its time; for its two people, and for who leads the reviewers."""

    permission = Permission.APPROVALS_VIEW
    people_only = True

    @extend_schema(operation_id="delegations_end", responses={204: None})
    def delete(self, request: Request, delegation_id: UUID) -> Response:
        take_query(NothingIn, request)
        commands.end_delegation(actor=actor_of(request), delegation_id=delegation_id)
        return Response(status=204)
