"""Signed notes and checkpoints as of C2SP: text that carries its signatures. Pure."""

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from typing_extensions import override

ED25519: Final = b"\x01"
KEY_ID_LENGTH: Final = 4
SIGNATURE_LENGTH: Final = 64
PUBLIC_KEY_LENGTH: Final = 32
_DASH: Final = "\u2014 "  # an em dash and a space begin a signature line


class BadNote(ValueError):
    """The text is no signed note, no verifier key or no checkpoint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierKey:
    """Who signed: a name (for us the log's origin) and an Ed25519 public key."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """Return the first four bytes of SHA-256(name, newline, type, key)."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:KEY_ID_LENGTH]

    @override
    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_base64(ED25519 + self.public)}"

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read `name+hex key id+base64 key`.

        Raises:
            BadNote: it has another form, or the id does not belong to the key.
        """
        parts = text.strip().split("+", 2)
        if len(parts) != 3:  # noqa: PLR2004 - name, id, key
            raise BadNote("A verifier key has the form name+id+key.")
        raw = _bytes_of(parts[2])
        if raw[:1] != ED25519 or len(raw) != 1 + PUBLIC_KEY_LENGTH:
            raise BadNote("The verifier key is not an Ed25519 key.")
        key = cls(name=_name(parts[0]), public=raw[1:])
        if key.key_id.hex() != parts[1]:
            raise BadNote("The key id does not belong to the name and key.")
        return key


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A tree head as it is signed: origin, size, root."""

    origin: str
    size: int
    root: bytes

    def body(self) -> str:
        return f"{_name(self.origin)}\n{self.size}\n{_base64(self.root)}\n"

    @classmethod
    def parse(cls, body: str) -> "Checkpoint":
        """Read the three body lines.

        Raises:
            BadNote: there are more or fewer lines, or one has another form.
        """
        lines = body.split("\n")
        if len(lines) != 4 or lines[3]:  # noqa: PLR2004 - three lines, each ended
            raise BadNote("A checkpoint has three lines, each ended by a newline.")
        origin, size, root = lines[:3]
        if not size.isascii() or not size.isdecimal() or (size != "0" and size.startswith("0")):
            raise BadNote("The size of a checkpoint is a decimal number.")
        return cls(origin=_name(origin), size=int(size), root=_bytes_of(root))


def sign(body: str, *, key: Ed25519PrivateKey, name: str) -> str:
    """Return the whole note: body, empty line, signature line; the final newline is signed too."""
    if not body.endswith("\n"):
        raise BadNote("The text of a note ends with a newline.")
    public = key.public_key().public_bytes_raw()
    key_id = VerifierKey(name=_name(name), public=public).key_id
    signature = key.sign(body.encode())
    return f"{body}\n{_DASH}{name} {_base64(key_id + signature)}\n"


def opened(note: str, *, keys: list[VerifierKey]) -> tuple[str, VerifierKey]:
    """Return the body of a note and the key whose signature on it is right.

    Raises:
        BadNote: the text is no note, no given key signed it, or a given key's signature is wrong.
    """
    body, empty, lines = note.rpartition("\n\n")
    if not empty or not lines.endswith("\n"):
        raise BadNote("The text has no signature lines after an empty line.")
    body += "\n"
    good: VerifierKey | None = None
    for line in lines.splitlines():
        name, key_id, signature = _signature_line(line)
        for key in keys:
            if key.name == name and key.key_id == key_id:
                _require_signature(key, signature, body)
                good = good or key
    if good is None:
        raise BadNote("No key that is trusted here signed this note.")
    return body, good


def _require_signature(key: VerifierKey, signature: bytes, body: str) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, body.encode())
    except InvalidSignature as error:
        raise BadNote(f"The signature of {key.name} is wrong.") from error


def _signature_line(line: str) -> tuple[str, bytes, bytes]:
    if not line.startswith(_DASH):
        raise BadNote("A signature line begins with an em dash.")
    name, space, encoded = line.removeprefix(_DASH).rpartition(" ")
    raw = _bytes_of(encoded)
    if not space or len(raw) <= KEY_ID_LENGTH:
        raise BadNote("A signature line has a name, a key id and a signature.")
    return _name(name), raw[:KEY_ID_LENGTH], raw[KEY_ID_LENGTH:]


def _name(name: str) -> str:
    if not name or "+" in name or any(mark.isspace() for mark in name):
        raise BadNote("A name in a note has no spaces and no plus sign.")
    return name


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _bytes_of(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadNote("This is not base64.") from error
