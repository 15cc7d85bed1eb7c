"""One stylesheet out of many files, under an address that changes with its bytes."""

import gzip

from django.test import Client

from console.shell import styles


class TestSheet:
    def test_begins_with_the_tokens_and_ends_with_print(self) -> None:
        names = [path.name for path in styles.files()]

        assert names[:3] == ["tokens.css", "base.css", "layout.css"]
        assert names[-2:] == ["pages.css", "print.css"]

    def test_holds_every_file_once(self) -> None:
        files = styles.files()

        assert len(files) == len(set(files))
        for path in files:
            assert path.read_bytes() in styles.sheet().css

    def test_is_the_same_zipped(self) -> None:
        sheet = styles.sheet()

        assert gzip.decompress(sheet.zipped) == sheet.css


class TestStylesheet:
    def test_never_expires(self) -> None:
        digest = styles.sheet().digest
        answer = Client(SERVER_NAME="localhost").get(f"/assets/{digest}.css")

        assert answer.headers["Content-Type"] == "text/css"
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.content == styles.sheet().css

    def test_is_zipped_for_who_can_read_it(self) -> None:
        digest = styles.sheet().digest
        client = Client(SERVER_NAME="localhost", headers={"Accept-Encoding": "gzip"})
        answer = client.get(f"/assets/{digest}.css")

        assert answer.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(answer.content) == styles.sheet().css

    def test_an_old_address_leads_to_the_new_one(self) -> None:
        answer = Client(SERVER_NAME="localhost").get("/assets/0000.css")

        assert answer.status_code == 302
        assert styles.sheet().digest in answer.headers["Location"]
