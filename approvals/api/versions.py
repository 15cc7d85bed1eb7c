"""`policies/versions/{id}`: trying a version in the shadow, putting it away, asking people."""

from typing import ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import commands, queries
from approvals.api.people import editor_of
from approvals.serializers import NothingIn, ProposalOut
from approvals.serializers.workshop import (
    PolicyVersionOut,
    ShadowDaysIn,
    ShadowIn,
    ShadowTallyOut,
)
from console.accounts.states import Permission
from console.kernel.rest import ApiView, actor_of, take, take_query

_DAYS = OpenApiParameter("days", int, description="Of the last so many, 1 to 366; 30 by default.")


class Shadow(ApiView):
    """What a version in the shadow said beside the rules that count; putting it there, and out."""

    permission: ClassVar = {"GET": Permission.APPROVALS_VIEW, "POST": Permission.POLICIES_MANAGE}
    asks = frozenset({"days"})

    @extend_schema(operation_id="policies_shadowed", parameters=[_DAYS], responses=ShadowTallyOut)
    def get(self, request: Request, version_id: UUID) -> Response:
        days = take_query(ShadowDaysIn, request)["days"]
        actor = actor_of(request)
        queries.version(actor=actor, version_id=version_id)
        found = queries.shadow_tally(actor=actor, version_id=version_id, days=days)
        return Response(ShadowTallyOut(found).data)

    @extend_schema(operation_id="policies_shadow", request=ShadowIn, responses=PolicyVersionOut)
    def post(self, request: Request, version_id: UUID) -> Response:
        actor = editor_of(request)
        take_query(NothingIn, request)
        is_on = take(ShadowIn, request)["on"]
        card = commands.shadow_version(actor=actor, version_id=version_id, on=is_on)
        return Response(PolicyVersionOut(card).data)


class Discard(ApiView):
    """Putting away a version that never spoke; nothing depends on it."""

    permission = Permission.POLICIES_MANAGE

    @extend_schema(operation_id="policies_discard", request=None, responses=PolicyVersionOut)
    def post(self, request: Request, version_id: UUID) -> Response:
        actor = editor_of(request)
        take_query(NothingIn, request)
        take(NothingIn, request)
        card = commands.discard_version(actor=actor, version_id=version_id)
        return Response(PolicyVersionOut(card).data)


class Activation(ApiView):
    """Asking two people to let a version speak; the same again returns the proposal that waits."""

    permission = Permission.POLICIES_MANAGE

    @extend_schema(operation_id="policies_activate", request=None, responses={201: ProposalOut})
    def post(self, request: Request, version_id: UUID) -> Response:
        actor = editor_of(request)
        take_query(NothingIn, request)
        take(NothingIn, request)
        card = commands.propose_activation(actor=actor, version_id=version_id)
        return Response(ProposalOut(card).data, status=201)


class Retirement(ApiView):
    """Asking two people to let the active version fall silent, with nothing in its place."""

    permission = Permission.POLICIES_MANAGE

    @extend_schema(operation_id="policies_retire", request=None, responses={201: ProposalOut})
    def post(self, request: Request, version_id: UUID) -> Response:
        actor = editor_of(request)
        take_query(NothingIn, request)
        take(NothingIn, request)
        card = commands.propose_retirement(actor=actor, version_id=version_id)
        return Response(ProposalOut(card).data, status=201)
