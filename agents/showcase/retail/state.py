"""The whole shop as one value: how it is read from the data set, and its digest.

The digest is `state_sha256` of the data set (data/README.md): drop what is null, money in cents,
sorted keys, no spaces, SHA-256.
"""

import json
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, TypeAlias

from agents.showcase.retail import money

Record: TypeAlias = dict[str, Any]
State: TypeAlias = dict[str, dict[str, Record]]  # record kind -> id -> record

DATA: Final = Path(__file__).parent / "data"
KINDS: Final = ("orders", "products", "users")
MONEY_FIELDS: Final = frozenset({"price", "balance", "amount", "exchange_price_difference"})


@cache
def initial() -> State:
    """Return the shop of the data set, money as decimal text; never change what this returns."""
    loaded = json.loads((DATA / "db.json").read_bytes(), parse_float=Decimal)
    return {kind: {key: _texts(record) for key, record in loaded[kind].items()} for kind in KINDS}


def in_cents(value: Any) -> Any:
    """Return a value with null keys dropped and money turned into integer cents."""
    if isinstance(value, Mapping):
        return {
            key: money.cents(item) if key in MONEY_FIELDS else in_cents(item)
            for key, item in value.items()
            if item is not None
        }
    if isinstance(value, list):
        return [in_cents(item) for item in value]
    return value


def fragment(key: str, record: Mapping[str, Any]) -> bytes:
    """Return one record as it stands in the canonical text of its kind, its key included."""
    return _compact(key) + b":" + _compact(in_cents(record))


def digest(fragments: Mapping[str, Iterable[tuple[str, bytes]]]) -> str:
    """Return `state_sha256` from (key, fragment) pairs of each kind, in any order."""
    whole = sha256(b"{")
    for index, kind in enumerate(KINDS):
        whole.update((b"," if index else b"") + _compact(kind) + b":{")
        whole.update(b",".join(text for _, text in sorted(fragments[kind])))
        whole.update(b"}")
    whole.update(b"}")
    return whole.hexdigest()


def digest_of(state: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> str:
    """Return `state_sha256` of a state in memory."""
    return digest(
        {
            kind: [(key, fragment(key, record)) for key, record in state[kind].items()]
            for kind in KINDS
        }
    )


def _compact(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _texts(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _texts(item, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_texts(item) for item in value]
    if name in MONEY_FIELDS:
        return money.rounded(Decimal(value))
    return value
