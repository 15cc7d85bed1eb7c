"""Break-glass, the grants for it, and the reviews afterwards. All of it is for people."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import commands, queries
from approvals.serializers import NothingIn
from approvals.serializers.reviewing import (
    BreakGlassIn,
    BreakGlassOut,
    CloseIn,
    GrantIn,
    GrantOut,
    GrantsOut,
    ReviewTaskDetailOut,
    ReviewTaskOut,
    ReviewTasksIn,
)
from approvals.states import ReviewVerdict
from console.accounts.states import Permission
from console.kernel.rest import (
    PAGE_PARAMETERS,
    ApiView,
    actor_of,
    keyset,
    page,
    paged,
    take,
    take_query,
)

_STATE = OpenApiParameter("state", str, enum=["open", "closed"], description="`open` by default.")


class BreakGlass(ApiView):
    """Deciding in place of everybody who is asked, with a right that was lent for it.

    The same again is answered with the first receipt, with an idempotency key or without.
    """

    people_only = True

    @extend_schema(
        operation_id="proposals_break_glass", request=BreakGlassIn, responses={201: BreakGlassOut}
    )
    def post(self, request: Request, proposal_id: UUID) -> Response:
        take_query(NothingIn, request)
        values = take(BreakGlassIn, request)
        receipt = commands.break_glass(
            actor=actor_of(request),
            proposal_id=proposal_id,
            revision_no=int(values["revision"]),
            seen_digest=values["digest"],
            reason=values["reason"],
            ticket=values["ticket"],
        )
        return Response(BreakGlassOut(receipt).data, status=200 if receipt.repeated else 201)


class Grants(ApiView):
    """To whom the right to break glass was lent, newest first; lending it, for an hour at most."""

    permission = Permission.ACCOUNTS_MANAGE
    people_only = True

    @extend_schema(operation_id="break_glass_grants_list", responses=GrantsOut)
    def get(self, request: Request) -> Response:
        take_query(NothingIn, request)
        found = queries.break_glass_grants(actor=actor_of(request))
        return Response(GrantsOut({"grants": found}).data)

    @extend_schema(
        operation_id="break_glass_grants_add", request=GrantIn, responses={201: GrantOut}
    )
    def post(self, request: Request) -> Response:
        take_query(NothingIn, request)
        values = take(GrantIn, request)
        card = commands.lend_break_glass(
            actor=actor_of(request),
            person_id=values["person"],
            minutes=values["minutes"],
            reason=values["reason"],
        )
        return Response(GrantOut(card).data, status=201)


class OneGrant(ApiView):
    """Taking the right away before its time."""

    permission = Permission.ACCOUNTS_MANAGE
    people_only = True

    @extend_schema(operation_id="break_glass_grants_revoke", responses={204: None})
    def delete(self, request: Request, grant_id: UUID) -> Response:
        take_query(NothingIn, request)
        commands.revoke_break_glass(actor=actor_of(request), grant_id=grant_id)
        return Response(status=204)


class ReviewTasks(ApiView):
    """Decisions that somebody looks at once more, newest first."""

    permission = ""
    asks = frozenset({"state", "limit", "after"})

    @extend_schema(
        operation_id="review_tasks_list",
        parameters=[_STATE, *PAGE_PARAMETERS],
        responses=paged(ReviewTaskOut),
    )
    def get(self, request: Request) -> Response:
        asked = take_query(ReviewTasksIn, request)
        cards, following = keyset(
            request,
            lambda after, limit: queries.review_tasks(
                actor=actor_of(request),
                closed=asked["state"] == "closed",
                before=after,
                limit=limit,
            ),
            key=lambda card: (card.opened_at, card.id),
            kinds=(datetime, UUID),
        )
        return page(ReviewTaskOut, cards, following)


class OneReviewTask(ApiView):
    """One of them, with the exact change as it was decided."""

    permission = ""

    @extend_schema(operation_id="review_tasks_read", responses=ReviewTaskDetailOut)
    def get(self, request: Request, task_id: UUID) -> Response:
        take_query(NothingIn, request)
        found = queries.review_task(actor=actor_of(request), task_id=task_id)
        return Response(ReviewTaskDetailOut(found).data)


class CloseReviewTask(ApiView):
    """Saying what one thinks of it; for who could have decided it and had no part in it."""

    permission: ClassVar[str] = ""
    people_only = True

    @extend_schema(operation_id="review_tasks_close", request=CloseIn, responses=ReviewTaskOut)
    def post(self, request: Request, task_id: UUID) -> Response:
        take_query(NothingIn, request)
        values = take(CloseIn, request)
        card = commands.close_review_task(
            actor=actor_of(request),
            task_id=task_id,
            verdict=ReviewVerdict(values["verdict"]),
            note=values["note"],
        )
        return Response(ReviewTaskOut(card).data)
