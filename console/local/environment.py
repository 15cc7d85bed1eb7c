"""From what the environment says to what every process needs to know.

Three cases: nothing is said (our own servers); only the owner's login is said, in DATABASE_URL (the
roles get passwords of ours); the application's login is said, or both (all is taken as it is).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import parse_qs, quote, urlsplit, urlunsplit

from console.local.errors import CannotStart
from console.local.keys import Keys
from console.local.places import Place
from console.local.postgres import DATABASE, OWNER, Postgres
from console.local.redis import Redis
from console.local.servers import Servers

ROLE_OF = {
    "DATABASE_URL": "signalbox_app",
    "SIGNALBOX_SEALER_URL": "signalbox_sealer",
    "SIGNALBOX_SIGNER_URL": "signalbox_signer",
}
OWNER_URL = "SIGNALBOX_OWNER_URL"
URLS = (*ROLE_OF, OWNER_URL)


class Source(StrEnum):
    """Whose PostgreSQL it is, and who manages its roles."""

    EMBEDDED = "embedded"
    OWNER_GIVEN = "owner given"
    ALL_GIVEN = "all given"


@dataclass(slots=True)
class Environment:
    """The servers in use and how to reach them; `urls` may be asked for once they run."""

    source: Source
    servers: Servers
    keys: Keys
    given: dict[str, str]
    embedded: str = DATABASE
    demo: bool = False

    @property
    def database(self) -> str:
        """Name the database that all of it is about."""
        if self.source is Source.EMBEDDED:
            return self.embedded
        return database_of(self.given["DATABASE_URL"])

    @property
    def owner_url(self) -> str:
        url = self.urls().get(OWNER_URL) or self.given.get(OWNER_URL)
        if url is None:
            raise CannotStart(
                "DATABASE_URL logs in as the application, which may not change tables; set "
                "SIGNALBOX_OWNER_URL to the owner's login too."
            )
        return url

    def renamed(self, database: str) -> "Environment":
        """Return the same for another database on the same server."""
        given = {
            name: with_database(value, database) if name in URLS and value else value
            for name, value in self.given.items()
        }
        return replace(self, given=given, embedded=database)

    def urls(self) -> dict[str, str]:
        """Return what the children get on top of their parent's environment."""
        demo = {"SIGNALBOX_DEMO": "1"} if self.demo else {}
        return {**self._postgres(), **self._redis(), **self._secret(), **demo}

    @property
    def server(self) -> str:
        """Name the PostgreSQL server, for what we keep about it."""
        parts = urlsplit(self.given.get("DATABASE_URL", ""))
        query = parse_qs(parts.query)
        host = query.get("host", [parts.hostname or "local"])[0]
        return f"{host}:{query.get('port', [str(parts.port or 5432)])[0]}"

    @property
    def is_unbound(self) -> bool:
        return self.source is Source.OWNER_GIVEN and self.keys.is_unbound(self.server)

    def offer_demo(self) -> None:
        """Offer the demo shop and sign-in by a click, but only on a database that is ours alone."""
        in_production = self.given.get("SIGNALBOX_ENVIRONMENT") == "production"
        unsaid = not self.given.get("SIGNALBOX_DEMO")
        self.demo = self.source is Source.EMBEDDED and unsaid and not in_production

    def mark_unbound(self, *, unbound: bool) -> None:
        if self.source is Source.OWNER_GIVEN:
            self.keys.mark_unbound(self.server, unbound=unbound)

    def _postgres(self) -> dict[str, str]:
        if self.source is Source.ALL_GIVEN:
            return {}
        postgres = self.servers.postgres
        if postgres is not None:
            found = {name: postgres.url(role, self.embedded) for name, role in ROLE_OF.items()}
            return {**found, OWNER_URL: postgres.url(OWNER, self.embedded)}
        owner = self.given["DATABASE_URL"]
        if self.is_unbound:
            return {OWNER_URL: owner}
        found = {
            name: with_login(owner, role, self.keys.role(self.server, role))
            for name, role in ROLE_OF.items()
        }
        return {**found, OWNER_URL: owner}

    def _redis(self) -> dict[str, str]:
        redis = self.servers.redis
        return {} if redis is None else {"REDIS_URL": redis.url(0)}

    def _secret(self) -> dict[str, str]:
        if self.given.get("SIGNALBOX_SECRET_KEY"):
            return {}
        return {"SIGNALBOX_SECRET_KEY": self.keys.secret_key()}


def read(given: Mapping[str, str], place: Place, *, roles_of: Place | None = None) -> Environment:
    """Decide which servers are ours to run; starts nothing.

    Args:
        roles_of: whose passwords the roles of a server of the owner's have, if not this place's.
            Roles belong to the whole server: a second place with passwords of its own would lock
            out whoever uses them already.
    """
    keys = Keys(roles_of if roles_of and given.get("DATABASE_URL") else place)
    source = Source.EMBEDDED
    if given.get("DATABASE_URL"):
        _require_postgres(given["DATABASE_URL"])
        source = Source.ALL_GIVEN if _is_all_given(given) else Source.OWNER_GIVEN
    servers = Servers(
        place,
        postgres=Postgres(place) if source is Source.EMBEDDED else None,
        redis=None if given.get("REDIS_URL") else Redis(place, keys.redis()),
    )
    return Environment(source, servers, keys, dict(given))


def with_login(url: str, user: str, password: str) -> str:
    """Return the URL of the same database for somebody else."""
    parts = urlsplit(url)
    address = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{address}"))


def with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path="/" + quote(name, safe="")))


def database_of(url: str) -> str:
    return urlsplit(url).path.lstrip("/")


def _is_all_given(given: Mapping[str, str]) -> bool:
    """Tell whether DATABASE_URL is already the login that row-level security binds."""
    user = urlsplit(given["DATABASE_URL"]).username
    return bool(given.get(OWNER_URL)) or user == ROLE_OF["DATABASE_URL"]


def _require_postgres(url: str) -> None:
    if urlsplit(url).scheme not in {"postgres", "postgresql"}:
        raise CannotStart("DATABASE_URL must start with postgresql://; only PostgreSQL will do.")
