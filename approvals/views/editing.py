"""Editing a proposal, putting it on a new base, handing it back, taking it back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from approvals import commands, diffs, kinds, queries
from approvals.cards import EditBase, EditPreview
from approvals.errors import CheckRevealed, DoesNotFit, NotEditable
from approvals.forms import EditForm, NothingForm, SeenForm
from approvals.views import pages
from approvals.views.changes import field_rows
from approvals.views.fields import (
    PREFIX,
    Field,
    args_of,
    fields_of,
    typed_into,
    with_errors,
)
from console.kernel import canonical
from console.kernel.actors import Actor
from console.kernel.errors import BadInput, ConsoleError, NotFound
from console.kernel.http import actor_of, read, requires, show

_KEPT = ("mode", "raw", "note")
_LOOK = "This is not what the preview showed; look at what changes now, and send it then."


@dataclass(slots=True, kw_only=True)
class _Typed:
    """What an edit page shows beside its base."""

    fields: list[Field]
    raw: str
    mode: str = "fields"
    note: str = ""
    preview: EditPreview | None = None
    refused: ConsoleError | None = None
    notice: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


@requires("")
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Show the form; post it once to see what changes, and again to make the revision."""
    base = queries.edit_base(actor=actor_of(request), proposal_id=proposal_id)
    schema = _schema(actor_of(request), base)
    fields = fields_of(schema, base.now.content.args)
    typed = _Typed(fields=fields, raw=_json(base.now.content.args))
    if request.method != "POST":
        return _page(request, base, typed)
    _keep_typed(request, typed)
    try:
        return _posted(request, base, typed)
    except NotFound:
        raise
    except CheckRevealed:
        return redirect("approvals:detail", proposal_id)  # its page says what it was
    except ConsoleError as refusal:
        # What counts now may be another revision than the one that the form was made of.
        fresh = queries.edit_base(actor=actor_of(request), proposal_id=proposal_id)
        typed.refused = refusal
        typed.errors = _sentences(refusal)
        return _page(request, fresh, typed)


