"""One drill after the other on the same copy, each judged by what verification names."""

from typing import Any, Final
from uuid import UUID

import psycopg

from audit import notes, signer
from audit.cards import DrillCard, Mismatch
from audit.drills import attacks
from audit.drills.copies import Sample, chosen, copied
from audit.verification import Verification

LEAST: Final = 2

# (name, what is done, by which one of these fields it must be named)
DRILLS: Final[tuple[tuple[str, attacks.Attack, frozenset[str]], ...]] = (
    ("nothing", attacks.nothing, frozenset()),
    ("edit", attacks.edit, frozenset({"audit_event.envelope"})),
    ("delete", attacks.delete, frozenset({"audit_entry.event_id"})),
    ("reorder", attacks.reorder, frozenset({"audit_head.root"})),
    ("truncate", attacks.truncate, frozenset({"audit_head.size"})),
    ("fork", attacks.fork, frozenset({"audit_checkpoint.note"})),
)


class TooSmall(Exception):
    """No log has a signed checkpoint over as many entries as a drill needs."""


def drill(
    *,
    reader: "psycopg.Connection[Any]",
    owner: "psycopg.Connection[Any]",
    tenant_id: UUID | None = None,
    most: int,
) -> tuple[Sample, tuple[DrillCard, ...]]:
    """Do every drill on a copy; returns what it was a copy of, and how each came out.

    Raises:
        TooSmall: there is no log to copy.
    """
    sample = chosen(reader, tenant_id=tenant_id, least=LEAST, most=most)
    if sample is None:
        raise TooSmall
    with copied(sample, reader=reader, owner=owner):
        cards = tuple(_one(owner, sample, *one) for one in DRILLS)
    return sample, cards


def _one(
    owner: "psycopg.Connection[Any]",
    sample: Sample,
    name: str,
    attack: attacks.Attack,
    fields: frozenset[str],
) -> DrillCard:
    with owner.transaction(force_rollback=True):
        attack(owner, sample)
        report = Verification(
            owner,
            keys=lambda origin: _keys(origin, sample),
            tenant_id=sample.tenant_id,
            kept=lambda _origin: [sample.kept],
        ).run()
    found = report.mismatches
    named = next((one for one in found if one.field in fields), None)
    return DrillCard(
        name=name,
        done=" ".join((attack.__doc__ or "").split()),
        passed=named is not None if fields else not found,
        said=_said(named or (found[0] if found else None)),
    )


def _keys(origin: str, sample: Sample) -> list[notes.VerifierKey]:
    own = signer.trusted_key(origin)
    return [own] if own else [notes.VerifierKey.parse(sample.vkey)]


def _said(mismatch: Mismatch | None) -> str:
    if mismatch is None:
        return "no mismatch"
    place = "" if mismatch.index is None else f" #{mismatch.index}"
    return f"{mismatch.field}{place}: {mismatch.sentence}"
