"""Words: every refusal, event, permission and setting is described once and never reused."""

import ast
import re
from collections import Counter
from importlib import import_module

from audit.events import Event
from console.accounts.states import Permission
from console.kernel.errors import ConsoleError
from tests.architecture.tree import ROOT, name_of, parsed, python_files


def load_all() -> None:
    """Import every module that declares words."""
    for path in python_files():
        if {path.stem, path.parent.name} & {"errors", "events", "canonical", "states"}:
            import_module(
                ".".join(name_of(path).removesuffix("/__init__.py").removesuffix(".py").split("/"))
            )


def below(base: type) -> list[type]:
    load_all()
    found = []
    for child in base.__subclasses__():
        if child.__module__.split(".")[0] != "tests":
            found += [child, *below(child)]
    return found


class TestRefusals:
    def test_have_a_code_of_their_own(self) -> None:
        codes = [(one.code, one.__name__) for one in below(ConsoleError) if "code" in vars(one)]  # type: ignore[attr-defined]
        twice = {code for code, n in Counter(code for code, _ in codes).items() if n > 1}
        assert [one for one in codes if one[0] in twice] == []

    def test_have_dotted_lower_case_codes(self) -> None:
        codes = {one.code for one in below(ConsoleError)}  # type: ignore[attr-defined]
        assert [code for code in codes if not re.fullmatch(r"[a-z_]+(\.[a-z_]+)*", code)] == []

    def test_say_what_they_mean(self) -> None:
        assert [one.__name__ for one in below(ConsoleError) if not one.__doc__] == []


class TestEvents:
    def test_are_documented_participles(self) -> None:
        events = [one for one in below(Event) if vars(one).get("name")]
        assert len(events) > 30
        silent = [one.__name__ for one in events if (one.__doc__ or "").startswith(one.__name__)]
        assert silent == []
        names = [one.name for one in events]  # type: ignore[attr-defined]
        assert [name for name in names if not re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", name)] == []


class TestPermissions:
    def test_asked_for_are_all_known(self) -> None:
        known = {str(one) for one in Permission}
        asked = set()
        for path in python_files():
            for node in ast.walk(parsed(path)):
                if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("requires"):
                    asked |= {arg.value for arg in node.args if isinstance(arg, ast.Constant)}
        assert asked - known - {""} == set()
        assert len(asked) > 5


class TestSettings:
    def test_are_all_in_the_manual(self) -> None:
        text = (ROOT / "console" / "settings.py").read_text()
        settings = set(re.findall(r'"(SIGNALBOX_[A-Z_]+)"', text))
        manual = "\n".join(
            path.read_text() for path in (ROOT / "console/shell/manual").glob("*.md")
        )
        assert settings - set(re.findall(r"SIGNALBOX_[A-Z_]+", manual)) == set()
