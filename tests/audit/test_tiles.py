"""The log over HTTP as C2SP has it, followed by a client that knows nothing but C2SP."""

import base64
from typing import Any

import pytest

from audit import queries
from audit.search import Search
from audit.signer import trusted_key
from audit.verifier.paths import Towers, extends, includes, node, number_path
from audit.verifier.signed import Checkpoint, checkpoint_of, key_of
from audit.verifier.tree import hashed_leaf
from console.kernel.actors import Actor
from tests.audit.facts import note, project, seal, vouch
from tests.cast import Cast

LOG = "/api/v1/audit/log"


def signed(text: str) -> Checkpoint:
    """Read a checkpoint with the deployment's key, which the client has from elsewhere."""
    key = trusted_key(text.split("\n", 1)[0])
    found = checkpoint_of(text, [key_of(str(key))])
    assert found.signers
    return found


def leaves_of(bundle: bytes) -> list[bytes]:
    found = []
    while bundle:
        length = int.from_bytes(bundle[:2], "big")
        found.append(bundle[2 : 2 + length])
        bundle = bundle[2 + length :]
    return found


def proof_of(text: str) -> tuple[bytes, int, list[bytes], Checkpoint]:
    head, _, note_text = text.partition("\n\n")
    first, extra, index, *path = head.split("\n")
    assert first == "c2sp.org/tlog-proof@v1"
    leaf = base64.b64decode(extra.removeprefix("extra "))
    steps = [base64.b64decode(line) for line in path]
    return leaf, int(index.removeprefix("index ")), steps, signed(note_text)


def filled(cast: Cast, n: int = 530) -> Actor:
    note(actor=cast.omar, n=n)
    vouch(cast.noor)
    return cast.noor


class TestTheLog:
    def test_is_rebuilt_from_its_tiles_and_entries_alone(self, cast: Cast) -> None:
        filled(cast)
        client = cast.key_client("audit.view", "audit.export")
        answer = client.get(f"{LOG}/checkpoint")
        assert answer["Content-Type"] == "text/plain; charset=utf-8"
        head = signed(answer.content.decode())

        towers = Towers()
        for first in range(0, head.size, 256):
            width = min(256, head.size - first)
            place = number_path(first // 256) + ("" if width == 256 else f".p/{width}")
            hashes = client.get(f"{LOG}/tile/0/{place}")
            entries = client.get(f"{LOG}/tile/entries/{place}")
            assert hashes["Content-Type"] == entries["Content-Type"] == "application/octet-stream"
            assert "immutable" in hashes["Cache-Control"]
            leaves = [hashed_leaf(leaf) for leaf in leaves_of(entries.content)]
            assert b"".join(leaves) == hashes.content
            towers.push_leaves(leaves)
        assert towers.root() == head.root
        above = client.get(f"{LOG}/tile/1/000.p/2").content
        assert node(above[:32], above[32:]) == towers.stack[0][1]  # over the first 512 entries

    @pytest.mark.parametrize(
        "path",
        ["0/0", "0/000/", "0/x000/000", "00/000", "64/000", "0/000.p/0", "0/000.p/256",
         "0/000.p/300", "0/000.p/01", "0/001", "1/000", "1/000.p/1", "entries/x", "entries/009",
         "-1/000", "0/x999/x999/x999/x999/x999/x999/999"],
    )  # fmt: skip
    def test_has_no_other_tiles(self, cast: Cast, path: str) -> None:
        note(actor=cast.omar, n=3)
        seal()
        answer = cast.key_client("audit.view", "audit.export").get(f"{LOG}/tile/{path}")
        assert (answer.status_code, set(answer.json())) == (404, {"code", "message", "details"})

    def test_of_a_neighbour_is_not_there(self, cast: Cast) -> None:
        filled(cast, 40)
        mallory = cast.api("mallory")
        for path in ("tile/0/000.p/40", "tile/entries/000.p/40"):
            assert mallory.get(f"{LOG}/{path}").status_code == 404

    def test_gives_content_to_those_who_may_export_and_records_it(self, cast: Cast) -> None:
        filled(cast, 5)
        only_view = cast.key_client("audit.view")
        assert only_view.get(f"{LOG}/tile/entries/000.p/2").status_code == 403
        program = cast.key_client("audit.export")
        for _ in range(3):
            assert program.get(f"{LOG}/tile/entries/000.p/2").status_code == 200
        seal()
        project()
        search = Search.of("action:evidence.exported")
        (card,) = queries.entries(actor=cast.noor, search=search).entries
        detail = queries.entry(actor=cast.noor, index=card.index or 0)
        assert dict(detail.bind)["about"] == "entry bundle 000.p/2"


class TestReceipt:
    def test_leads_from_the_entry_to_the_meta_log(self, cast: Cast) -> None:
        filled(cast, 300)
        client = cast.key_client("audit.view")
        leaf, index, path, head = proof_of(
            client.get("/api/v1/audit/entries/290/receipt").content.decode()
        )
        assert (index, b'"action":"' in leaf) == (290, True)
        assert includes(index, head.size, head.root, hashed_leaf(leaf), path)

        meta, at, way, above = proof_of(
            client.get("/api/v1/audit/entries/290/receipt/meta").content.decode()
        )
        assert above.origin.endswith("/meta")
        assert f'"log":"{head.origin}"'.encode() in meta
        assert includes(at, above.size, above.root, hashed_leaf(meta), way)

    def test_of_a_fresh_entry_comes_later(self, cast: Cast) -> None:
        filled(cast, 3)
        note(actor=cast.omar)
        seal()
        last = queries.completeness(actor=cast.noor).newest_sealed
        for what in ("receipt", "receipt/meta"):
            answer = cast.key_client("audit.view").get(f"/api/v1/audit/entries/{last}/{what}")
            assert (answer.status_code, answer.json()["code"]) == (409, "audit.not_signed_yet")

    def test_is_linked_beside_the_proof(self, cast: Cast) -> None:
        filled(cast, 3)
        page = cast.client("noor").get("/audit/2/").content.decode()
        for address in ("entries/2/receipt", "entries/2/receipt/meta", "log/checkpoint"):
            assert f'href="/api/v1/audit/{address}"' in page


class TestConsistency:
    def test_is_proved_between_any_two_sizes(self, cast: Cast) -> None:
        filled(cast, 300)
        client = cast.key_client("audit.view")
        for old, new in ((1, 1), (3, 256), (255, 300), (300, 300)):
            found: Any = client.get("/api/v1/audit/consistency", {"old": old, "new": new}).json()
            path = [bytes.fromhex(step) for step in found["path"]]
            roots = [bytes.fromhex(found[name]) for name in ("old_root", "new_root")]
            assert extends(old, roots[0], new, roots[1], path)

    @pytest.mark.parametrize(
        ("old", "new", "status"),
        [(0, 3, 400), (3, 2, 400), (1, 10**9, 404), ("x", 2, 400), (-1, 2, 400)],
    )
    def test_is_refused_where_there_is_none(
        self, cast: Cast, old: Any, new: Any, status: int
    ) -> None:
        note(actor=cast.omar, n=3)
        seal()
        client = cast.key_client("audit.view")
        answer = client.get("/api/v1/audit/consistency", {"old": old, "new": new})
        assert answer.status_code == status
