"""Public keys and sites: what is one, and what is not."""

import os
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.kernel.errors import BadInput
from console.widget.policies import public_key, read_origins, tenant_of


class TestTenantOf:
    def test_finds_the_tenant_of_every_key(self) -> None:
        for _ in range(50):
            tenant_id = uuid4()
            assert tenant_of(public_key(tenant_id, os.urandom(12))) == tenant_id

    @given(st.text(max_size=60))
    def test_finds_none_in_other_texts(self, text: str) -> None:
        assert tenant_of(text) is None

    def test_refuses_a_key_that_was_cut(self) -> None:
        assert tenant_of(public_key(uuid4(), os.urandom(12))[:-1]) is None


class TestReadOrigins:
    def test_takes_several_and_keeps_each_once(self) -> None:
        found = read_origins("https://shop.example/\nhttp://localhost:8000 https://SHOP.example")
        assert found == ("https://shop.example", "http://localhost:8000")

    @pytest.mark.parametrize(
        "text",
        ["", "shop.example", "https://shop.example/path", "javascript:alert(1)", "https://*",
         "https://a.example; script-src *", "https://a.example:99999999", "file:///etc"],
    )  # fmt: skip
    def test_refuses_what_is_no_origin(self, text: str) -> None:
        with pytest.raises(BadInput, match="Write each site as its origin"):
            read_origins(text)
