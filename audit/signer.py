"""The signer signs a head only after rebuilding it from stored bytes, and remembers what it signed.

It shares nothing with the sealer: another role, another session, other arithmetic
(`verifier.tree`). What it signed is kept in files outside the database, so a database that was
set back is noticed.
"""

import fcntl
import json
import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from audit import direct, notes
from audit.errors import CannotSign
from audit.verifier import tree

log = structlog.get_logger(__name__)

KEY_FILE: Final = "signer.key"
PUBLIC_FILE: Final = "signer.pub"
LOCK_FILE: Final = "signer.lock"
ALIVE_FILE: Final = "signer.alive"
FOLDER_MODE: Final = 0o711  # the sealer passes, to the states whose names it can tell
SECRET: Final = 0o600
TOLD: Final = 0o644  # the public key, and what was signed

_HEADS: Final[LiteralString] = """
    SELECT l.id, l.tenant_id, l.origin, h.size, h.root, COALESCE(c.size, 0)
      FROM audit_log l
      JOIN LATERAL (SELECT size, root FROM audit_head WHERE log_id = l.id
                    ORDER BY size DESC LIMIT 1) h ON true
      LEFT JOIN LATERAL (SELECT size FROM audit_checkpoint WHERE log_id = l.id
                         ORDER BY size DESC LIMIT 1) c ON true
     WHERE %(only)s::uuid[] IS NULL OR l.id = ANY (%(only)s::uuid[]) ORDER BY l.id
"""
# A time that nobody received anything at becomes another leaf, not an error in the middle.
_RECEIVED_US: Final[LiteralString] = """
    CASE WHEN v.received_at BETWEEN '1970-01-01' AND '9999-12-31'
         THEN (extract(epoch FROM v.received_at) * 1000000)::bigint ELSE 0 END
"""
_LEAVES: Final[LiteralString] = f"""
    SELECT n.index, v.event_uid, {_RECEIVED_US}, v.envelope
      FROM audit_entry n
      JOIN audit_event v
        ON (v.epoch, v.xid, v.id) = (n.event_epoch, n.event_xid, n.event_id)
     WHERE n.log_id = %(log)s AND n.index >= %(old)s AND n.index < %(new)s ORDER BY n.index
"""  # noqa: S608 - constants of this file
_META_LEAVES: Final[LiteralString] = """
    SELECT index, leaf FROM audit_meta_leaf
     WHERE index >= %(old)s AND index < %(new)s ORDER BY index
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What the sealer says, and how far this log was signed."""

    log_id: UUID
    tenant_id: UUID | None
    origin: str
    size: int
    root: bytes
    checkpoint_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """The newest tree of one log that this signer put its name to."""

    origin: str
    size: int
    root: bytes
    edge: tuple[bytes, ...]

    def checkpoint(self) -> notes.Checkpoint:
        return notes.Checkpoint(origin=self.origin, size=self.size, root=self.root)


class SignerFiles:
    """The key, which nobody else may read, and what was signed, which others are told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[str, Signed] = {}

    @contextmanager
    def locked(self) -> Iterator[bool]:
        """Hold the folder for one pass; False when another signer has it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if stat.S_IMODE(self.folder.stat().st_mode) != FOLDER_MODE:
            self.folder.chmod(FOLDER_MODE)
        descriptor = os.open(self.folder / LOCK_FILE, os.O_CREAT | os.O_RDWR, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
        finally:
            os.close(descriptor)

    def key(self) -> Ed25519PrivateKey:
        """Return the key; the first start generates it, readable by its owner alone."""
        path = self.folder / KEY_FILE
        if not path.exists():
            fresh = Ed25519PrivateKey.generate()
            _write_durably(path, fresh.private_bytes_raw().hex(), mode=SECRET)
        key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(path.read_text().strip()))
        public = self.folder / PUBLIC_FILE
        if not public.exists():
            _write_durably(public, key.public_key().public_bytes_raw().hex(), mode=TOLD)
        return key

    def state(self, origin: str) -> Signed | None:
        """Return what was signed of a log, or None before the first time."""
        if origin not in self._known:
            found = self._stored(origin)
            if found is None:
                return None
            self._known[origin] = found
        return self._known[origin]

    def _stored(self, origin: str) -> Signed | None:
        path = self._state_path(origin)
        if not path.exists():
            return None
        values = json.loads(path.read_text())
        return Signed(
            origin=values["origin"],
            size=values["size"],
            root=bytes.fromhex(values["root"]),
            edge=tuple(bytes.fromhex(part) for part in values["edge"]),
        )

    def swap(self, old: Signed | None, new: Signed) -> None:
        """Put `new` in the place of `old`, durably, before anything is signed.

        Raises:
            CannotSign: somebody else has signed this log meanwhile.
        """
        if self._stored(new.origin) != old:
            self._known.pop(new.origin, None)
            raise CannotSign(
                f"Another signer moved the state of {new.origin}; run one signer only."
            )
        values = {
            "origin": new.origin,
            "size": new.size,
            "root": new.root.hex(),
            "edge": [part.hex() for part in new.edge],
        }
        _write_durably(self._state_path(new.origin), json.dumps(values), mode=TOLD)
        self._known[new.origin] = new

    def say_alive(self) -> None:
        """Leave the time of the newest whole pass, for the health check."""
        self.folder.joinpath(ALIVE_FILE).touch(mode=TOLD)

    def _state_path(self, origin: str) -> Path:
        return self.folder / f"state-{sha256(origin.encode()).hexdigest()[:32]}.json"


