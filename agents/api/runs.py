"""Runs by key-set pages, one run, its events, and the intake of a message."""

from datetime import datetime
from uuid import UUID

from django.urls import path
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from agents.conversations import commands, replying
from agents.forms import RunFilterForm
from agents.runtime import queries
from agents.serializers import (
    STATES,
    EventOut,
    MessageIn,
    MessageOut,
    OneRunOut,
    ReplyIn,
    RunOut,
)
from console.accounts.states import Permission
from console.kernel.http import read
from console.kernel.rest import (
    PAGE_ASKS,
    PAGE_PARAMETERS,
    ApiView,
    actor_of,
    keyset,
    page,
    paged,
    take,
)

FILTERS = [
    OpenApiParameter("state", str, enum=STATES),
    OpenApiParameter("agent", str, description="Slug of an agent."),
]


class Runs(ApiView):
    """Runs, newest first."""

    permission = Permission.RUNS_VIEW
    asks = PAGE_ASKS | {"state", "agent"}

    @extend_schema(
        operation_id="runs_list", parameters=[*PAGE_PARAMETERS, *FILTERS], responses=paged(RunOut)
    )
    def get(self, request: Request) -> Response:
        names = ("state", "agent")
        given = {name: request.query_params.get(name, "") for name in names}
        asked = read(RunFilterForm, given)
        cards, following = keyset(
            request,
            lambda before, limit: queries.runs(
                actor=actor_of(request),
                state=asked["state"],
                agent=asked["agent"],
                before=before,
                limit=limit,
            ),
            key=lambda card: (card.created_at, card.id),
            kinds=(datetime, UUID),
        )
        return page(RunOut, cards, following)


class OneRun(ApiView):
    """One run with its transcript."""

    permission = Permission.RUNS_VIEW

    @extend_schema(operation_id="runs_read", responses=OneRunOut)
    def get(self, request: Request, run_id: UUID) -> Response:
        return Response(OneRunOut(queries.run(actor=actor_of(request), run_id=run_id)).data)


class RunEvents(ApiView):
    """The timeline of a run, in order and without gaps; `after` continues it."""

    permission = Permission.RUNS_VIEW
    asks = PAGE_ASKS

    @extend_schema(
        operation_id="runs_events", parameters=PAGE_PARAMETERS, responses=paged(EventOut)
    )
    def get(self, request: Request, run_id: UUID) -> Response:
        cards, following = keyset(
            request,
            lambda after, limit: queries.events(
                actor=actor_of(request),
                run_id=run_id,
                after=after[0] if after else 0,
                limit=limit,
            ),
            key=lambda card: (card.seq,),
            kinds=(int,),
        )
        return page(EventOut, cards, following)


class Messages(ApiView):
    """Say something to an agent on behalf of an end user; the answer comes later."""

    permission = Permission.RUNS_START

    @extend_schema(operation_id="messages_send", request=MessageIn, responses={202: MessageOut})
    def post(self, request: Request) -> Response:
        values = take(MessageIn, request)
        made = commands.receive_message(
            actor=actor_of(request),
            conversation_id=values["conversation_id"],
            agent_slug=values["agent"],
            client_id=values["client_id"],
            text=values["text"],
            channel="api",
            end_user=values["end_user"],
        )
        return Response(MessageOut(made).data, status=202)


class Replies(ApiView):
    """Answer an end user in place of the agent, while the conversation is with people."""

    permission = Permission.RUNS_START

    @extend_schema(operation_id="replies_send", request=ReplyIn, responses={201: MessageOut})
    def post(self, request: Request, conversation_id: UUID) -> Response:
        values = take(ReplyIn, request)
        made = replying.reply(actor=actor_of(request), conversation_id=conversation_id, **values)
        return Response(MessageOut(made).data, status=201)


urlpatterns = [
    path("runs", Runs.as_view()),
    path("runs/<uuid:run_id>", OneRun.as_view()),
    path("runs/<uuid:run_id>/events", RunEvents.as_view()),
    path("conversations/messages", Messages.as_view()),
    path("conversations/<uuid:conversation_id>/replies", Replies.as_view()),
]
