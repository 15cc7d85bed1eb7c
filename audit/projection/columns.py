"""From an envelope to the columns of the search table. Pure, and it never raises."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from audit.envelope import microseconds_of
from audit.search import HAS, plain

MAX_IDS: Final = 100
MAX_TOKENS: Final = 60
MAX_DEPTH: Final = 4
MAX_TEXT: Final = 500  # characters of a column; a B-tree holds 2,700 bytes
MAX_WORDS: Final = 4_000  # characters that free words are looked for in
SKEW_US: Final = 5_000_000
_ID: Final = re.compile(r"#?[A-Za-z0-9][A-Za-z0-9_.:-]{2,79}")
_DIGESTS: Final = ("digest", "observed_digest", "args_digest", "content_hash", "query_digest")
_SUBJECTS: Final = ("customer", "subject_uid", "subject", "conversation_id", "order")
_ENDS: Final = {"succeeded": "ok", "failed": "failed", "refused": "refused", "unknown": "unknown"}
Body = Mapping[str, Any]


class Columns(NamedTuple):
    """What an envelope is searched by; the names are those of the table."""

    action: str
    kind: str
    actor_kind: str = ""
    actor_id: str = ""
    actor_label: str = ""
    target_type: str = ""
    target_id: str = ""
    agent: str = ""
    agent_label: str = ""
    run: str = ""
    version: str = ""
    tool: str = ""
    trace: str = ""
    proposal: str = ""
    digest: str = ""
    outcome: str = ""
    claimed_us: int | None = None
    ids: Sequence[str] = ()
    tokens: Sequence[str] = ()  # "field:value" in lower case, of fields with several values
    words: str = ""


UNREADABLE: Final = Columns(action="unreadable", kind="system")


def columns_of(raw: bytes, received_us: int) -> Columns:
    """Return the search columns of an envelope; one that cannot be read is listed as such."""
    try:
        columns = _columns(json.loads(raw), received_us)
        _require_storable(columns)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError, OverflowError):
        return UNREADABLE
    return columns


def _require_storable(columns: Columns) -> None:
    """Refuse what PostgreSQL cannot hold as text: NUL, and half characters (UnicodeEncodeError)."""
    texts = [value for value in columns if isinstance(value, str)]
    if "\x00" in "".join([*texts, *columns.ids, *columns.tokens]).encode().decode():
        raise ValueError("NUL")


def _columns(body: Body, received_us: int) -> Columns:
    actor, target, bind = body["actor"], body["target"], body.get("bind", {})
    via = body.get("via", [])
    agent, agent_label = _agent_of(actor, via, bind)
    claimed_us = _moment_of(body.get("claimed_at"))
    request = body.get("request", {})
    return Columns(
        action=_text(body["action"]),
        kind=_text(body["kind"]),
        actor_kind=_text(actor["kind"]),
        actor_id=_text(actor["id"]),
        actor_label=_text(actor.get("label")),
        target_type=_text(target["type"]),
        target_id=_text(target.get("id")),
        agent=_text(agent),
        agent_label=_text(agent_label),
        run=_text(_run_of(target, via, bind)),
        version=_text(_version_of(via, bind)),
        tool=_text(bind.get("tool")),
        trace=_text(body.get("trace") or bind.get("trace_id") or request.get("id")),
        proposal=_text(
            target.get("id") if target["type"] == "proposal" else bind.get("proposal_id")
        ),
        digest=_text(next((bind[name] for name in _DIGESTS if bind.get(name)), "")),
        outcome=_text(_outcome_of(body, bind)),
        claimed_us=claimed_us,
        ids=ids_of([actor, target, via, bind, body.get("intent"), body["uid"], request]),
        tokens=_tokens(body, skewed=abs(received_us - (claimed_us or received_us)) > SKEW_US),
        words=_words(body),
    )


def _text(value: object) -> str:
    return "" if value is None else str(value)[:MAX_TEXT]


def _agent_of(actor: Body, via: list[Body], bind: Body) -> tuple[str, str]:
    """Return slug and title of the agent that acted or that this is about; innermost of a chain."""
    links = [*via, actor]
    acting = [link for link in links if link.get("kind") == "agent"]
    if acting:
        return str(acting[-1]["id"]), str(acting[-1].get("label") or acting[-1]["id"])
    for name in ("agent_slug", "agent"):
        if isinstance(bind.get(name), str):
            return str(bind[name]), str(bind.get("agent_title") or bind[name])
    return "", ""


def _run_of(target: Body, via: list[Body], bind: Body) -> str:
    runs = [str(link["run"]) for link in via if link.get("run")]
    if runs:
        return runs[-1]
    if target["type"] == "run":
        return str(target.get("id", ""))
    return str(bind.get("run_id") or "")


def _proposal_of(target: Body, bind: Body) -> object:
    return target.get("id") if target["type"] == "proposal" else bind.get("proposal_id")


def _version_of(via: list[Body], bind: Body) -> str:
    versions = [link["version"] for link in via if link.get("version")]
    return str(versions[-1] if versions else bind.get("version_no") or "")


def _outcome_of(body: Body, bind: Body) -> str:
    """Return how it ended: what the event says, else what its name says."""
    for said in (body.get("result"), bind.get("outcome"), bind.get("choice")):
        if isinstance(said, str) and said:
            return said
    return _ENDS.get(str(body["action"]).rpartition(".")[2], "")


def _moment_of(said: object) -> int | None:
    if not isinstance(said, str):
        return None
    try:
        return microseconds_of(datetime.fromisoformat(said))
    except (ValueError, TypeError):
        return None


def _tokens(body: Body, *, skewed: bool) -> list[str]:
    """Return "field:value" of the fields of which an entry may have several values."""
    bind, via = body.get("bind", {}), body.get("via", [])
    pairs: list[tuple[str, object]] = [("has", name) for name in _parts(body, bind, skewed=skewed)]
    pairs += [("via", link.get(name)) for link in via for name in ("id", "label")]
    if body["action"] == "vote.cast" and bind.get("choice") == "approve":
        pairs += [("approver", body["actor"].get(name)) for name in ("id", "label")]
        pairs.append(("approver", bind.get("in_place_of")))
    for name in ("rules", "policy_versions"):
        pairs += [("policy", said) for said in _listed(bind.get(name))]
    pairs += [("policy", bind.get(name)) for name in ("policy", "policy_id", "policy_version_id")]
    pairs += [("subject", bind.get(name)) for name in _SUBJECTS]
    found = (f"{name}:{said}"[:MAX_TEXT].lower() for name, said in pairs if said)
    return list(dict.fromkeys(found))[:MAX_TOKENS]


def _parts(body: Body, bind: Body, *, skewed: bool) -> Iterator[str]:
    blobs = [blob.get("name") for blob in body.get("blobs", [])]
    observed, digest = bind.get("observed_digest"), bind.get("digest")
    refused = str(body["action"]).endswith(".refused")
    there = {
        "reason": body.get("reason"),
        "change": body.get("change") or "change" in blobs,
        "chain": body.get("via"),
        "blob": blobs,
        "intent": body.get("intent"),
        "skew": skewed,
        "mismatch": observed and (refused if not digest else digest != observed),
        "trace": body.get("trace") or bind.get("trace_id"),
    }
    return (name for name in HAS if there[name])


def _listed(value: object) -> Iterable[object]:
    return value if isinstance(value, list) else ()


def _words(body: Body) -> str:
    """Return the plain words of an entry; no addresses, and no ids: those are found whole."""
    actor, target, bind = body["actor"], body["target"], body.get("bind", {})
    said = [body["action"], actor.get("label"), target["type"], body.get("reason")]
    said += [link.get("label") for link in body.get("via", [])]
    parts = [plain(text) for text in (*said, *_texts(bind, depth=0)) if isinstance(text, str)]
    return " ".join(filter(None, parts))[:MAX_WORDS]


def ids_of(value: Any) -> list[str]:
    """Return every text that looks like an id or a digest, for exact search; never an address."""
    found: dict[str, None] = {}
    for text in _texts(value, depth=0):
        if len(found) >= MAX_IDS:
            break
        if _ID.fullmatch(text):
            found[text] = None
    return list(found)


def _texts(value: Any, *, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif depth < MAX_DEPTH and isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item, depth=depth + 1)
    elif depth < MAX_DEPTH and isinstance(value, list):
        for item in value:
            yield from _texts(item, depth=depth + 1)
