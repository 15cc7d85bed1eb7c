"""People of the tenant, their roles, groups and rights on single objects; for administrators."""

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from console.accounts import commands, consent, queries
from console.accounts.cards import NewPerson, Waiting
from console.accounts.forms import (
    GrantForm,
    GroupForm,
    MembershipForm,
    NothingForm,
    PersonForm,
)
from console.accounts.states import DECIDING, PERMISSIONS_OF, ObjectKind, Permission, Role
from console.accounts.views.answers import attempt, show_form
from console.kernel.errors import ConsoleError
from console.kernel.http import actor_of, read, requires
from console.kernel.rest.pages import read_cursor, write_cursor

PER_PAGE = 100
ASKS = "asks two reviewers first"
_ASKED = (
    "What counts at once is saved. Two reviewers of different groups are asked about the rest: it "
    "counts when they agree."
)
_BLOCKED = (
    "What counts at once is saved. The rest was asked for and rejected within the last day, so "
    "nobody is asked again."
)
_EFFECT = "Replaces the password and ends the sessions. The new one is shown once, to you."
_LOSES_SAY = (
    " Because you know it, this person decides nothing from then on until two reviewers of "
    "different groups agree; neither of you can be one of them. Where too few are left for that, "
    "only manage.py entrust on the server gives it back."
)
ROLES = [(role.value, role.value, ", ".join(sorted(PERMISSIONS_OF[role]))) for role in Role]


