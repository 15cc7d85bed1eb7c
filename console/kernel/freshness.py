"""Which hints a page knows already, so that it does not fetch its live regions a second time."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from console.kernel import live
from console.kernel.actors import Actor
from console.kernel.http import part_of
from console.kernel.seen import Seen


class SeenTopics:
    """Look the numbers up before the view reads anything.

    A hint leaves after its commit, so whatever a counted hint told of is in what the view then
    reads. Looked up afterwards, a change in between would be missed.
    """

    ELSEWHERE = ("/api/", "/widget/")

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, _view: Any, _args: Any, kwargs: Mapping[str, Any]
    ) -> None:
        actor: Actor | None = getattr(request, "actor", None)
        if actor is None or not actor.is_person or request.method != "GET" or part_of(request):
            return
        if request.path.startswith(self.ELSEWHERE):
            return
        ids = (actor.id, *(str(value) for value in kwargs.values() if isinstance(value, UUID)))
        found = live.newest(actor.tenant_id, live.topics_of(actor, ids))
        numbers = {name: number for name, number in found.items() if number}
        request.seen_topics = Seen(ids, numbers)  # type: ignore[attr-defined]


def seen_by(request: HttpRequest) -> Seen | None:
    """Return what was looked up for this page, or None where nothing was."""
    return getattr(request, "seen_topics", None)
