"""Who asks the API: a person by the session of the pages, or a program by its service key."""

from collections.abc import Callable
from functools import cache
from typing import Any, ClassVar, Final

import redis
import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from rest_framework.authentication import BaseAuthentication, CSRFCheck
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from typing_extensions import override

from console.kernel.actors import Actor
from console.kernel.errors import CsrfRefused, NotAllowed, SignedOut, Throttled

log = structlog.get_logger(__name__)

ActorOfKey = Callable[[str, HttpRequest], Actor | None]
_actor_of_key: list[ActorOfKey] = []
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
KEY_LENGTH_MOST: Final = 200
PEOPLE_ONLY: Final = "Only a person decides this; sign in to the console and do it there."


class KeyRefused(SignedOut):
    """The service key is unknown, expired or revoked; the sentence does not say which."""

    code = "key.refused"


def set_actor_of_key(find: ActorOfKey) -> None:
    """Fill the port that turns a service key into an actor; accounts does it at start."""
    _actor_of_key[:] = [find]


def actor_of(request: Request) -> Actor:
    """Return who sent this request.

    Raises:
        SignedOut: nobody is signed in and no key was sent.
    """
    actor: object = request.user
    if not isinstance(actor, Actor):
        raise SignedOut("You are signed out; sign in, or send a service key as a bearer token.")
    return actor


def require(actor: Actor, permission: str, *, people_only: bool) -> None:
    """Raise for a permission that is missing, and for a machine where only people decide."""
    if people_only and not actor.is_person:
        raise NotAllowed(PEOPLE_ONLY)
    if permission and not actor.has(permission):
        raise NotAllowed(
            f"This needs the permission {permission}; ask an administrator.", permission=permission
        )


class KeyOrSession(BaseAuthentication):
    """A bearer key when one is sent, else the session; with a session, CSRF is enforced."""

    @override
    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        plain = request._request  # noqa: SLF001 - DRF's documented name of Django's request
        sent = request.headers.get("Authorization", "")
        if sent:
            actor = _of_key(sent, plain)
            plain.actor = actor  # type: ignore[attr-defined]
            return actor, actor.strength
        actor_found: Actor | None = getattr(plain, "actor", None)
        if actor_found is None:
            return None
        if request.method not in SAFE:
            _enforce_csrf(plain)
        return actor_found, actor_found.strength

    @override
    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="signalbox"'


def actor_of_unread(request: HttpRequest) -> Actor | None:
    """Return whose service key a request carries that was refused before a view saw it."""
    try:
        return _of_key(request.headers.get("Authorization", ""), request)
    except KeyRefused:
        return None


def _of_key(sent: str, request: HttpRequest) -> Actor:
    scheme, _space, secret = sent.partition(" ")
    secret = secret.strip()
    if scheme.lower() == "bearer" and 0 < len(secret) <= KEY_LENGTH_MOST and secret.isascii():
        for find in _actor_of_key:
            actor = find(secret, request)
            if actor is not None:
                return actor
    raise KeyRefused("This service key is not valid; ask an administrator for a new one.")


def _enforce_csrf(request: HttpRequest) -> None:
    check = CSRFCheck(lambda _request: HttpResponse())
    check.process_request(request)
    reason = check.process_view(request, lambda _request: HttpResponse(), (), {})
    if reason:
        raise CsrfRefused("The form token is missing or old; load the page again and repeat.")


@cache
def _redis() -> "redis.Redis":
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.2, socket_connect_timeout=0.2)


class PerActor(BaseThrottle):
    """So many reads and writes a minute for each actor, counted in Redis.

    Redis carries hints only: without it nobody is throttled, and no guarantee changes.
    """

    rates: ClassVar[dict[bool, int]] = {True: 1200, False: 300}

    @override
    def allow_request(self, request: Request, view: Any) -> bool:
        actor: object = request.user
        if not isinstance(actor, Actor):
            return True
        reads = request.method in SAFE
        own = getattr(view, "reads_per_minute" if reads else "writes_per_minute", None)
        most = self.rates[reads] if own is None else own
        name = f"rate:{actor.tenant_id}:{actor.kind}:{actor.id}:{'r' if reads else 'w'}"
        if own is not None:
            name += f":{type(view).__name__}"  # a view with a rate of its own counts for itself
        used, left_s = _count(name)
        if used > most:
            raise Throttled(
                f"More than {most} requests in a minute; wait {left_s} s and go on slower.",
                retry_after_s=left_s,
            )
        return True


def _count(name: str) -> tuple[int, int]:
    """Count one request in a window of a minute; return the count and the seconds left."""
    try:
        with _redis().pipeline(transaction=True) as pipe:
            pipe.set(name, 0, ex=60, nx=True)
            pipe.incr(name)
            pipe.ttl(name)
            _made, used, left_s = pipe.execute()
    except redis.RedisError as error:
        log.warning("throttle.unavailable", error=type(error).__name__)
        return 0, 0
    return int(used), max(1, int(left_s))
