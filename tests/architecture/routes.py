"""Every address of the product, as the URL resolver knows it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from django.urls import URLPattern, URLResolver, get_resolver

from console.kernel.http import PUBLIC
from console.kernel.rest import ApiView


@dataclass(frozen=True, slots=True)
class Route:
    """One address of the product."""

    path: str
    name: str
    view: Any

    @property
    def key(self) -> str:
        return self.name or self.path

    @property
    def api(self) -> type[ApiView] | None:
        found = getattr(self.view, "cls", None)
        return found if isinstance(found, type) and issubclass(found, ApiView) else None

    @property
    def permissions(self) -> set[str] | None:
        """What is asked for; None when nothing is declared."""
        if self.api is None:
            declared = getattr(self.view, "permission", None)
            return None if declared is None else {str(declared)}
        if self.api.public_reason:
            return {PUBLIC}
        asked = self.api.permission
        return {asked} if isinstance(asked, str) else set(asked.values())

    @property
    def reason(self) -> str:
        held: Any = self.api or self.view
        return str(getattr(held, "public_reason", ""))

    @property
    def parameters(self) -> list[str]:
        return [part.split(">")[0].partition(":")[2] for part in self.path.split("<")[1:]]

    def filled(self, ids: dict[str, Any]) -> str:
        parts = self.path.split("<")
        pieces = [parts[0]]
        for part in parts[1:]:
            kind_and_name, _close, rest = part.partition(">")
            pieces.append(f"{ids[kind_and_name.partition(':')[2]]}{rest}")
        return "/" + "".join(pieces)


def walk(resolver: Any, path: str = "", space: str = "") -> Iterator[Route]:
    for entry in resolver.url_patterns:
        here = path + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from walk(entry, here, f"{entry.namespace}:" if entry.namespace else space)
        elif isinstance(entry, URLPattern):
            # The API has no names: an address is what its users know.
            named = f"{space}{entry.name}" if entry.name and not here.startswith("api/v1/") else ""
            yield Route(here, named, entry.callback)


ROUTES: Final = list(walk(get_resolver()))


def ask(client: Any, method: str, address: str, body: Any) -> Any:
    """Send one request as a page or a program would."""
    send = getattr(client, method.lower())
    if address.startswith("/api/"):
        return send(address, body, format="json") if method != "GET" else send(address)
    return send(address, body) if method == "POST" else send(address)
