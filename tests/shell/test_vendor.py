"""Vendored files are exactly the published ones, and the sprite has what templates ask for."""

import re
from hashlib import sha256

from console.kernel.templatetags.signs import ICONS
from tests.architecture.tree import ROOT

VENDOR = ROOT / "static" / "vendor"


class TestVendor:
    def test_digests_are_the_published_ones(self) -> None:
        lines = (VENDOR / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
        wanted = {name: digest for digest, name in (line.split() for line in lines)}
        found = {name: sha256((VENDOR / name).read_bytes()).hexdigest() for name in wanted}

        assert found == wanted

    def test_every_file_is_listed(self) -> None:
        listed = (VENDOR / "SHA256SUMS").read_text(encoding="utf-8")
        others = {"SHA256SUMS", "README.md"}

        assert {path.name for path in VENDOR.iterdir() if path.name not in listed} == others

    def test_each_package_brings_its_licence(self) -> None:
        for name in ("htmx", "plotly", "lucide"):
            assert (VENDOR / f"LICENSE-{name}.txt").stat().st_size > 400


class TestSprite:
    def test_has_every_symbol_that_a_template_may_name(self) -> None:
        sprite = (VENDOR / "icons.svg").read_text(encoding="utf-8")

        assert set(re.findall(r'<symbol id="([\w-]+)"', sprite)) == set(ICONS)

    def test_carries_no_script_and_no_link(self) -> None:
        sprite = (VENDOR / "icons.svg").read_text(encoding="utf-8")

        assert not re.search(r"<script|href|onload|<style|<foreignObject", sprite)
