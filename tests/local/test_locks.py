"""The requirement lists: every file by its hash, no index named, enough for the oldest Python."""

import re
import tomllib

import pytest

from console.local.places import ROOT

LISTS = ("requirements.lock", "requirements-dev.lock")


def pinned(name: str) -> dict[str, str]:
    text = (ROOT / name).read_text()
    return {
        match.group(1): match.group(0)
        for match in re.finditer(
            r"^([a-z0-9-]+)(?:\[[a-z,]+\])?==.*?(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL
        )
    }


def declared() -> tuple[list[str], list[str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return project["project"]["dependencies"], project["dependency-groups"]["dev"]


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=;]", one)[0].lower() for one in requirements}


@pytest.mark.parametrize("name", LISTS)
class TestList:
    def test_pins_every_package_by_hash(self, name: str) -> None:
        assert pinned(name)
        assert all("--hash=sha256:" in entry for entry in pinned(name).values())

    def test_names_no_place_to_load_from(self, name: str) -> None:
        text = (ROOT / name).read_text()

        assert "://" not in text
        assert not re.search(r"^\s*(-i|-f|--(extra-)?index-url|--find-links)", text, re.MULTILINE)


class TestLists:
    def test_hold_everything_that_is_declared(self) -> None:
        runtime, dev = declared()

        assert names(runtime) <= set(pinned(LISTS[0]))
        assert names(runtime) | names(dev) <= set(pinned(LISTS[1]))

    def test_agree_on_every_version(self) -> None:
        first, second = (pinned(name) for name in LISTS)
        version = re.compile(r"==(\S+)")

        for name, entry in first.items():
            assert version.findall(entry)[0] == version.findall(second[name])[0]
