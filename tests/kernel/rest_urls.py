"""Addresses for the tests of the REST base: thin views on real commands."""

from typing import Any, ClassVar
from uuid import UUID

from django.urls import include, path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from console.accounts import commands, queries
from console.accounts.serializers import PersonOut
from console.kernel import outbox
from console.kernel.actors import Actor
from console.kernel.errors import BadInput
from console.kernel.rest import PAGE_ASKS, ApiView, In, Missing, actor_of, keyset, page, take
from console.kernel.transactions import command


class GroupIn(In):
    slug = serializers.CharField(max_length=63)
    title = serializers.CharField(max_length=120)
    weight = serializers.IntegerField(required=False)


class Groups(ApiView):
    permission = "accounts.manage"

    def post(self, request: Request) -> Response:
        values = take(GroupIn, request)
        values.pop("weight", None)
        made = commands.create_group(actor=actor_of(request), **values)
        return Response({"id": str(made.id), "slug": made.slug}, status=201)


class People(ApiView):
    permission = ""
    asks = PAGE_ASKS

    def get(self, request: Request) -> Response:
        cards, following = keyset(
            request,
            lambda after, limit: queries.people(actor=actor_of(request), after=after, limit=limit),
            key=lambda card: (card.name, card.id),
            kinds=(str, UUID),
        )
        return page(PersonOut, cards, following)


class Slow(ApiView):
    permission = ""
    reads_per_minute = 3

    def get(self, _request: Request) -> Response:
        return Response({"ok": True})


class Decide(ApiView):
    permission: ClassVar[Any] = {"GET": "", "POST": "approvals.view"}
    people_only = True

    def get(self, _request: Request) -> Response:
        return Response({"ok": True})

    def post(self, _request: Request) -> Response:
        return Response({"ok": True})


class Noticing(ApiView):
    permission = ""

    def post(self, request: Request) -> Response:
        notice(actor=actor_of(request), refuse=bool(take(NoticeIn, request)["refuse"]))
        return Response(status=204)


class NoticeIn(In):
    refuse = serializers.BooleanField()


@command
def notice(*, actor: Actor, refuse: bool) -> BadInput | None:
    outbox.enqueue_task("noticed", by=actor.id)
    return BadInput("This is refused, and what was noticed is kept.") if refuse else None


class Broken(ApiView):
    permission = ""

    def get(self, _request: Request) -> Response:
        raise ZeroDivisionError


urlpatterns = [
    path("api/v1/groups", Groups.as_view()),
    path("api/v1/people", People.as_view()),
    path("api/v1/slow", Slow.as_view()),
    path("api/v1/decide", Decide.as_view()),
    path("api/v1/noticing", Noticing.as_view()),
    path("api/v1/broken", Broken.as_view()),
    path("api/v1/nowhere", Missing.as_view()),
    path("", include("console.urls")),
]
