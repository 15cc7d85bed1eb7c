"""What is generated once and kept in `.local/keys.json`, readable by its owner alone."""

import json
import secrets
from typing import Any

from console.local.locks import held
from console.local.places import Place, read_json, write


class Keys:
    """Passwords and keys of one place; each is made when it is first asked for."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._path = place.local / "keys.json"

    def secret_key(self) -> str:
        return self._get("secret_key", bytes_count=48)

    def redis(self) -> str:
        return self._get("redis", bytes_count=24)

    def role(self, server: str, role: str) -> str:
        """Return our password for a role of a server that is not ours."""
        return self._get(f"role {role} at {server}", bytes_count=24)

    def is_unbound(self, server: str) -> bool:
        """Tell whether a server's roles could not be prepared, so that we log in as its owner."""
        return bool(read_json(self._path).get(f"unbound at {server}"))

    def mark_unbound(self, server: str, *, unbound: bool) -> None:
        self._change(f"unbound at {server}", unbound)

    def _get(self, name: str, *, bytes_count: int) -> str:
        known = read_json(self._path).get(name)
        if isinstance(known, str):
            return known
        return str(self._change(name, secrets.token_urlsafe(bytes_count), keep=True))

    def _change(self, name: str, value: object, *, keep: bool = False) -> object:
        with held(self._place.run / "keys.lock"):
            known: dict[str, Any] = read_json(self._path)
            if keep and name in known:
                return known[name]
            known[name] = value
            write(self._path, json.dumps(known, indent=1) + "\n")
        return value
