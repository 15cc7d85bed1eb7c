"""`policies/replays`: a version asked about past calls. Only people ask, as on the page."""

from typing import ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import commands, queries
from approvals.api.people import editor_of
from approvals.serializers import NothingIn
from approvals.serializers.replays import (
    LISTED,
    ReplayCallsIn,
    ReplayedCallOut,
    ReplayIn,
    ReplayOut,
    ReplaysOut,
)
from approvals.states import ReplaySays
from console.accounts.states import Permission
from console.kernel.rest import (
    PAGE_ASKS,
    PAGE_PARAMETERS,
    ApiView,
    keyset,
    page,
    paged,
    take,
    take_query,
)


class Replays(ApiView):
    """The newest replays of a version, and the start of one; one that runs already is returned."""

    permission: ClassVar = {"GET": Permission.APPROVALS_VIEW, "POST": Permission.POLICIES_MANAGE}

    @extend_schema(operation_id="replays_list", responses=ReplaysOut)
    def get(self, request: Request, version_id: UUID) -> Response:
        actor = editor_of(request)
        take_query(NothingIn, request)
        queries.version(actor=actor, version_id=version_id)
        found = queries.replays_of(actor=actor, version_id=version_id)
        return Response(ReplaysOut({"replays": found}).data)

    @extend_schema(operation_id="replays_start", request=ReplayIn, responses={201: ReplayOut})
    def post(self, request: Request, version_id: UUID) -> Response:
        actor = editor_of(request)
        take_query(NothingIn, request)
        days = take(ReplayIn, request)["days"]
        card = commands.start_replay(actor=actor, version_id=version_id, days=days)
        return Response(ReplayOut(card).data, status=201)


class OneReplay(ApiView):
    """How far a replay has come, and how many calls would have gone another way."""

    permission = Permission.APPROVALS_VIEW

    @extend_schema(operation_id="replays_read", responses=ReplayOut)
    def get(self, request: Request, replay_id: UUID) -> Response:
        actor = editor_of(request)
        take_query(NothingIn, request)
        return Response(ReplayOut(queries.replay(actor=actor, replay_id=replay_id)).data)


class ReplayCalls(ApiView):
    """The calls that would have gone another way, the oldest first; 10,000 of each kind at most."""

    permission = Permission.APPROVALS_VIEW
    asks = PAGE_ASKS | {"difference"}

    @extend_schema(
        operation_id="replays_calls",
        parameters=[
            *PAGE_PARAMETERS,
            OpenApiParameter("difference", str, enum=LISTED, description="Only calls like this."),
        ],
        responses=paged(ReplayedCallOut),
    )
    def get(self, request: Request, replay_id: UUID) -> Response:
        actor = editor_of(request)
        asked = take_query(ReplayCallsIn, request).get("difference", "")
        cards, following = keyset(
            request,
            lambda after, limit: queries.replayed_calls(
                actor=actor,
                replay_id=replay_id,
                difference=ReplaySays(asked) if asked else None,
                after=after[0] if after else 0,
                limit=limit,
            ),
            key=lambda card: (card.no,),
            kinds=(int,),
        )
        return page(ReplayedCallOut, cards, following)


class CancelReplay(ApiView):
    """End a replay where it is; what it found so far stays."""

    permission = Permission.POLICIES_MANAGE

    @extend_schema(operation_id="replays_cancel", request=None, responses=ReplayOut)
    def post(self, request: Request, replay_id: UUID) -> Response:
        actor = editor_of(request)
        take_query(NothingIn, request)
        take(NothingIn, request)
        card = commands.cancel_replay(actor=actor, replay_id=replay_id)
        return Response(ReplayOut(card).data)
