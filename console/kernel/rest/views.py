"""The base view of the API: access, one transaction per idempotency key, entity tags."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any, ClassVar, Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from typing_extensions import override

from console.kernel import canonical, clock
from console.kernel.actors import Actor
from console.kernel.errors import BadInput, ConsoleError, NotFound, Refusal
from console.kernel.http import is_lost, printable
from console.kernel.models import IdempotencyKey
from console.kernel.rest.access import SAFE, KeyOrSession, PerActor, actor_of, require
from console.kernel.rest.openapi import ConsoleSchema
from console.kernel.rest.shapes import StrictJson
from console.kernel.transactions import command, in_tenant

KEPT_S: Final = 24 * 3600
KEY_FORM: Final = re.compile(r"[\x21-\x7e]{8,120}")


class KeyMismatch(ConsoleError):
    """An idempotency key came again with another request."""

    code = "idempotency.mismatch"
    kind = Refusal.CONFLICT


class ApiView(APIView):
    """A view of the API; `permission` is one for every method, or one for each by name.

    A method that writes runs in one transaction when an `Idempotency-Key` is sent: the command
    joins it, and the answer is stored with the change. A refusal is not stored: the key is free
    again, and what a command noticed before it returned the refusal is kept, as without a key.
    `repeatable` says no where the answer holds a secret that may not be stored, where it is good
    for a moment only, or where the work is several transactions; there the header changes nothing.
    """

    permission: ClassVar[str | Mapping[str, str]] = ""
    people_only: ClassVar[bool] = False  # decisions: a service key gets 403
    public_reason: ClassVar[str] = ""  # why nobody needs to be signed in; a test lists them
    repeatable: ClassVar[bool] = True
    asks: ClassVar[frozenset[str]] = frozenset()  # names in the query of a read; others are refused
    reads_per_minute: ClassVar[int | None] = None
    writes_per_minute: ClassVar[int | None] = None

    authentication_classes = (KeyOrSession,)
    permission_classes = ()
    throttle_classes = (PerActor,)
    parser_classes = (StrictJson,)
    renderer_classes = (JSONRenderer,)
    schema = ConsoleSchema()

    @classmethod
    def permission_for(cls, method: str) -> str:
        if isinstance(cls.permission, str):
            return cls.permission
        return cls.permission["GET" if method in SAFE else method]

    @override
    def check_permissions(self, request: Request) -> None:
        if self.public_reason or str(request.method).lower() not in self.allowed_names():
            return
        require(
            actor_of(request),
            self.permission_for(str(request.method)),
            people_only=self.people_only and request.method not in SAFE,
        )

    def allowed_names(self) -> frozenset[str]:
        return frozenset(name.lower() for name in self.allowed_methods)

    @override
    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = super().dispatch(request, *args, **kwargs)
        patch_vary_headers(response, ("Cookie", "Authorization"))
        response.headers.setdefault("Cache-Control", "private, no-cache")
        if request.method not in {"GET", "HEAD"} or response.status_code != 200:  # noqa: PLR2004
            return response
        return _tagged(request, response)

    @override
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self._check_what_is_sent(request)
        key = request.headers.get("Idempotency-Key", "")
        writes = request.method not in SAFE and not self.public_reason
        if key and writes and self.repeatable:
            self._once(str(request.method).lower(), key)

    def _check_what_is_sent(self, request: Request) -> None:
        """Refuse what nobody would read: a misspelt filter has to be noticed, not left out."""
        if self.public_reason or str(request.method).lower() not in self.allowed_names():
            return
        asks = self.asks if request.method in SAFE else frozenset()
        unknown = sorted(set(request.query_params) - asks)
        if unknown:
            fields = {printable(name): ["This parameter is unknown here."] for name in unknown[:20]}
            first = next(iter(fields)).capitalize()
            raise BadInput(f"{first}: This parameter is unknown here.", fields=fields)
        lost = [name for name, text in request.query_params.items() if is_lost(str(text))]
        if lost:
            sentence = "This is not UTF-8; send it again."
            raise BadInput(f"{lost[0].capitalize()}: {sentence}", fields={lost[0]: [sentence]})
        if request.method == "DELETE" and request.data != {}:
            raise BadInput("A DELETE takes no body here; leave it out.", fields={})

    def _once(self, method: str, key: str) -> None:
        """Put this request's handler behind its key; the view lives for one request."""
        if not KEY_FORM.fullmatch(key):
            sentence = "Send 8 to 120 printable ASCII characters, a new UUID for instance."
            raise BadInput(f"Idempotency-Key: {sentence}", fields={"Idempotency-Key": [sentence]})
        handler = getattr(self, method, None)
        if handler is None:
            return

        def once(request: Request, *args: Any, **kwargs: Any) -> Response:
            actor = actor_of(request)
            with in_tenant(actor.tenant_id):
                row, is_new = _claim(request, key)
                if not is_new:
                    return _again(row, request)
                mine = IdempotencyKey.objects.filter(pk=row.pk)
                try:
                    response: Response = handler(request, *args, **kwargs)
                except ConsoleError as error:
                    if not error.keeps:
                        raise
                    mine.delete()
                    refusal = error
                else:
                    said = response.data
                    body = json.loads(JSONRenderer().render(said)) if said else None
                    mine.update(status=response.status_code, body=body)
                    return response
            raise refusal  # after the commit

        setattr(self, method, once)


