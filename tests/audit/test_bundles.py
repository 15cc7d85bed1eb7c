"""Evidence out of the real trail: what is in it, that it verifies, and what it does not tell."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.urls import reverse

from audit import queries
from audit.bundles import Asked, export_bundle
from audit.errors import BadRange, NotSignedYet
from audit.events import Change
from audit.models import AuditCheckpoint
from audit.queries import evidence
from audit.search import Search
from audit.signer import trusted_key
from console.kernel.actors import Actor
from console.kernel.errors import NotFound
from console.kernel.transactions import in_tenant
from tests.approvals.desk import approved
from tests.audit.bundles import Files, Verdict, files_of, run
from tests.audit.facts import note, person, seal, vouch
from tests.cast import Cast

LONG = "y" * 6000


def bundle_of(actor: Actor, **asked: Any) -> bytes:
    return b"".join(export_bundle(actor=actor, asked=Asked(**asked)).parts())


def verified(raw: bytes, folder: Any, *arguments: str) -> Verdict:
    path = folder / f"{uuid4()}.zip"
    path.write_bytes(raw)
    return run(path, *arguments)


def sent(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def manifest_of(files: Files) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files["manifest.json"])
    return found


def keys_of(files: Files) -> list[str]:
    """Return the deployment's own keys, taken from where the signer keeps them."""
    origins = [manifest_of(files)["origin"]]
    origins.append(origins[0].partition("/t/")[0] + "/meta")
    return [part for origin in origins for part in ("--key", str(trusted_key(origin)))]


class TestExportBundle:
    def test_proves_an_entry_a_range_and_everything(self, actor: Actor, tmp_path: Any) -> None:
        neighbour = person("Mallory")
        for n in range(3):
            note(actor=actor, n=100)
            note(actor=neighbour, text=f"a secret of the neighbour {n}")
        change = Change(path="/text", before="", after=LONG)
        note(actor=actor, changes=(change,))
        seal()
        vouch(actor)

        for asked, opened in (
            ({"entry": 300}, 1), ({"first": 250, "end": 260}, 10), ({"first": 0}, 301),
        ):  # fmt: skip
            raw = bundle_of(actor, **asked)
            files = files_of(raw)
            found = verified(raw, tmp_path, *keys_of(files))
            assert (found.code, f"{opened} entries opened" in found.text) == (2, True), found.text
            assert b"neighbour" not in raw
            assert str(neighbour.tenant_id).encode() not in raw
            assert neighbour.tenant_id.hex.encode() not in raw
            assert (LONG.encode() in raw) == ("end" not in asked)

    def test_is_the_same_bytes_for_the_same_size(self, actor: Actor) -> None:
        note(actor=actor, n=10)
        vouch(actor)
        first = export_bundle(actor=actor, asked=Asked(entry=4))
        raw, size = b"".join(first.parts()), first.head.size
        note(actor=actor, n=300)
        vouch(actor)

        assert bundle_of(actor, entry=4, size=size) == raw
        later = bundle_of(actor, entry=4)
        assert manifest_of(files_of(later))["size"] > size

    def test_is_recorded_with_what_left(self, actor: Actor) -> None:
        note(actor=actor, n=5)
        vouch(actor)
        bundle_of(actor, first=1, end=3)
        vouch(actor)
        page = queries.entries(actor=actor, search=Search.of("action:evidence.exported"))
        detail = queries.entry(actor=actor, index=page.entries[0].index or 0)
        bind = dict(detail.bind)
        assert (bind["about"], bind["opened"], bind["first_index"], bind["last_index"]) == (
            "entries 1 to 2", "2", "1", "2",
        )  # fmt: skip

    def test_fails_where_the_trail_was_tampered_with(
        self, actor: Actor, tmp_path: Any, login: Any
    ) -> None:
        note(actor=actor, n=3)
        vouch(actor)
        raw = bundle_of(actor, entry=1)
        files = files_of(raw)
        tampered = files["tile/entries/000.p/3"].replace(b'"n":1', b'"n":2')
        assert tampered != files["tile/entries/000.p/3"]
        path = tmp_path / "forged"
        for name, data in {**files, "tile/entries/000.p/3": tampered}.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
        assert "WRONG #1 entry: its bytes do not hash" in run(path).text

    def test_waits_for_the_meta_log(self, actor: Actor) -> None:
        note(actor=actor, n=2)
        vouch(actor)
        note(actor=actor)
        seal()
        with pytest.raises(NotSignedYet):
            export_bundle(actor=actor, asked=Asked(entry=2))

    @pytest.mark.parametrize(
        ("asked", "refusal"),
        [
            ({}, BadRange),
            ({"entry": 1, "first": 1}, BadRange),
            ({"end": 5}, BadRange),
            ({"first": 3, "end": 3}, BadRange),
            ({"about": "proposal"}, BadRange),
            ({"about": "proposal:nothing"}, NotFound),
            ({"entry": 99}, NotFound),
            ({"first": 0, "end": 99}, NotFound),
            ({"entry": 0, "size": 1}, NotFound),
            ({"entry": 0, "size": 99}, NotSignedYet),
        ],
    )
    def test_refuses_what_it_cannot_answer(
        self, actor: Actor, asked: dict[str, Any], refusal: type[Exception]
    ) -> None:
        note(actor=actor, n=2)
        vouch(actor)
        with pytest.raises(refusal):
            export_bundle(actor=actor, asked=Asked(**asked))

    def test_says_what_is_withheld(self, actor: Actor, tmp_path: Any, monkeypatch: Any) -> None:
        note(actor=actor, n=6)
        vouch(actor)
        whole = evidence.opened
        monkeypatch.setattr(
            evidence, "opened",
            lambda *, actor, indexes: whole(actor=actor, indexes=[i for i in indexes if i != 3]),
        )  # fmt: skip
        found = verified(bundle_of(actor, first=0, end=6), tmp_path)
        assert found.code == 3
        assert "MISSING entries 3 to 3, which are withheld" in found.text


