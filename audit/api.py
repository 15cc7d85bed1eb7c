"""`/api/v1/audit`: the trail for programs. Reads are recorded as those of the pages are."""

from dataclasses import replace

from django.http import HttpResponse
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from audit import commands, queries
from audit.answers import ZIP, as_file
from audit.bundles import Asked, export_bundle
from audit.search import Search
from audit.serializers import (
    BundleIn,
    EntryDetailOut,
    EntryOut,
    ProofOut,
    SearchIn,
    WatchOut,
)
from console.kernel.rest import (
    PAGE_ASKS,
    PAGE_PARAMETERS,
    ApiView,
    actor_of,
    keyset,
    page,
    paged,
    take_query,
)


class Entries(ApiView):
    """Sealed entries, newest first."""

    permission = "audit.view"
    asks = PAGE_ASKS | set(SearchIn().fields)

    @extend_schema(
        operation_id="audit_entries",
        parameters=[SearchIn, *PAGE_PARAMETERS],
        responses=paged(EntryOut),
    )
    def get(self, request: Request) -> Response:
        search = Search(**take_query(SearchIn, request))
        cards, following = keyset(
            request,
            lambda after, limit: (
                commands.search_trail(
                    actor=actor_of(request),
                    search=replace(search, before=after[0] if after else None),
                    limit=limit,
                ).entries
            ),
            key=lambda card: (card.index or 0,),
            kinds=(int,),
        )
        return page(EntryOut, cards, following)


class OneEntry(ApiView):
    """One entry as it was recorded, with its proof."""

    permission = "audit.view"

    @extend_schema(operation_id="audit_entry", responses=EntryDetailOut)
    def get(self, request: Request, index: int) -> Response:
        detail = commands.open_entry(actor=actor_of(request), index=index)
        return Response(EntryDetailOut(detail).data)


class EvidenceBundle(ApiView):
    """Evidence of an entry, a range or everything about one thing, as a zip that checks itself."""

    permission = "audit.export"
    asks = frozenset(BundleIn().fields)

    @extend_schema(
        operation_id="audit_bundle",
        parameters=[BundleIn],
        responses={(200, ZIP): OpenApiTypes.BINARY},
    )
    def get(self, request: Request) -> HttpResponse:
        asked = Asked(**take_query(BundleIn, request))
        found = export_bundle(actor=actor_of(request), asked=asked)
        return as_file(found, request._request)  # noqa: SLF001 - DRF's documented name


class Proof(ApiView):
    """The inclusion proof of one entry, and what came out when it was verified."""

    permission = "audit.view"

    @extend_schema(operation_id="audit_proof", responses=ProofOut)
    def get(self, request: Request, index: int) -> Response:
        return Response(ProofOut(commands.open_proof(actor=actor_of(request), index=index)).data)


class Watch(ApiView):
    """What watches the trail: its alarms, and what the self-check last saw."""

    permission = "audit.view"

    @extend_schema(operation_id="audit_watch", responses=WatchOut)
    def get(self, request: Request) -> Response:
        actor = actor_of(request)
        seen = {"guards": queries.guards(actor=actor), "alarms": queries.alarms(actor=actor)}
        return Response(WatchOut(seen).data)


urlpatterns = [
    path("watch", Watch.as_view()),
    path("entries", Entries.as_view()),
    path("entries/<int:index>", OneEntry.as_view()),
    path("entries/<int:index>/proof", Proof.as_view()),
    path("bundle", EvidenceBundle.as_view()),
]
