"""The widget's origin: loader, frame, and the API that the frame calls."""

import json
from functools import wraps
from typing import Any, cast

from csp.decorators import csp_update
from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from agents.conversations import commands as conversations
from agents.conversations import queries as conversation_queries
from console.kernel.errors import BadInput, NotFound
from console.kernel.http import actor_of, public, read, requires, show
from console.widget import authentication, commands, queries, streams
from console.widget.errors import NoConversation, SessionOver
from console.widget.forms import (
    ConfirmForm,
    KeyForm,
    MessageForm,
    RevokeForm,
    SessionForm,
    StreamForm,
)

FRAME_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self' data:; base-uri 'none'; form-action 'none';"
    " require-trusted-types-for 'script'; trusted-types 'none'; frame-ancestors {origins}"
)

# Real orders and customers of the sample shop; the first is the walk through the whole product.
SHOP_LINES = (
    "Cancel order #W2974929, I ordered it by mistake. I am fatima.anderson1447@example.com.",
    "Cancel order #W5694685, I no longer need it. I am evelyn.kovacs5369@example.com.",
    "I am Yusuf Rossi, zip code 19122. What is the status of order #W6247578?",
)


@public("A script that a site loads before anybody is known; it holds no data.")
@require_GET
def loader(_request: HttpRequest) -> HttpResponse:
    found = finders.find("widget/loader.js")
    with open(cast("str", found), "rb") as script:  # noqa: PTH123 - a path from Django's finders
        response = HttpResponse(script.read(), content_type="text/javascript; charset=utf-8")
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@public("The chat itself; the browser lets only the key's own sites embed it.")
@require_GET
def frame(request: HttpRequest) -> HttpResponse:
    key = queries.key_named(request.GET.get("key", ""))
    response = render(request, "widget/frame.html", {"key": key, "origins": " ".join(key.origins)})
    response.headers["Content-Security-Policy"] = FRAME_POLICY.format(origins=" ".join(key.origins))
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Cache-Control"] = "no-store"
    return response


def answers_visitors(view: Any) -> Any:
    """Wrap a call of the frame: JSON in, token instead of cookies, so no CSRF token either."""

    @csrf_exempt
    @require_POST
    @public("A visitor's token is checked inside, on every call.")
    @wraps(view)
    def call(request: HttpRequest) -> HttpResponse:
        response: HttpResponse = view(request, _json(request))
        response.headers["Cache-Control"] = "no-store"
        return response

    call.permission = "public"  # type: ignore[attr-defined]
    return call


def _json(request: HttpRequest) -> dict[str, Any]:
    try:
        values = json.loads(request.body or b"{}")
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise BadInput("The body is not JSON; reload the page.", fields={}) from error
    if not isinstance(values, dict) or not all(isinstance(v, str | int) for v in values.values()):
        raise BadInput("The body has to be an object of texts; reload the page.", fields={})
    return values


@answers_visitors
def session(request: HttpRequest, values: dict[str, Any]) -> HttpResponse:
    """Open a session, or go on with one whose token the host kept."""
    form = read(SessionForm, values)
    key = queries.key_named(form["key"])
    token = form["resume"]
    try:
        known = authentication.visitor_of_token(token) if token else None
    except SessionOver:
        known = None
    if known is None or known.key_id != key.id:
        actor = authentication.actor_of_key(request, key)
        visitor_id = commands.open_session(actor=actor, public=key.public)
        token = authentication.issue(tenant_id=key.tenant_id, visitor_id=visitor_id)
        known = authentication.visitor_of_token(token)
    return JsonResponse(
        {"token": token, "title": key.title, "started": known.conversation_id is not None},
        status=201,
    )


@answers_visitors
def receive(request: HttpRequest, values: dict[str, Any]) -> HttpResponse:
    """Take in one message: 202 with the run that will answer it."""
    visitor = authentication.visitor_of(request)
    form = read(MessageForm, values)
    actor = authentication.actor_of(request, visitor)
    receipt = commands.send_message(actor=actor, visitor=visitor, **form)
    body = {"run_id": receipt.run_id, "seq": receipt.seq, "notice": receipt.notice}
    return JsonResponse(body, status=202)


@answers_visitors
def confirm(request: HttpRequest, values: dict[str, Any]) -> HttpResponse:
    """Take the visitor's yes or no to exactly the call that the card showed."""
    visitor = authentication.visitor_of(request)
    form = read(ConfirmForm, values)
    if visitor.conversation_id is None:
        raise NoConversation("There is nothing to confirm yet; write a message first.")
    actor = authentication.actor_of(request, visitor)
    conversations.confirm_call(
        actor=actor,
        conversation_id=visitor.conversation_id,
        end_user=str(visitor.id),
        **form,
    )
    return JsonResponse({}, status=202)


@answers_visitors
def stream(request: HttpRequest, values: dict[str, Any]) -> HttpResponse:
    """Follow the conversation as server-sent events, from the frame after `after` on."""
    visitor = authentication.visitor_of(request)
    form = read(StreamForm, values)
    if visitor.conversation_id is None:
        raise NoConversation("There is nothing to follow yet; write a message first.")
    actor = authentication.actor_of(request, visitor)
    # Ask once before the answer begins, so that a refusal still has a status of its own.
    conversation_queries.standing(
        actor=actor, conversation_id=visitor.conversation_id, end_user=str(visitor.id)
    )
    events = streams.follow(actor, str(visitor.id), visitor.conversation_id, after=form["after"])
    response = StreamingHttpResponse(events, content_type="text/event-stream")
    response.headers["X-Accel-Buffering"] = "no"
    return cast("HttpResponse", response)


@requires("keys.manage")
@require_GET
def keys(request: HttpRequest) -> HttpResponse:
    return show(request, "widget/keys.html", _keys_page(request))


@requires("keys.manage")
@require_POST
def create_key(request: HttpRequest) -> HttpResponse:
    commands.create_key(actor=actor_of(request), **read(KeyForm, request.POST))
    return redirect("widget:keys")


@requires("keys.manage")
@require_POST
def revoke_key(request: HttpRequest, key_id: Any) -> HttpResponse:
    commands.revoke_key(actor=actor_of(request), key_id=key_id, **read(RevokeForm, request.POST))
    return redirect("widget:keys")


def _keys_page(request: HttpRequest) -> dict[str, Any]:
    actor = actor_of(request)
    return {
        "keys": queries.keys(actor=actor),
        "form": KeyForm(),
        "loader": _loader_url(request),
        "demo": settings.DEMO,
    }


def _loader_url(request: HttpRequest) -> str:
    _, colon, port = request.get_host().partition(":")
    return f"{request.scheme}://{settings.WIDGET_HOST}{colon}{port}/widget/loader.js"


@public("A made-up shop page for the demo; it exists only while the demo is on.")
@require_GET
def demo_shop(request: HttpRequest) -> HttpResponse:
    """Show a shop's page that embeds the widget, as a customer's site would."""
    if not settings.DEMO:
        raise NotFound("The demo shop is off here; embed the chat in a page of your own.")
    loader_url = _loader_url(request)
    origin = loader_url.removesuffix("/widget/loader.js")
    named = request.GET.get("key", "")
    key = queries.key_named(named) if named else queries.demo_key()
    context = {"key": key, "loader": loader_url, "lines": SHOP_LINES}
    response = render(request, "widget/demo_shop.html", context)
    # A strict host adds just these two sources, as the manual tells a customer to do.
    csp_update({"script-src": [origin], "frame-src": [origin]})(lambda _request: response)(request)
    return response