class TestMetaProofs:
    def test_show_a_tenant_hashes_and_no_leaf_of_a_neighbour(self, actor: Actor) -> None:
        other = person("Mallory")
        for one in (actor, other):
            note(actor=one)
            vouch(one)
        vouch(actor)
        with in_tenant(actor.tenant_id, read_only=True):
            assert not AuditCheckpoint.objects.filter(tenant_id=None).exists()
            assert evidence.signed_head(actor=actor, size=1).meta_leaf.count(b"/t/") == 1


class TestAPerson:
    def test_gets_everything_about_a_proposal(self, cast: Cast, tmp_path: Any) -> None:
        card = approved(cast)
        vouch(cast.noor)
        client = cast.client("noor")
        page = client.get(f"/reviews/{card.id}/").content.decode()
        address = f"{reverse('audit:bundle')}?about=proposal:{card.id}"
        assert address in page
        assert "Evidence bundle" not in cast.client("ruth").get(
            f"/reviews/{card.id}/").content.decode()  # fmt: skip

        answer = client.get(address)
        raw = sent(answer)
        assert answer["Content-Disposition"].startswith('attachment; filename="evidence-')
        assert verified(raw, tmp_path).code == 2
        assert b"vote.cast" in raw
        assert b"proposal.opened" in raw

    def test_gets_an_entry_by_its_page_and_a_program_by_the_api(self, cast: Cast) -> None:
        note(actor=cast.omar, n=3)
        vouch(cast.noor)
        client = cast.client("noor")
        page = client.get(reverse("audit:entry", args=[2])).content.decode()
        assert f"{reverse('audit:bundle')}?entry=2" in page
        by_page = sent(client.get(reverse("audit:bundle"), {"entry": 2}))
        size = manifest_of(files_of(by_page))["size"]
        program = cast.key_client("audit.export")
        by_api = program.get("/api/v1/audit/bundle", {"entry": 2, "size": size})
        assert sent(by_api) == by_page

    def test_gets_the_range_that_the_list_shows(self, cast: Cast, tmp_path: Any) -> None:
        note(actor=cast.omar, n=60)
        vouch(cast.noor)
        client = cast.client("noor")
        page = client.get(reverse("audit:explorer"), {"q": "action:test.*"}).context["page"]
        asked = {"first": page.first_shown, "end": page.end_shown}
        found = verified(sent(client.get(reverse("audit:bundle"), asked)), tmp_path)
        assert "50 entries opened" in found.text

    def test_is_told_why_there_is_none(self, cast: Cast) -> None:
        note(actor=cast.omar)
        vouch(cast.noor)
        client = cast.client("noor")
        for asked, status in (({}, 400), ({"entry": 10**6}, 404), ({"entry": 0, "size": 1}, 404)):
            answer: Any = client.get(reverse("audit:bundle"), asked)
            assert (answer.status_code, answer.refusal.message[-1]) == (status, ".")

    def test_needs_the_permission(self, cast: Cast) -> None:
        address = f"{reverse('audit:bundle')}?entry=0"
        assert cast.client("omar").get(address).status_code == 403
        answer = cast.key_client("audit.view").get("/api/v1/audit/bundle?entry=0")
        assert answer.status_code == 403


class TestVerifyBundleCommand:
    def test_runs_the_same_file(self, actor: Actor, tmp_path: Any, capfd: Any) -> None:
        note(actor=actor, n=2)
        vouch(actor)
        path = tmp_path / "bundle.zip"
        path.write_bytes(bundle_of(actor, entry=1))
        with pytest.raises(SystemExit) as ended:
            call_command("verify_bundle", str(path))
        assert ended.value.code == 2
        assert "VERIFIED, self-attested" in capfd.readouterr().out
        with pytest.raises(SystemExit) as ended:
            call_command("verify_bundle", __file__)
        assert ended.value.code == 1