def _write_durably(path: Path, text: str, *, mode: int) -> None:
    """Replace a file so that a crash leaves either the old or the new one, never a half."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, SECRET)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(descriptor, mode)  # whatever the umask says
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def files() -> SignerFiles:
    return SignerFiles(Path(settings.SIGNALBOX_SIGNER_DIR))


def signed_state(origin: str) -> Signed | None:
    """Return what the signer of this machine signed last of a log; None when it cannot be known."""
    try:
        return files().state(origin)
    except PermissionError:
        return None


def trusted_key(origin: str) -> notes.VerifierKey | None:
    """Return this deployment's verifier key for a log, if its public half can be read here."""
    path = files().folder / PUBLIC_FILE
    try:
        return notes.VerifierKey(name=origin, public=bytes.fromhex(path.read_text().strip()))
    except OSError:
        return None


class Signer:
    """Signs the heads that it could rebuild; refuses all others and goes on."""

    def __init__(
        self, connection: "psycopg.Connection[Any] | None" = None, *, folder: Path | None = None
    ) -> None:
        self._given = connection
        self._connection: psycopg.Connection[Any] | None = connection
        self.files = SignerFiles(folder) if folder else files()

    def sign_heads(self, *, only: Iterable[UUID] | None = None) -> int:
        """Sign every head that moved; returns how many checkpoints were written.

        Args:
            only: ids of the logs to look at; all of them by default.

        Raises:
            CannotSign: at least one log was refused; the others have been signed.
        """
        refused: list[str] = []
        with self.files.locked() as mine:
            if not mine:
                return 0
            key = self.files.key()
            count = 0
            for head in self._heads(only):
                try:
                    count += self._sign(head, key)
                except CannotSign as refusal:
                    log.error(  # noqa: TRY400 - a refusal and no crash
                        "signer.refused", origin=head.origin, size=head.size, why=refusal.message
                    )
                    refused.append(refusal.message)
        if refused:
            raise CannotSign(refused[0], refused_count=len(refused))
        return count

    def _heads(self, only: Iterable[UUID] | None) -> list[Head]:
        wanted = None if only is None else list(only)
        rows = self._session().execute(_HEADS, {"only": wanted}).fetchall()
        return [
            Head(
                log_id=log_id,
                tenant_id=tenant_id,
                origin=origin,
                size=size,
                root=bytes(root),
                checkpoint_size=signed,
            )
            for log_id, tenant_id, origin, size, root, signed in rows
        ]

    def _sign(self, head: Head, key: Ed25519PrivateKey) -> int:
        state = self.files.state(head.origin)
        if state is not None and head.size < state.size:
            raise CannotSign(
                f"{head.origin} has {head.size} entries and {state.size} were signed: "
                "rollback detected."
            )
        count = 0
        if state is not None and head.checkpoint_size < state.size:
            # Killed between remembering and inserting: the same bytes get the same signature.
            count += self._insert(head, state, key)
        if state is not None and head.size == state.size:
            if head.root != state.root:
                raise CannotSign(
                    f"{head.origin} has another root at size {head.size} than was signed."
                )
            return count
        fresh = self._rebuilt(head, state)
        self.files.swap(state, fresh)
        return count + self._insert(head, fresh, key)

    def _rebuilt(self, head: Head, state: Signed | None) -> Signed:
        """Rebuild the tree from stored bytes, going on from what was signed."""
        towers = tree.Towers(state.size, state.edge) if state else tree.Towers()
        known = {} if state else self._older_checkpoints(head)
        for leaf_hash in self._leaf_hashes(head, towers.size):
            towers.push(leaf_hash)
            if towers.size in known and known[towers.size] != towers.head():
                raise CannotSign(
                    f"{head.origin} has another root at size {towers.size} than was signed."
                )
        if towers.size != head.size or towers.head() != head.root:
            raise CannotSign(
                f"The stored bytes of {head.origin} do not lead to its head at size {head.size}; "
                "run manage.py verify_audit."
            )
        return Signed(
            origin=head.origin, size=head.size, root=head.root, edge=tuple(towers.hashes())
        )

    def _older_checkpoints(self, head: Head) -> dict[int, bytes]:
        """Return what was signed before the signer's files were lost."""
        rows = self._session().execute(
            "SELECT size, root FROM audit_checkpoint WHERE log_id = %s", [head.log_id]
        )
        return {size: bytes(root) for size, root in rows}

    def _leaf_hashes(self, head: Head, old: int) -> Iterator[bytes]:
        """Yield the rebuilt leaf hashes in order; a hole ends it early and so fails the size."""
        query = _META_LEAVES if head.tenant_id is None else _LEAVES
        session = self._session()
        with session.transaction(), session.cursor(name="leaves") as cursor:
            cursor.execute(query, {"log": head.log_id, "old": old, "new": head.size})
            for expected, row in enumerate(cursor, start=old):
                if row[0] != expected:
                    return
                if head.tenant_id is None:
                    yield tree.hashed_leaf(bytes(row[1]))
                else:
                    yield tree.rebuilt_leaf(row[1].bytes, row[2], bytes(row[3]))

    def _insert(self, head: Head, state: Signed, key: Ed25519PrivateKey) -> int:
        note = notes.sign(state.checkpoint().body(), key=key, name=state.origin)
        vkey = notes.VerifierKey(name=state.origin, public=key.public_key().public_bytes_raw())
        cursor = self._session().execute(
            """INSERT INTO audit_checkpoint (log_id, size, tenant_id, root, note, vkey)
               VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING""",
            [head.log_id, state.size, head.tenant_id, state.root, note, str(vkey)],
        )
        return cursor.rowcount

    def _session(self) -> "psycopg.Connection[Any]":
        if self._connection is None or self._connection.closed or self._connection.broken:
            self._connection = direct.connect("signer")
        return self._connection

    def close(self) -> None:
        if self._connection is not None and self._connection is not self._given:
            self._connection.close()
            self._connection = None
