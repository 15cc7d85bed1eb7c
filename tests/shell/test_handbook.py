"""The manual: files, rendering, words."""

from django.test import Client

from console.accounts.states import Permission
from console.shell import handbook
from tests.cast import Cast


class TestPages:
    def test_are_in_reading_order_with_titles(self) -> None:
        pages = handbook.pages()

        assert next(iter(pages)) == "start"
        assert all(page.title and page.html for page in pages.values())

    def test_render_tables_and_links_only(self) -> None:
        html = "".join(page.html for page in handbook.pages().values())

        assert "<table>" in html
        assert "<script" not in html


class TestWords:
    def test_name_every_permission_with_its_roles(self) -> None:
        words = {word.name: word.more for word in handbook.permission_words()}

        assert set(words) == {permission.value for permission in Permission}
        assert "admin" not in words["approvals.vote"]

    def test_explain_every_code_and_event(self) -> None:
        for words in (handbook.code_words(), handbook.event_words()):
            assert words
            assert [word.name for word in words if not word.text] == []


class TestManual:
    def test_shows_each_page(self, cast: Cast) -> None:
        client = cast.client("ruth")

        for slug in handbook.pages():
            assert client.get(f"/manual/{slug}/").status_code == 200
        assert client.get("/manual/").status_code == 200
        assert b"vote.cast" in client.get("/manual/words/").content

    def test_refuses_a_page_that_is_not_there(self, cast: Cast) -> None:
        answer = cast.client("ruth").get("/manual/no-such-page/")

        assert answer.status_code == 404
        assert "choose one from its list" in answer.content.decode()

    def test_sends_strangers_to_the_sign_in(self) -> None:
        answer = Client(SERVER_NAME="localhost").get("/manual/")

        assert answer.status_code == 302
        assert answer.headers["Location"].startswith("/sign-in/")
