"""Signed notes, checkpoints, cosignatures and verifier keys, as C2SP writes them."""

from __future__ import annotations

import base64
import re
from hashlib import sha256
from typing import NamedTuple

from audit.verifier.ed25519 import signature_holds

SIGNS, COSIGNS = 1, 4  # signature types of C2SP: Ed25519, and Ed25519 with a time


class Wrong(Exception):
    """Something does not hold; says what, in words."""


class Key(NamedTuple):
    """A verifier key: whose, the kind of signature, the public half."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]


class Checkpoint(NamedTuple):
    """What a signed checkpoint says, and which keys signed it."""

    origin: str
    size: int
    root: bytes
    signers: list[Key]
    times: dict[str, int]  # of cosignatures, seconds since 1970


def bytes_of(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Wrong("is not base64") from error


def key_of(text: str) -> Key:
    """Read name+id+key, as C2SP writes verifier keys."""
    name, id_hex, encoded = (*text.strip().split("+", 2), "", "")[:3]
    raw = bytes_of(encoded)
    if len(raw) != 33 or raw[0] not in (SIGNS, COSIGNS):  # noqa: PLR2004 - type and key
        raise Wrong("is no Ed25519 verifier key")
    key = Key(name, raw[0], raw[1:])
    if key.id.hex() != id_hex:
        raise Wrong("has a key id that does not belong to its name and key")
    return key


def checkpoint_of(note: str, keys: list[Key]) -> Checkpoint:
    """Read a checkpoint; every signature by one of `keys` must be right, others are passed over."""
    body, empty, lines = note.rpartition("\n\n")
    parts = body.split("\n")
    if not empty or not lines.endswith("\n") or len(parts) < 3:  # noqa: PLR2004 - three lines
        raise Wrong("is no signed checkpoint")
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", parts[1]) or len(bytes_of(parts[2])) != 32:  # noqa: PLR2004
        raise Wrong("has no size and root")
    found = Checkpoint(parts[0], int(parts[1]), bytes_of(parts[2]), [], {})
    for line in lines.splitlines():
        dash, name, encoded = (*line.split(" "), "", "")[:3]
        raw = bytes_of(encoded)
        if dash != "\u2014" or len(raw) < 5:  # noqa: PLR2004 - a key id and something
            raise Wrong("has a line that is no signature")
        for key in keys:
            if (key.name, key.id) == (name, raw[:4]):
                _check_signature(key, raw[4:], body + "\n", found)
    return found


def _check_signature(key: Key, raw: bytes, body: str, found: Checkpoint) -> None:
    said = body
    if key.kind == COSIGNS:
        time, raw = int.from_bytes(raw[:8], "big"), raw[8:]
        said, found.times[key.name] = f"cosignature/v1\ntime {time}\n{body}", time
    if not signature_holds(key.public, raw, said.encode()):
        raise Wrong(f"carries a wrong signature of {key.name!a}, key {key.id.hex()}")
    if key not in found.signers:
        found.signers.append(key)
