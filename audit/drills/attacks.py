"""What somebody with every right could do to a log; each leaves it as consistent as they could."""

import json
from collections.abc import Callable, Iterator
from typing import Any, Final

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import notes
from audit.drills.copies import Sample
from audit.verifier import tree
from console.kernel import canonical

Attack = Callable[["psycopg.Connection[Any]", Sample], None]

_EVENT_OF: Final = """
    (SELECT event_id FROM audit_entry WHERE log_id = %(log)s AND index = %(index)s)
"""


def nothing(db: "psycopg.Connection[Any]", sample: Sample) -> None:
    """Leave the copy as it is: a drill that always cries is no drill."""


def edit(db: "psycopg.Connection[Any]", sample: Sample) -> None:
    """Say that an event happened at another hour, one that no clock shows."""
    db.execute(
        f"""UPDATE audit_event SET envelope = convert_to(regexp_replace(
              convert_from(envelope, 'UTF8'), '("claimed_at":"[^"T]*T)..', '\\124'), 'UTF8')
            WHERE id = {_EVENT_OF}""",  # noqa: S608 - a constant of this file
        _at(sample),
    )


def delete(db: "psycopg.Connection[Any]", sample: Sample) -> None:
    """Remove an event."""
    db.execute(f"DELETE FROM audit_event WHERE id = {_EVENT_OF}", _at(sample))  # noqa: S608


def reorder(db: "psycopg.Connection[Any]", sample: Sample) -> None:
    """Let two neighbours change places, with all that their entries say."""
    values = {**_at(sample), "aside": -1}
    for old, new in (("index", "aside"), ("next", "index"), ("aside", "next")):
        db.execute(
            f"""UPDATE audit_entry SET index = %({new})s
                 WHERE log_id = %(log)s AND index = %({old})s""",  # noqa: S608
            values,
        )


def truncate(db: "psycopg.Connection[Any]", sample: Sample) -> None:
    """Take the newest quarter away, with everything in the database that tells of it."""
    row = db.execute(
        "SELECT max(size) FROM audit_head WHERE log_id = %s AND size <= %s",
        [sample.log_id, max(1, sample.size * 3 // 4)],
    ).fetchone()
    values = {"log": sample.log_id, "size": (row[0] if row else 0) or 0}
    for statement in (
        """DELETE FROM audit_event WHERE id IN (
             SELECT event_id FROM audit_entry WHERE log_id = %(log)s AND index >= %(size)s)""",
        "DELETE FROM audit_entry WHERE log_id = %(log)s AND index >= %(size)s",
        "DELETE FROM audit_head WHERE log_id = %(log)s AND size > %(size)s",
        "DELETE FROM audit_checkpoint WHERE log_id = %(log)s AND size > %(size)s",
        """DELETE FROM audit_meta_leaf WHERE log_id = %(log)s
              AND (convert_from(leaf, 'UTF8')::jsonb ->> 'size')::bigint > %(size)s""",
        """DELETE FROM audit_tile
            WHERE log_id = %(log)s AND (number + 1) << (8 * (level + 1)) > %(size)s""",
    ):
        db.execute(statement, values)


def fork(db: "psycopg.Connection[Any]", sample: Sample) -> None:
    """Edit an event and rewrite everything after it, signed with a key of one's own."""
    edit(db, sample)
    towers, tiles = tree.Towers(), tree.TileCounter()
    key = Ed25519PrivateKey.generate()
    sizes = {
        size
        for (size,) in db.execute(
            "SELECT size FROM audit_head WHERE log_id = %s", [sample.log_id]
        ).fetchall()
    }
    for index, leaf in enumerate(_leaves(db, sample)):
        towers.push(leaf)
        db.execute(
            "UPDATE audit_entry SET leaf_hash = %s WHERE log_id = %s AND index = %s",
            [leaf, sample.log_id, index],
        )
        for level, number, hashes in tiles.push(leaf):
            db.execute(
                """UPDATE audit_tile SET hashes = %s
                    WHERE log_id = %s AND level = %s AND number = %s""",
                [hashes, sample.log_id, level, number],
            )
        if towers.size in sizes:
            _sign_anew(db, sample, towers, key)
    _tell_meta(db, sample)


def _leaves(db: "psycopg.Connection[Any]", sample: Sample) -> Iterator[bytes]:
    rows = db.execute(
        """SELECT e.event_uid, n.received_us, e.envelope
             FROM audit_entry n JOIN audit_event e ON e.id = n.event_id
            WHERE n.log_id = %s ORDER BY n.index""",
        [sample.log_id],
    ).fetchall()
    for uid, received_us, raw in rows:
        yield tree.rebuilt_leaf(uid.bytes, received_us, bytes(raw))


def _sign_anew(
    db: "psycopg.Connection[Any]", sample: Sample, towers: tree.Towers, key: Ed25519PrivateKey
) -> None:
    where = [sample.log_id, towers.size]
    db.execute(
        "UPDATE audit_head SET root = %s, edge = %s WHERE log_id = %s AND size = %s",
        [towers.head(), b"".join(towers.hashes()), *where],
    )
    body = notes.Checkpoint(origin=sample.origin, size=towers.size, root=towers.head()).body()
    vkey = notes.VerifierKey(name=sample.origin, public=key.public_key().public_bytes_raw())
    db.execute(
        """UPDATE audit_checkpoint SET root = %s, note = %s, vkey = %s
            WHERE log_id = %s AND size = %s""",
        [towers.head(), notes.sign(body, key=key, name=sample.origin), str(vkey), *where],
    )


def _tell_meta(db: "psycopg.Connection[Any]", sample: Sample) -> None:
    rows = db.execute("SELECT index, leaf FROM audit_meta_leaf").fetchall()
    for index, raw in rows:
        body = json.loads(bytes(raw))
        row = db.execute(
            "SELECT encode(root, 'hex') FROM audit_head WHERE log_id = %s AND size = %s",
            [sample.log_id, body["size"]],
        ).fetchone()
        leaf = canonical.dumps({**body, "root": row[0] if row else ""})
        db.execute(
            "UPDATE audit_meta_leaf SET leaf = %s, leaf_hash = %s WHERE index = %s",
            [leaf, tree.hashed_leaf(leaf), index],
        )


def _at(sample: Sample) -> dict[str, Any]:
    """Name an entry in the middle, and the one after it."""
    index = (sample.size - 1) // 2
    return {"log": sample.log_id, "index": index, "next": index + 1}
