"""Where notices go, how sending them went, and how a reader wants to be told."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from approvals import commands, queries
from approvals.cards import Delivery, NoticeSettingCard
from approvals.forms import ChannelForm, DeliveriesForm, NothingForm, NoticesForm, SwitchForm
from approvals.policies import letters
from approvals.states import ChannelKind, Digest, NoticeReason, NoticeState
from console.accounts import queries as accounts
from console.kernel.errors import ConsoleError
from console.kernel.http import actor_of, read, requires, show
from console.kernel.rest.pages import read_cursor, write_cursor

PER_PAGE: Final = 100
_CURSOR: Final = (datetime, UUID)
_SIGNALS: Final = {
    NoticeState.QUEUED: ("info", "Waiting"),
    NoticeState.SENT: ("clear", "Sent"),
    NoticeState.FAILED: ("stop", "Failed"),
    NoticeState.DROPPED: ("quiet", "Not sent"),
}
_DIGESTS: Final = (
    (Digest.INSTANT, "At once"),
    (Digest.HOURLY, "Every hour, in one message"),
    (Digest.DAILY, "Once a day at 8, in one message"),
)
# What a machine calls it, in words.
_ERRORS: Final = {
    "address.not_public": "its address is not public",
    "channel.off": "the channel was off",
    "channel.secret_lost": "its address was sealed under another secret key; add it anew",
    "chat.refused": "the chat did not take it",
    "chat.unusable": "the address is no chat's any more",
    "host.unknown": "its host is not known",
    "person.inactive": "the person has left",
    "person.no_mail": "the person wants no mail",
    "person.not_their_turn": "it was not their turn any more",
    "proposal.not_open": "it did not wait for people any more",
    "timeout": "no answer within ten seconds",
}


@requires("accounts.manage")
@require_http_methods(["GET", "HEAD", "POST"])
def channels(request: HttpRequest) -> HttpResponse:
    """List the ways out and what left; a POST adds one and shows a webhook's secret this once."""
    if request.method != "POST":
        return _page(request, {}, None)
    try:
        values = read(ChannelForm, request.POST)
        values["kind"] = ChannelKind(values["kind"])
        made = commands.add_channel(actor=actor_of(request), **values)
    except ConsoleError as refusal:
        return _page(request, {}, refusal)
    if made.secret:
        return _page(request, {"made": made}, None, done=201)
    messages.success(request, "Added. Send a test through it.", extra_tags="clear")
    return redirect("approvals:channels")


@requires("accounts.manage")
@require_POST
def switch_channel(request: HttpRequest, channel_id: UUID) -> HttpResponse:
    """Turn a channel on or off, or let it tell titles."""
    values = read(SwitchForm, request.POST)
    commands.switch_channel(actor=actor_of(request), channel_id=channel_id, **values)
    return redirect("approvals:channels")


@requires("accounts.manage")
@require_POST
def switch_mail(request: HttpRequest) -> HttpResponse:
    """Do the same with the mail that each person gets."""
    commands.switch_own_mail(actor=actor_of(request), **read(SwitchForm, request.POST))
    return redirect("approvals:channels")


@requires("accounts.manage")
@require_POST
def try_channel(request: HttpRequest, channel_id: UUID) -> HttpResponse:
    """Send a test through a shared channel."""
    read(NothingForm, request.POST)
    return _tried(
        request,
        lambda: commands.try_channel(actor=actor_of(request), channel_id=channel_id),
        "approvals:channels",
    )


@requires("")
@require_http_methods(["GET", "HEAD", "POST"])
def notices(request: HttpRequest) -> HttpResponse:
    """Show how the reader is told, and what they were told; a POST changes it."""
    if request.method != "POST":
        return _own(request, None)
    try:
        values = read(NoticesForm, request.POST)
        values["digest"] = Digest(values["digest"])
        commands.set_notices(actor=actor_of(request), setting=NoticeSettingCard(**values))
    except ConsoleError as refusal:
        return _own(request, refusal)
    messages.success(request, "Kept.", extra_tags="clear")
    return redirect("approvals:notices")


@requires("")
@require_POST
def try_mail(request: HttpRequest) -> HttpResponse:
    """Send the reader a test by mail."""
    read(NothingForm, request.POST)
    return _tried(
        request, lambda: commands.try_own_mail(actor=actor_of(request)), "approvals:notices"
    )


