"""The base of `/api/v1`: who asks, what they may, one form of input, of pages, of errors.

A room's `api.py` writes thin views on it:

    class Keys(ApiView):
        permission = "keys.manage"
        asks = PAGE_ASKS

        @extend_schema(parameters=PAGE_PARAMETERS, responses=paged(KeyOut))
        def get(self, request: Request) -> Response:
            cards, following = keyset(
                request,
                lambda after, limit: queries.service_keys(
                    actor=actor_of(request), before=after, limit=limit
                ),
                key=lambda card: (card.created_at, card.id),
                kinds=(datetime, UUID),
            )
            return page(KeyOut, cards, following)

        @extend_schema(request=KeyIn, responses={201: KeyOut})
        def post(self, request: Request) -> Response:
            values = take(KeyIn, request)  # a refusal names every bad field
            ...
"""

from console.kernel.rest.access import actor_of, set_actor_of_key
from console.kernel.rest.failures import answer_error
from console.kernel.rest.pages import (
    MOST_PER_PAGE,
    PAGE_ASKS,
    PAGE_PARAMETERS,
    asked_limit,
    keyset,
    page,
    paged,
)
from console.kernel.rest.shapes import ErrorOut, In, Out, take, take_query
from console.kernel.rest.views import ApiView, Missing, forget_answers

__all__ = [
    "MOST_PER_PAGE",
    "PAGE_ASKS",
    "PAGE_PARAMETERS",
    "ApiView",
    "ErrorOut",
    "In",
    "Missing",
    "Out",
    "actor_of",
    "answer_error",
    "asked_limit",
    "forget_answers",
    "keyset",
    "page",
    "paged",
    "set_actor_of_key",
    "take",
    "take_query",
]
