"""The switches under `/api/v1/controls/`: machines may look, only people stop and release."""

from datetime import datetime
from uuid import UUID

from django.urls import path
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agents.controls import commands, queries
from agents.controls.cards import SwitchCard
from agents.controls.forms import scope_of
from agents.controls.states import REASON_LENGTH, VALUE_LENGTH
from console.kernel.rest import (
    PAGE_ASKS,
    PAGE_PARAMETERS,
    ApiView,
    In,
    Out,
    actor_of,
    keyset,
    page,
    paged,
    take,
)


class SwitchOut(Out):
    """A stop. `progress` never says more than is known: ordered, confirmed, partial, released."""

    id = serializers.UUIDField()
    scope = serializers.CharField(help_text="tenant, agent:SLUG, tool:NAME or run:ID")
    category = serializers.CharField()
    runs = serializers.CharField()
    reason = serializers.CharField()
    epoch = serializers.IntegerField()
    engaged_by = serializers.CharField()
    engaged_at = serializers.DateTimeField()
    barrier_at = serializers.DateTimeField(allow_null=True)
    confirmed_at = serializers.DateTimeField(allow_null=True)
    progress = serializers.CharField(source="confirmation.progress.value")
    confirmed = serializers.IntegerField(source="confirmation.confirmed")
    of = serializers.IntegerField(source="confirmation.of")
    missing = serializers.ListField(source="confirmation.missing", child=serializers.CharField())
    asked_by = serializers.CharField()
    asked_at = serializers.DateTimeField(allow_null=True)
    release_reason = serializers.CharField()
    released_by = serializers.CharField()
    released_at = serializers.DateTimeField(allow_null=True)


class EngageIn(In):
    scope = serializers.CharField(
        max_length=VALUE_LENGTH + 20, help_text="tenant, agent:SLUG, tool:NAME or run:ID"
    )
    reason = serializers.CharField(max_length=REASON_LENGTH)


class ReleaseIn(In):
    reason = serializers.CharField(max_length=REASON_LENGTH)


class Switches(ApiView):
    """The stops of this organisation."""

    # A stop needs no tenant-wide permission where somebody may operate that one agent: the command
    # decides.
    permission = {"GET": "controls.view", "POST": ""}  # noqa: RUF012 - read only
    asks = PAGE_ASKS
    people_only = True

    @extend_schema(
        operation_id="controls_switches_list",
        parameters=PAGE_PARAMETERS,
        responses=paged(SwitchOut),
    )
    def get(self, request: Request) -> Response:
        """List stops, newest first."""
        cards, following = keyset(
            request,
            lambda after, limit: queries.history(
                actor=actor_of(request), before=after, limit=limit
            ),
            key=_key,
            kinds=(datetime, UUID),
        )
        return page(SwitchOut, cards, following)

    @extend_schema(
        operation_id="controls_switches_engage", request=EngageIn, responses={201: SwitchOut}
    )
    def post(self, request: Request) -> Response:
        """Stop a scope; only a person can."""
        values = take(EngageIn, request)
        card = commands.engage(
            actor=actor_of(request), scope=scope_of(values["scope"]), reason=values["reason"]
        )
        return Response(SwitchOut(card).data, status=201)


class OneSwitch(ApiView):
    permission = "controls.view"

    @extend_schema(operation_id="controls_switches_get", responses=SwitchOut)
    def get(self, request: Request, switch_id: UUID) -> Response:
        """Return one stop and how far it got."""
        return Response(
            SwitchOut(queries.switch(actor=actor_of(request), switch_id=switch_id)).data
        )


class Release(ApiView):
    permission = "controls.release"
    people_only = True

    @extend_schema(operation_id="controls_switches_release", request=ReleaseIn, responses=SwitchOut)
    def post(self, request: Request, switch_id: UUID) -> Response:
        """Lift a stop, or ask a second person to; `released_at` says which it was."""
        values = take(ReleaseIn, request)
        card = commands.release(actor=actor_of(request), switch_id=switch_id, **values)
        return Response(SwitchOut(card).data)


def _key(card: SwitchCard) -> tuple[datetime, UUID]:
    return card.engaged_at, card.id


urlpatterns = [
    path("switches", Switches.as_view(), name="switches"),
    path("switches/<uuid:switch_id>", OneSwitch.as_view(), name="switch"),
    path("switches/<uuid:switch_id>/release", Release.as_view(), name="switch-release"),
]
