"""`proposals/{id}/comments`: questions and remarks."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import commands, queries
from approvals.api.people import editor_of
from approvals.serializers import AnswerIn, CommentIn, CommentOut, NothingIn, ThreadOut
from approvals.states import CommentKind
from console.kernel.rest import ApiView, actor_of, take, take_query


class Comments(ApiView):
    """What is said about a proposal. It decides nothing; whoever proposed it answers later.

    The same question again, while it waits for its answer, is the question that waits.
    """

    @extend_schema(operation_id="comments_list", responses=ThreadOut)
    def get(self, request: Request, proposal_id: UUID) -> Response:
        take_query(NothingIn, request)
        found = queries.thread(actor=actor_of(request), proposal_id=proposal_id)
        return Response(ThreadOut({"thread": found}).data)

    @extend_schema(operation_id="comments_add", request=CommentIn, responses={201: CommentOut})
    def post(self, request: Request, proposal_id: UUID) -> Response:
        actor = editor_of(request)
        take_query(NothingIn, request)
        values = take(CommentIn, request)
        card = commands.ask(
            actor=actor,
            proposal_id=proposal_id,
            kind=CommentKind(values["kind"]),
            text=values["text"],
            revision_no=values.get("revision", 0),
            pause=values.get("pause", False),
        )
        return Response(CommentOut(card).data, status=201)


class Answers(ApiView):
    """The answer to one question: by the key of the agent that proposed, or the person who did.

    It is given once and while the proposal waits; after half an hour without one it says that no
    answer came. The same answer again gets the first one.
    """

    @extend_schema(operation_id="comments_answer", request=AnswerIn, responses={201: CommentOut})
    def post(self, request: Request, proposal_id: UUID, comment_id: UUID) -> Response:
        take_query(NothingIn, request)
        card = commands.reply(
            actor=actor_of(request),
            proposal_id=proposal_id,
            comment_id=comment_id,
            text=take(AnswerIn, request)["text"],
        )
        return Response(CommentOut(card).data, status=201)