def _tried(request: HttpRequest, act: Callable[[], None], back: str) -> HttpResponse:
    act()
    messages.success(request, "A test is on its way; the log below says how it went.")
    return redirect(back)


def _page(
    request: HttpRequest, more: Mapping[str, Any], refusal: ConsoleError | None, *, done: int = 200
) -> HttpResponse:
    actor = actor_of(request)
    asked = read(DeliveriesForm, request.GET)
    found = queries.deliveries(
        actor=actor,
        failed=bool(asked["show"]),
        before=read_cursor(asked["after"], _CURSOR) if asked["after"] else None,
        limit=PER_PAGE + 1,
    )
    shown = found[:PER_PAGE]
    following = write_cursor((shown[-1].at, shown[-1].id), _CURSOR) if found[PER_PAGE:] else ""
    cards = queries.channels(actor=actor)
    context = {
        "mail": cards[0],
        "cards": cards[1:],
        "groups": accounts.groups(actor=actor),
        "kinds": _KINDS,
        "to_files": settings.EMAIL_FILE_PATH if _keeps_files() else "",
        "lines": [_line(one) for one in shown],
        "failed_only": bool(asked["show"]),
        "rows_query": _query(asked, part="rows"),
        "older_url": f"?{_query(asked, after=following)}" if following else "",
        "newer_url": f"?{_query(asked, after='')}" if asked["after"] else "",
        **more,
    }
    return _answer(request, "approvals/channels.html", context, refusal, done=done)


def _own(request: HttpRequest, refusal: ConsoleError | None) -> HttpResponse:
    actor = actor_of(request)
    card = queries.notice_setting(actor=actor)
    context = {
        "setting": {
            "email": card.email,
            "digest": card.digest.value,
            "quiet_from": f"{card.quiet_from:%H:%M}" if card.quiet_from else "",
            "quiet_until": f"{card.quiet_until:%H:%M}" if card.quiet_until else "",
            "zone": card.zone,
            "automatic": card.automatic,
        },
        "digests": [(one.value, said) for one, said in _DIGESTS],
        "lines": [_line(one) for one in queries.own_notices(actor=actor)],
        "may_manage": actor.has("accounts.manage"),
    }
    return _answer(request, "approvals/notices.html", context, refusal)


def _answer(
    request: HttpRequest,
    template: str,
    context: dict[str, Any],
    refusal: ConsoleError | None,
    *,
    done: int = 200,
) -> HttpResponse:
    """Show a page; with a refusal its sentence, the wrong fields and what was typed."""
    wrong: Any = refusal.details.get("fields", {}) if refusal else {}
    typed = request.POST.dict() if refusal else {}
    if refusal and "setting" in context:
        context["setting"] = typed
    status = refusal.status if refusal else done
    context |= {"refusal": refusal, "wrong": wrong, "typed": typed}
    response = show(request, template, context, status=status)
    if refusal:
        response.refusal = refusal  # type: ignore[attr-defined]  # audit/middleware.py records it
    return response


def _line(one: Delivery) -> dict[str, Any]:
    signal, word = _SIGNALS[one.state]
    if one.state is NoticeState.QUEUED and one.attempts:
        often = "once" if one.attempts == 1 else f"{one.attempts} times"
        signal, word = "caution", f"Tried {often}"
    return {
        "card": one,
        "head": letters.head(one.reason),
        "signal": signal,
        "word": word,
        "error": _ERRORS.get(one.last_error, one.last_error),
        "test": one.reason is NoticeReason.TEST,
    }


def _query(asked: Mapping[str, Any], **other: str) -> str:
    values = {"show": asked["show"], "after": asked["after"], **other}
    return urlencode({name: value for name, value in values.items() if value})


def _keeps_files() -> bool:
    return bool(settings.EMAIL_BACKEND.endswith("filebased.EmailBackend"))


_KINDS: Final = (
    (ChannelKind.WEBHOOK.value, "Signed webhook"),
    (ChannelKind.CHAT.value, "Slack, Teams or another chat"),
    (ChannelKind.EMAIL.value, "Shared mailbox"),
)
