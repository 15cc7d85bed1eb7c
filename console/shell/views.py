"""Pages of the shell: home, manual, health, and the parts of the frame that refresh."""

from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from console.kernel.errors import NotFound
from console.kernel.http import actor_of, part_of, public, read, requires, show
from console.shell import handbook, queries, styles
from console.shell.context import THEME_COOKIE
from console.shell.forms import FindForm, ThemeForm

YEAR_S = 365 * 24 * 3600
PARTS = {"banner": "shell/banner.html#banner", "nav": "shell/topbar.html#nav"}


@require_safe
@requires("")
def home(request: HttpRequest) -> HttpResponse:
    """Show what stands, what wants a person, and what changed."""
    return show(request, "shell/home.html", {"home": queries.home(actor=actor_of(request))})


@require_safe
@requires("")
def frame(request: HttpRequest) -> HttpResponse:
    """Answer one live part of the frame; its content comes from the context processor."""
    template = PARTS.get(part_of(request))
    if template is None:
        raise NotFound("The frame has no such part; reload the page.")
    # On some pages another region brings the navigation along; a refresh keeps that.
    response = render(request, template, {"brings_nav": request.GET.get("by") == "page"})
    response.headers["Cache-Control"] = "no-store"
    return response


@require_safe
@requires("")
def find(request: HttpRequest) -> HttpResponse:
    """Show where a word leads, or what has an id; `Ctrl K` shows the same over any page."""
    text = read(FindForm, request.GET)["q"]
    ways = queries.find(actor=actor_of(request), text=text)
    return show(request, "shell/find.html", {"q": text, "ways": ways})


@require_POST
@public("the sign-in page has a theme too")
def theme(request: HttpRequest) -> HttpResponse:
    """Keep the chosen colours in a cookie, and go back to the page."""
    values = read(ThemeForm, request.POST)
    back = values["next"]
    ours = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    if not (ours and "/" in back):  # without a slash it would be taken for the name of a page
        back = "/"
    response = redirect(back)
    response.set_cookie(
        THEME_COOKIE, values["theme"], max_age=YEAR_S, samesite="Lax", secure=request.is_secure()
    )
    return response


@require_safe
@requires("")
def keyboard(request: HttpRequest) -> HttpResponse:
    """Show the keys; which of them a person presses is kept in their browser alone."""
    return show(request, "shell/keyboard.html", {})


@require_safe
@requires("")
def manual(request: HttpRequest, slug: str = "") -> HttpResponse:
    """Show a page of the manual, the first one without a name."""
    pages = handbook.pages()
    page = pages.get(slug) if slug else next(iter(pages.values()))
    if page is None:
        raise NotFound("The manual has no such page; choose one from its list.")
    context = {"page": page, "pages": list(pages.values())}
    return show(request, "shell/manual.html", context)


@require_safe
@requires("")
def words(request: HttpRequest) -> HttpResponse:
    """Show every permission, refusal code and event, read from the code itself."""
    context = {
        "pages": list(handbook.pages().values()),
        "permissions": handbook.permission_words(),
        "codes": handbook.code_words(),
        "events": handbook.event_words(),
    }
    return show(request, "shell/words.html", context)


@require_safe
@public("a stylesheet says nothing about anybody")
def stylesheet(request: HttpRequest, digest: str) -> HttpResponse:
    """Answer the one stylesheet; its address changes with its bytes, so it never expires."""
    sheet = styles.sheet()
    if digest != sheet.digest:
        return redirect("shell:stylesheet", digest=sheet.digest)
    zipped = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(sheet.zipped if zipped else sheet.css, content_type="text/css")
    if zipped:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    response.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"
    return response


@require_safe
@public("a load balancer has no account")
def healthz(_request: HttpRequest) -> HttpResponse:
    """Say that the process answers; it asks nothing else."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
@public("a load balancer has no account")
def readyz(_request: HttpRequest) -> HttpResponse:
    """Say whether the database answers, without which nothing is true; Redis only carries hints."""
    try:
        parts = queries.parts()
    except DatabaseError:
        return JsonResponse({"ready": False, "database": "unreachable"}, status=503)
    return JsonResponse({"ready": True, **parts})
