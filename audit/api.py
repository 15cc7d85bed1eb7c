"""`/api/v1/audit`: the trail for programs. Reads are recorded as those of the pages are."""

from collections.abc import Sequence
from dataclasses import replace

from django.http import HttpResponse
from django.urls import path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from audit import commands, queries
from audit.answers import BYTES, TEXT, ZIP, as_bytes, as_file, as_text
from audit.bundles import Asked, export_bundle, open_receipt, read_entries
from audit.cards import EntryCard, SearchPage
from audit.envelope import microseconds_of
from audit.queries import tiles
from audit.search import Place, Search, parse
from audit.serializers import (
    BundleIn,
    ConsistencyIn,
    ConsistencyOut,
    EntriesOut,
    EntryDetailOut,
    ExecutedOut,
    FacetsOut,
    ProofOut,
    SearchIn,
    WatchOut,
    asked_of,
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
    """Sealed entries, newest first, pinned: every following page draws on the tree of the first."""

    permission = "audit.view"
    asks = PAGE_ASKS | set(SearchIn().fields)

    @extend_schema(
        operation_id="audit_entries",
        parameters=[SearchIn, *PAGE_PARAMETERS],
        responses=EntriesOut,
    )
    def get(self, request: Request) -> Response:
        search = _asked(request)
        pages: list[SearchPage] = []

        def fetch(after: tuple[int, int, int] | None, limit: int) -> Sequence[EntryCard]:
            paged = search if after is None else _behind(search, *after)
            pages.append(commands.search_trail(actor=actor_of(request), search=paged, limit=limit))
            return pages[-1].entries

        cards, following = keyset(
            request,
            fetch,
            key=lambda card: (
                microseconds_of(card.received_at),
                card.index or 0,
                pages[-1].pin.size,
            ),
            kinds=(int, int, int),
        )
        answer = {
            "items": cards,
            "next": following,
            "asked": asked_of(search),
            "pinned": pages[-1].pin,
            "complete": pages[-1].completeness,
        }
        return Response(EntriesOut(answer).data)


class FacetCounts(ApiView):
    """How many of the entries that match have each value of the commonest fields."""

    permission = "audit.view"
    asks = frozenset(SearchIn().fields)

    @extend_schema(operation_id="audit_facets", parameters=[SearchIn], responses=FacetsOut)
    def get(self, request: Request) -> Response:
        page = commands.search_trail(
            actor=actor_of(request), search=_asked(request), limit=1, with_facets=True
        )
        return Response(FacetsOut(page.facets).data)


class Executed(ApiView):
    """What ran beside what was approved, newest first."""

    permission = "audit.view"
    asks = PAGE_ASKS

    @extend_schema(
        operation_id="audit_executed", parameters=PAGE_PARAMETERS, responses=paged(ExecutedOut)
    )
    def get(self, request: Request) -> Response:
        cards, following = keyset(
            request,
            lambda after, limit: commands.list_executed(
                actor=actor_of(request), before=Place(*after) if after else None, limit=limit
            ),
            key=lambda card: (microseconds_of(card.at), card.index),
            kinds=(int, int),
        )
        return page(ExecutedOut, cards, following)


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
        seen = {
            "guards": queries.guards(actor=actor),
            "patrols": queries.patrols(actor=actor),
            "alarms": queries.alarms(actor=actor),
        }
        return Response(WatchOut(seen).data)


class Receipt(ApiView):
    """A receipt of one entry as a C2SP tlog-proof; the leaf is its extra data."""

    permission = "audit.view"

    @extend_schema(operation_id="audit_receipt", responses={(200, TEXT): OpenApiTypes.STR})
    def get(self, request: Request, index: int) -> HttpResponse:
        return as_text(open_receipt(actor=actor_of(request), index=index))


class MetaReceipt(ApiView):
    """A tlog-proof that the log of an entry stands in the meta log; extra data: the meta leaf."""

    permission = "audit.view"

    @extend_schema(operation_id="audit_receipt_meta", responses={(200, TEXT): OpenApiTypes.STR})
    def get(self, request: Request, index: int) -> HttpResponse:
        return as_text(tiles.meta_receipt(actor=actor_of(request), index=index))


class Consistency(ApiView):
    """The proof that the log only grew between two sizes."""

    permission = "audit.view"
    asks = frozenset(ConsistencyIn().fields)

    @extend_schema(
        operation_id="audit_consistency", parameters=[ConsistencyIn], responses=ConsistencyOut
    )
    def get(self, request: Request) -> Response:
        sizes = take_query(ConsistencyIn, request)
        return Response(ConsistencyOut(tiles.consistency(actor=actor_of(request), **sizes)).data)


class LogCheckpoint(ApiView):
    """The newest signed checkpoint of the log, as C2SP tlog-tiles has it."""

    permission = "audit.view"

    @extend_schema(operation_id="audit_log_checkpoint", responses={(200, TEXT): OpenApiTypes.STR})
    def get(self, request: Request) -> HttpResponse:
        return as_text(tiles.checkpoint(actor=actor_of(request)))


class LogTile(ApiView):
    """Hashes of a tile, `<level>/<number>` or `<level>/<number>.p/<width>`, of C2SP tlog-tiles."""

    permission = "audit.view"

    @extend_schema(operation_id="audit_log_tile", responses={(200, BYTES): OpenApiTypes.BINARY})
    def get(self, request: Request, tile: str) -> HttpResponse:
        return as_bytes(tiles.tile(actor=actor_of(request), path=tile), fixed=True)


class LogEntries(ApiView):
    """An entry bundle, `<number>` or `<number>.p/<width>`, of C2SP tlog-tiles."""

    permission = "audit.export"

    @extend_schema(operation_id="audit_log_entries", responses={(200, BYTES): OpenApiTypes.BINARY})
    def get(self, request: Request, place: str) -> HttpResponse:
        return as_bytes(read_entries(actor=actor_of(request), path=place), fixed=False)


def _asked(request: Request) -> Search:
    values = take_query(SearchIn, request)
    return Search(query=parse(values["q"]), at=values.get("at"), root=values.get("root", ""))


def _place(card: EntryCard) -> tuple[int, int]:
    return microseconds_of(card.received_at), card.index or 0


def _behind(search: Search, received_us: int, index: int, size: int) -> Search:
    """Return the next page of a question; its cursor names the tree that the first drew on."""
    return replace(search, before=Place(received_us, index), at=size)


urlpatterns = [
    path("watch", Watch.as_view()),
    path("entries", Entries.as_view()),
    path("executed", Executed.as_view()),
    path("facets", FacetCounts.as_view()),
    path("entries/<int:index>", OneEntry.as_view()),
    path("entries/<int:index>/proof", Proof.as_view()),
    path("entries/<int:index>/receipt", Receipt.as_view()),
    path("entries/<int:index>/receipt/meta", MetaReceipt.as_view()),
    path("bundle", EvidenceBundle.as_view()),
    path("consistency", Consistency.as_view()),
    path("log/checkpoint", LogCheckpoint.as_view()),
    path("log/tile/entries/<path:place>", LogEntries.as_view()),
    path("log/tile/<path:tile>", LogTile.as_view()),
]