@requires(Permission.ACCOUNTS_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def people(request: HttpRequest) -> HttpResponse:
    """List the tenant's people; a POST adds one and shows the initial password this once."""
    if request.method != "POST":
        return _show_people(request, None, None)
    added, refusal = attempt(
        lambda: commands.admit_person(actor=actor_of(request), **read(PersonForm, request.POST))
    )
    return _show_people(request, added, refusal)


@requires(Permission.ACCOUNTS_MANAGE)
@require_POST
def add_group(request: HttpRequest) -> HttpResponse:
    """Make a review group."""
    made, refusal = attempt(
        lambda: commands.create_group(actor=actor_of(request), **read(GroupForm, request.POST))
    )
    if made is None:
        return _show_people(request, None, refusal, form="group")
    messages.success(request, f"Group {made.slug} is there.", extra_tags="clear")
    return redirect("accounts:people")


@requires(Permission.ACCOUNTS_MANAGE)
@require_http_methods(["GET", "HEAD", "POST"])
def person(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Show one person; a POST gives them these roles and groups, some after people agreed."""
    if request.method != "POST":
        return _show_person(request, person_id, None)
    changed, refusal = attempt(
        lambda: commands.change_person(
            actor=actor_of(request), person_id=person_id, **read(MembershipForm, request.POST)
        )
    )
    if changed is None:
        return _show_person(request, person_id, refusal)
    return _told(request, person_id, changed.waiting, "Saved.")


@requires(Permission.ACCOUNTS_MANAGE)
@require_POST
def grant(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Give or take a right on one agent or tool; reviewing one waits until people agreed."""
    asked: list[Waiting] = []

    def act() -> None:
        values = read(GrantForm, request.POST)
        if not values.pop("give"):
            commands.take_grant(actor=actor_of(request), person_id=person_id, **values)
            return
        waiting = commands.give_right(actor=actor_of(request), person_id=person_id, **values)
        asked.extend([waiting] if waiting else [])

    _done, refusal = attempt(act)
    if refusal is not None:
        return _show_person(request, person_id, refusal)
    return _told(request, person_id, asked[0] if asked else None, "Rights changed.")


@requires(Permission.ACCOUNTS_MANAGE)
@require_POST
def end_sessions(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Sign a person out everywhere in this tenant."""

    def act() -> int:
        read(NothingForm, request.POST)
        return commands.end_sessions_of(actor=actor_of(request), person_id=person_id)

    return _change(request, person_id, act, "All sessions have ended.")


@requires(Permission.ACCOUNTS_MANAGE)
@require_POST
def reset_password(request: HttpRequest, person_id: UUID) -> HttpResponse:
    """Give a person a new initial password, shown this once."""
    read(NothingForm, request.POST)
    made, refusal = attempt(
        lambda: commands.reset_password(actor=actor_of(request), person_id=person_id)
    )
    return _show_person(request, person_id, refusal, made=made)


def _told(
    request: HttpRequest, person_id: UUID, waiting: Waiting | None, said: str
) -> HttpResponse:
    """Go back to the person, and say what counts now and what waits."""
    if waiting is None:
        messages.success(request, said, extra_tags="clear")
    elif waiting.blocked:
        messages.warning(request, _BLOCKED, extra_tags="caution")
    else:
        messages.info(request, _ASKED, extra_tags="info")
    return redirect("accounts:person", person_id=person_id)


def _change(
    request: HttpRequest, person_id: UUID, act: Callable[[], Any], said: str
) -> HttpResponse:
    _done, refusal = attempt(act)
    if refusal is not None:
        return _show_person(request, person_id, refusal)
    messages.success(request, said, extra_tags="clear")
    return redirect("accounts:person", person_id=person_id)


def _roles(held: Iterable[Role], *, founding: bool) -> list[tuple[str, str, str]]:
    """Return the choices of roles; what asks people first says so."""
    asks = frozenset() if founding else DECIDING - set(held)
    return [
        (value, label, f"{what}; {ASKS}" if value in asks else what) for value, label, what in ROLES
    ]


def _show_people(
    request: HttpRequest,
    added: NewPerson | None,
    refusal: ConsoleError | None,
    *,
    form: str = "person",
) -> HttpResponse:
    actor = actor_of(request)
    cursor = request.GET.get("after", "")
    cards = queries.people(
        actor=actor, after=read_cursor(cursor, (str, UUID)) if cursor else None, limit=PER_PAGE + 1
    )
    shown = cards[:PER_PAGE]
    older = write_cursor((shown[-1].name, shown[-1].id), (str, UUID)) if cards[PER_PAGE:] else ""
    founding = consent.founding(actor=actor)
    context = {
        "cards": shown,
        "older_url": f"?after={older}" if older else "",
        "newer_url": "?" if cursor else "",
        "groups": queries.groups(actor=actor),
        "roles": _roles((), founding=founding),
        "added": added,
        "form": form,
        "founding": founding,
        "asks": ASKS,
    }
    return show_form(request, "accounts/people.html", context, refusal, done=201 if added else 200)


def _show_person(
    request: HttpRequest,
    person_id: UUID,
    refusal: ConsoleError | None,
    *,
    made: NewPerson | None = None,
) -> HttpResponse:
    actor = actor_of(request)
    card = queries.person_card(actor=actor, person_id=person_id)
    objects = [found for kind in ObjectKind for found in queries.objects_of(actor=actor, kind=kind)]
    grants = queries.grants(actor=actor, person_id=person_id)
    held = {(grant.kind, grant.object_id) for grant in grants}
    labels = {(found.kind, found.id): found.label for found in objects}
    founding = consent.founding(actor=actor)
    waiting = consent.waiting(actor=actor, person_id=person_id)
    decides = bool(card.groups or grants or DECIDING & set(card.roles))
    context = {
        "card": card,
        "groups": queries.groups(actor=actor),
        "roles": _roles(card.roles, founding=founding),
        "grants": [(one, labels.get((one.kind, one.object_id), "")) for one in grants],
        "free": [found for found in objects if (found.kind, found.id) not in held],
        "made": made,
        "keys": queries.live_keys_by(actor=actor, person_id=person_id),
        "waiting": waiting,
        "founding": founding,
        "asks": ASKS,
        "wakes": not card.active and decides,
        "new_password_effect": _EFFECT
        + (_LOSES_SAY if decides and card.active and not founding else ""),
    }
    return show_form(request, "accounts/person.html", context, refusal)
