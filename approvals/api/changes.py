"""`proposals/{id}/diff`, `interdiff` and `threeway`: what a proposal changes, and what moved."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from approvals import commands, diffs, queries
from approvals.cards import Difference, Laid, Line
from approvals.serializers import NothingIn
from approvals.serializers.changes import (
    DIFF_VIEWS,
    FIELDS,
    RAW,
    SIDE,
    UNIFIED,
    DiffIn,
    DiffOut,
    InterdiffIn,
    InterdiffOut,
    ThreeWayOut,
)
from console.kernel.rest import ApiView, actor_of, take_query

_VIEW = OpenApiParameter("view", str, enum=DIFF_VIEWS, description="`fields` by default.")
_FROM = OpenApiParameter(
    "from", int, description="The number of the revision that was seen; the one before by default."
)


class ShownDiff(ApiView):
    """The change whole, in one of four views; the member named as the view holds it.

    To a person it counts as shown: who approves was shown every part, and the proposal itself.
    """

    permission = ""
    asks = frozenset({"view"})

    @extend_schema(operation_id="proposals_diff", parameters=[_VIEW], responses=DiffOut)
    def get(self, request: Request, proposal_id: UUID) -> Response:
        view = take_query(DiffIn, request)["view"]
        actor = actor_of(request)
        found = queries.difference(actor=actor, proposal_id=proposal_id)
        laid = diffs.laid_out(found.diff)
        answer = DiffOut(_shown(found, laid, view)).data
        parts = diffs.parts_in(laid)
        commands.serve_parts(
            actor=actor,
            proposal_id=proposal_id,
            revision_no=found.revision_no,
            # As on the page: bytes alone point out no change that is long enough to be folded.
            parts=[part.name for part in parts if view != RAW or not part.folded],
            view=view,
            around=False,
        )
        return Response(answer)


class Interdiff(ApiView):
    """What the current revision says otherwise than one that was seen before."""

    permission = ""
    asks = frozenset({"from"})

    @extend_schema(operation_id="proposals_interdiff", parameters=[_FROM], responses=InterdiffOut)
    def get(self, request: Request, proposal_id: UUID) -> Response:
        seen_no = take_query(InterdiffIn, request).get("from")
        found = queries.changes_since(
            actor=actor_of(request), proposal_id=proposal_id, seen_no=seen_no
        )
        return Response(InterdiffOut(found).data)


class ThreeWay(ApiView):
    """Of a stale proposal: each field as it was, as proposed, and as it was found now."""

    permission = ""

    @extend_schema(operation_id="proposals_threeway", responses=ThreeWayOut)
    def get(self, request: Request, proposal_id: UUID) -> Response:
        take_query(NothingIn, request)
        found = queries.three_way(actor=actor_of(request), proposal_id=proposal_id)
        return Response(ThreeWayOut(found).data)


def _shown(found: Difference, laid: tuple[Laid, ...], view: str) -> Mapping[str, Any]:
    content = found.content
    return {
        "revision_no": found.revision_no,
        "digest": found.digest,
        "view": view,
        "hidden": found.diff.hidden,
        "unchanged": len(found.diff.unchanged),
        "matched": found.diff.matched,
        "fields": found.diff.changes if view == FIELDS else None,
        "unified": [_unified(one) for one in laid] if view == UNIFIED else None,
        "side": [_side(one) for one in laid] if view == SIDE else None,
        "raw": {
            "tool": content.tool,
            "contract_hash": content.contract_hash,
            "args": content.args_bytes.decode(),
            "before": content.before_bytes.decode(),
            "after": content.after_bytes.decode(),
        }
        if view == RAW
        else None,
    }


def _unified(laid: Laid) -> Mapping[str, Any]:
    return {"path": _path(laid), "lines": _lines(laid)}


def _side(laid: Laid) -> Mapping[str, Any]:
    pairs = diffs.paired(_lines(laid))
    return {"path": _path(laid), "rows": [{"left": old, "right": new} for old, new in pairs]}


def _lines(laid: Laid) -> tuple[Line, ...]:
    """Return a change line by line: a long text with its lines that stay, a short one as two."""
    long = tuple(line for stretch in laid.stretches for line in stretch.lines)
    return long or diffs.lines_of(laid.change)


def _path(laid: Laid) -> str:
    change = laid.change
    return f"{change.kind} {change.record} {change.path}"