class Missing(ApiView):
    """What answers for every address under `/api/` that is none: the error shape, not a page."""

    public_reason = "It tells nothing but that there is nothing."
    http_method_names = ("get", "post", "put", "patch", "delete", "head", "options")
    schema = None  # type: ignore[assignment]  # DRF's way to leave a view out of the description

    def _refuse(self, _request: Request, *_args: object, **_kwargs: object) -> Response:
        raise NotFound("There is nothing at this address; see the API description.")

    get = post = put = patch = delete = _refuse


def _claim(request: Request, key: str) -> tuple[IdempotencyKey, bool]:
    """Insert the key's row, or wait for and return the one that is there; say whether it is new.

    ON CONFLICT DO NOTHING waits for an uncommitted row of the same key: duplicates queue here.
    """
    actor = actor_of(request)
    row = IdempotencyKey(
        tenant_id=actor.tenant_id,
        actor=f"{actor.kind}:{actor.id}",
        key=key,
        route=f"{request.method} {request.path}"[:200],
        body_digest=_digest(request),
    )
    IdempotencyKey.objects.bulk_create([row], ignore_conflicts=True)
    found = IdempotencyKey.objects.get(tenant_id=row.tenant_id, actor=row.actor, key=key)
    return found, found.pk == row.pk


@command
def forget_answers(*, actor: Actor) -> int:
    """Delete the tenant's stored answers of yesterday; a key means something for a day."""
    old = IdempotencyKey.objects.filter(
        tenant_id=actor.tenant_id, created_at__lt=clock.now() - timedelta(seconds=KEPT_S)
    )
    count, _by_model = old.delete()
    return count


def _digest(request: Request) -> bytes:
    return canonical.digest([request.method, request.get_full_path(), request.data])


def _again(row: IdempotencyKey, request: Request) -> Response:
    if bytes(row.body_digest) != _digest(request):
        raise KeyMismatch(
            "This Idempotency-Key was used for another request; send a new key.", route=row.route
        )
    return Response(row.body, status=row.status, headers={"Idempotent-Replay": "true"})


def _tagged(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Add an entity tag over the bytes, and answer 304 when the caller has them."""
    if not isinstance(response, Response):
        return response
    if not response.is_rendered:
        response.render()
    tag = f'"{sha256(response.content).hexdigest()[:32]}"'
    response["ETag"] = tag
    conditional = get_conditional_response(request, etag=tag, response=response)
    return conditional or response
