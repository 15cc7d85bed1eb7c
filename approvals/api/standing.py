"""`standing-approvals`: what people approve in advance. Only a person gives or ends one."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import commands, queries
from approvals.api.people import editor_of
from approvals.cards import StandingTerms
from approvals.serializers import NothingIn
from approvals.serializers.standing import RevokeIn, StandingIn, StandingOut
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


class StandingApprovals(ApiView):
    """Approvals given in advance, newest first; a new one is carried by the reader's own vote.

    A vote carries one at a time, so that the same again without an idempotency key is refused.
    """

    permission = ""
    people_only: ClassVar = True
    asks = PAGE_ASKS

    @extend_schema(
        operation_id="standing_list", parameters=PAGE_PARAMETERS, responses=paged(StandingOut)
    )
    def get(self, request: Request) -> Response:
        actor = editor_of(request)
        cards, following = keyset(
            request,
            lambda after, limit: queries.standing_approvals(actor=actor, before=after, limit=limit),
            key=lambda card: (card.made_at, card.id),
            kinds=(datetime, UUID),
        )
        return page(StandingOut, cards, following)

    @extend_schema(operation_id="standing_make", request=StandingIn, responses={201: StandingOut})
    def post(self, request: Request) -> Response:
        actor = editor_of(request)
        take_query(NothingIn, request)
        values = take(StandingIn, request)
        card = commands.make_standing(
            actor=actor,
            proposal_id=values["proposal"],
            revision_no=values["revision"],
            seen_digest=values["digest"],
            terms=StandingTerms(
                conditions=tuple(values["conditions"]),
                free=tuple(values.get("free", ())),
                uses=values["uses"],
                days=values["days"],
            ),
            reason=values["reason"],
        )
        return Response(StandingOut(card).data, status=201)


class RevokeStanding(ApiView):
    """The end of one: for its maker and for who leads the reviewers. Twice is as good as once."""

    permission = ""
    people_only: ClassVar = True

    @extend_schema(operation_id="standing_revoke", request=RevokeIn, responses=StandingOut)
    def post(self, request: Request, standing_id: UUID) -> Response:
        actor = editor_of(request)
        take_query(NothingIn, request)
        reason = take(RevokeIn, request)["reason"]
        card = commands.revoke_standing(actor=actor, standing_id=standing_id, reason=reason)
        return Response(StandingOut(card).data)