@requires("")
@require_POST
def rebase(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Put a stale proposal on what is there now."""
    return _act(request, proposal_id, commands.rebase)


@requires("")
@require_POST
def hand_back(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Let the agent look again."""
    return _act(request, proposal_id, commands.hand_back)


@requires("")
@require_POST
def take_back(request: HttpRequest, proposal_id: UUID) -> HttpResponse:
    """Withdraw one's own request."""
    read(NothingForm, request.POST)
    try:
        commands.take_back(actor=actor_of(request), proposal_id=proposal_id)
    except NotFound:
        raise
    except ConsoleError as refusal:
        return pages.again(request, proposal_id, refusal)
    return redirect("approvals:detail", proposal_id)


def _act(request: HttpRequest, proposal_id: UUID, act: Any) -> HttpResponse:
    try:
        values = read(SeenForm, request.POST)
        act(actor=actor_of(request), proposal_id=proposal_id, **values)
    except NotFound:
        raise
    except ConsoleError as refusal:
        return pages.again(request, proposal_id, refusal)
    return redirect("approvals:detail", proposal_id)


# -- the form ------------------------------------------------------------------------------------


def _posted(request: HttpRequest, base: EditBase, typed: _Typed) -> HttpResponse:
    values = read(EditForm, _without_fields(request.POST, typed.fields))
    args = _args(values, base, typed)
    actor = actor_of(request)
    if values["step"] == "send" and values["previewed"] == _digest(args):
        commands.edit(
            actor=actor,
            proposal_id=base.proposal_id,
            revision_no=values["revision_no"],
            seen_digest=values["seen_digest"],
            args=args,
            note=values["note"],
        )
        return redirect("approvals:detail", base.proposal_id)
    typed.notice = _LOOK if values["step"] == "send" else ""
    typed.preview = commands.preview_edit(
        actor=actor, proposal_id=base.proposal_id, args=args, note=values["note"]
    )
    return _page(request, base, typed)


def _args(values: Mapping[str, Any], base: EditBase, typed: _Typed) -> dict[str, Any]:
    if values["mode"] == "raw":
        return _of_json(values["raw"])
    args, errors = args_of(typed.fields, base.now.content.args)
    if errors:
        pointer, said = next(iter(errors.items()))
        label = next(one.label for one in typed.fields if one.pointer == pointer)
        raise DoesNotFit(f"{label}: {said}", fields=errors)
    return args


def _of_json(text: str) -> dict[str, Any]:
    try:
        found = canonical.loads(text.encode())
    except canonical.NotCanonical as error:
        raise DoesNotFit(f"Arguments: {error.message}", fields={"": error.message}) from error
    if not isinstance(found, dict):
        said = "Send one JSON object."
        raise DoesNotFit(f"Arguments: {said}", fields={"": said})
    return found


def _without_fields(data: QueryDict, fields: list[Field]) -> QueryDict:
    """Return what is typed besides the fields of the schema; unknown names stay, to be refused."""
    rest = data.copy()
    for one in fields:
        rest.pop(one.name, None)
    return rest


def _keep_typed(request: HttpRequest, typed: _Typed) -> None:
    """Keep every letter for the page that follows, whatever becomes of it."""
    data = {name: str(value) for name, value in request.POST.items()}
    if any(name.startswith(f"{PREFIX}/") for name in data):
        typed.fields = typed_into(typed.fields, data)
    for name in _KEPT:
        if name in data:
            setattr(typed, name, data[name].replace("\r\n", "\n"))


def _page(request: HttpRequest, base: EditBase, typed: _Typed) -> HttpResponse:
    preview = typed.preview
    shown = with_errors(typed.fields, {k: v for k, v in typed.errors.items() if k})
    context: dict[str, Any] = {
        "base": base,
        "fields": shown,
        "raw": typed.raw,
        "mode": typed.mode if typed.fields else "raw",
        "note": typed.note,
        "refused": typed.refused,
        "notice": typed.notice,
        "errors": typed.errors,
        "loose": [said for at, said in typed.errors.items() if _is_loose(at, shown)],
        "raw_wrong": " ".join(f"{at} {said}".strip() for at, said in typed.errors.items()),
        "preview": preview,
        "next_no": base.now.no + 1,
    }
    if preview is not None:
        context |= {
            "previewed": _digest(preview.new.args),
            "arguments": _arguments(base, preview),
            "changes": field_rows(diffs.between(preview.new.before, preview.new.after).changes),
        }
    status = typed.refused.status if typed.refused else 200
    response = show(request, "approvals/edit.html", context, status=status)
    if typed.refused:
        response.refusal = typed.refused  # type: ignore[attr-defined]  # audit/middleware.py
    return response


def _is_loose(at: str, fields: list[Field]) -> bool:
    """Say whether what is wrong stands under no field of the form."""
    return at.startswith("/") and not any(f"{at}/".startswith(f"{f.pointer}/") for f in fields)


def _arguments(base: EditBase, preview: EditPreview) -> list[dict[str, Any]]:
    """Return the arguments that differ: as the agent proposed them, as they are, as typed."""
    sides = (base.first.content.args, preview.old.args, preview.new.args)
    proposed, now, new = ({"argument": {"": dict(side)}} for side in sides)
    return [
        {
            "path": line.path.split(maxsplit=1)[-1],
            "then": line.then,
            "now": line.proposed,
            "new": line.now,
        }
        for line in diffs.three_way(proposed, now, new)
    ]


def _schema(actor: Actor, base: EditBase) -> Mapping[str, Any]:
    kind = kinds.kind_of(base.subject_kind)
    if kind is None:
        raise NotEditable("The content of this proposal cannot be edited; vote on it as it is.")
    return kind.schema(actor=actor, tool=base.tool)


def _sentences(refusal: ConsoleError) -> dict[str, str]:
    found: Any = refusal.details.get("fields", {})
    return {name: said if isinstance(said, str) else said[0] for name, said in found.items()}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)


def _digest(args: Mapping[str, Any]) -> str:
    """Return what ties a sent form to the preview of it."""
    try:
        return sha256(canonical.dumps(args)).hexdigest()
    except canonical.NotCanonical as error:
        raise BadInput(f"Arguments: {error.message}", fields={"": error.message}) from error
