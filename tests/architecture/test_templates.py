"""What every template and every file of the front end keeps: headers, nonces, budgets, contrast."""

import gzip
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
CSS = sorted((ROOT / "static" / "css").rglob("*.css"))
JS = sorted((ROOT / "static" / "js").rglob("*.js"))
# The widget's frame is an origin of its own with a stricter policy and no htmx; its tests hold it.
CONSOLE = [path for path in TEMPLATES if "widget" not in path.parts]
TAG = re.compile(r"<[a-zA-Z][^<>]*(?:\{[%{][^<>]*[%}]\}[^<>]*)*>")
NONCED = "{% hx %}"
KB = 1024


def named(paths: list[Path]) -> dict[str, Path]:
    return {str(path.relative_to(ROOT)): path for path in paths}


def parameters(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", named(paths).values(), ids=named(paths).keys())


def source(path: Path) -> str:
    """Return a template without its comments."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"\{% comment %\}.*?\{% endcomment %\}", "", text, flags=re.DOTALL)
    return re.sub(r"\{#.*?#\}", "", text)


def tags(path: Path) -> Iterator[str]:
    """Yield every opening tag, with the template tags inside it."""
    text = source(path)
    # Comparisons inside template tags are not markup.
    text = re.sub(r"\{%[^%]*%\}", lambda m: m[0].replace("<", "‹").replace(">", "›"), text)
    for match in TAG.finditer(text):
        yield match[0]


class TestComponents:
    @parameters(sorted((ROOT / "templates" / "components").glob("*.html")))
    def test_opens_with_its_variables(self, path: Path) -> None:
        first, second = path.read_text(encoding="utf-8").splitlines()[:2]

        assert first == "{% comment %}"
        assert second.startswith(f"{path.stem}: ")

    def test_are_all_documented(self) -> None:
        readme = (ROOT / "templates" / "components" / "README.md").read_text(encoding="utf-8")
        found = {path.name for path in (ROOT / "templates" / "components").glob("*.html")}

        assert {name for name in found if f"`{name}`" not in readme} == set()


@parameters(CONSOLE)
class TestEveryTemplate:
    def test_stays_within_its_budget(self, path: Path) -> None:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]

        assert len(lines) <= 150

    def test_stamps_every_element_that_htmx_reads(self, path: Path) -> None:
        bare = [tag for tag in tags(path) if re.search(r"\s(data-)?hx-", tag) and NONCED not in tag]

        assert bare == []

    def test_has_no_handler_and_no_inline_style(self, path: Path) -> None:
        found = [tag for tag in tags(path) if re.search(r"""\s(on[a-z]+|style)\s*=""", tag)]

        assert found == []

    def test_evaluates_no_string(self, path: Path) -> None:
        text = source(path).lower()

        assert "hx-on" not in text
        assert "js:" not in text.replace('"js:"', "")
        assert "javascript:" not in text

    def test_scripts_and_styles_carry_the_nonce(self, path: Path) -> None:
        found = [
            tag
            for tag in tags(path)
            if re.match(r"<(script|style)\b", tag) and "{% csp_nonce %}" not in tag
        ]

        assert found == []

    def test_attributes_take_text_without_markup(self, path: Path) -> None:
        assert re.findall(r'''="[^"<>]*\|visible[ |}][^"<>]*"''', source(path)) == []

    def test_scripts_have_no_body(self, path: Path) -> None:
        bodies = re.findall(r"<script\b[^>]*>(.*?)</script>", source(path), flags=re.DOTALL)

        assert [body for body in bodies if body.strip()] == []

    def test_trusts_no_text(self, path: Path) -> None:
        text = source(path)

        assert "|safe" not in text
        assert "autoescape off" not in text

    def test_forms_that_post_carry_the_token(self, path: Path) -> None:
        forms = re.findall(r"<form\b.*?</form>", source(path), flags=re.DOTALL)
        bare = [
            form.split(">")[0]
            for form in forms
            if re.search(r'method="post"', form) and "{% csrf_token %}" not in form
        ]

        assert bare == []


@parameters(JS)
class TestEveryScript:
    def test_writes_no_markup(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")

        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", text
        )

    def test_imports_what_exists(self, path: Path) -> None:
        text = path.read_text(encoding="utf-8")
        wanted = re.findall(r"""(?:from|import\()\s*["'](\.[^"']+)["']""", text)

        assert [name for name in wanted if not (path.parent / name).resolve().is_file()] == []

    def test_ends_each_import_with_a_semicolon(self, path: Path) -> None:
        lines = [
            line for line in path.read_text("utf-8").splitlines() if line.startswith("import ")
        ]

        assert [line for line in lines if not line.endswith(";")] == []


@parameters(CSS)
class TestEveryStylesheet:
    def test_stands_in_a_layer(self, path: Path) -> None:
        text = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.DOTALL).strip()

        assert path.name == "print.css" or text.startswith("@layer ")

    def test_uses_tokens_only(self, path: Path) -> None:
        if path.name in {"tokens.css", "print.css"}:
            pytest.skip("this is where colours are written")
        text = path.read_text(encoding="utf-8")

        assert re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|hsl\(", text) == []

    def test_selects_no_id(self, path: Path) -> None:
        text = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.DOTALL)

        assert re.findall(r"^\s*[^{}:;]*#[a-z][\w-]*[^{};]*\{", text, flags=re.MULTILINE) == []

    def test_stays_within_its_budget(self, path: Path) -> None:
        lines = [line for line in path.read_text("utf-8").splitlines() if line.strip()]
        # Whole layers, and the two components that carry the product; they may only shrink.
        most = {"base.css": 200, "layout.css": 200, "vote-bar.css": 130, "diff.css": 130}

        assert len(lines) <= most.get(path.name, 120)


class TestKeys:
    def test_are_all_in_the_table_that_people_choose_from(self) -> None:
        keymap = (ROOT / "static" / "js" / "core" / "keymap.js").read_text(encoding="utf-8")
        table = re.findall(r'^  \["(.)", "[^"]+"\],$', keymap, re.MULTILINE)
        used = {key for path in CONSOLE for key in re.findall(r'data-key="([^"]+)"', source(path))}
        for path in JS:
            used |= set(re.findall(r'addKey\("([^"]+)"', path.read_text(encoding="utf-8")))

        assert used - set(table) == set()
        assert set(table) - used == {"g"}  # the first of two
        assert len(table) == len(set(table))


CHART = "js/elements/sb-chart.js"
IMPORTED = re.compile(r"""^import [^;(]*["'](\.[^"']+)["'];""", re.MULTILINE)


def scripts_of(path: Path) -> list[str]:
    return re.findall(r"\{% static '(js/[^']+)' %\}", path.read_text(encoding="utf-8"))


def with_imports(names: set[str]) -> set[Path]:
    """Return modules and what they import; what is imported when it is needed does not count."""
    found: set[Path] = set()
    waiting = [ROOT / "static" / name for name in names]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            wanted = IMPORTED.findall(path.read_text(encoding="utf-8"))
            waiting += [(path.parent / name).resolve() for name in wanted]
    return found


class TestWeight:
    """Gzip -9, without a chart."""

    @parameters([path for path in CONSOLE if scripts_of(path)])
    def test_scripts(self, path: Path) -> None:
        """Count what a page loads: its own modules and the frame's, with all they import."""
        frame = ROOT / "templates" / "base.html"
        modules = with_imports({*scripts_of(frame), *scripts_of(path)} - {CHART})
        files = [ROOT / "static" / name for name in ("vendor/htmx.min.js", "vendor/hx-csp.min.js")]

        assert sum(len(gzip.compress(p.read_bytes(), 9)) for p in [*files, *modules]) <= 30 * KB

    def test_styles(self) -> None:
        css = b"\n".join(path.read_bytes() for path in CSS)

        assert len(gzip.compress(css, 9)) <= 20 * KB

    def test_requests_of_a_cold_page(self) -> None:
        """Count the page, its links and scripts, what they import, and the sprite."""
        base = (ROOT / "templates" / "base.html").read_text(encoding="utf-8")
        scripts = re.findall(r"\{% static '(js/[^']+)' %\}", base)
        modules = set(scripts)
        for name in scripts:
            text = (ROOT / "static" / name).read_text(encoding="utf-8")
            for wanted in re.findall(r"""from ["'](\.[^"']+)["']""", text):
                found = ((ROOT / "static" / name).parent / wanted).resolve()
                modules.add(str(found.relative_to(ROOT / "static")))
        vendored = re.findall(r"\{% static '(vendor/[^']+)' %\}", base)
        page, stylesheet, sprite = 1, 1, 1

        assert page + stylesheet + sprite + len(vendored) + len(modules) <= 12


GROUNDS = ("paper", "surface", "sunken")
TINTS = ("info-bg", "danger-bg", "caution-bg", "clear-bg", "unknown-bg", "add-bg", "del-bg")
STATUS = ("accent", "danger", "caution", "clear", "unknown", "add", "del")
OWN_TINT = {
    "accent": "info-bg",
    **{name: f"{name}-bg" for name in STATUS if name != "accent"},
}
SCHEMES = ("light", "dark")


@cache
def tokens() -> dict[str, tuple[str, str]]:
    text = (ROOT / "static" / "css" / "tokens.css").read_text(encoding="utf-8")
    found = re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", text)
    return {name: (light, dark) for name, light, dark in found}


def luminance(colour: str) -> float:
    """Return relative luminance. Source: WCAG 2.2, definition of relative luminance."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str, scheme: str) -> float:
    at = SCHEMES.index(scheme)
    light, dark = sorted((luminance(tokens()[n][at]) for n in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def lowest(pairs: list[tuple[str, str]], scheme: str) -> float:
    return min(contrast(one, other, scheme) for one, other in pairs)


@pytest.mark.parametrize("scheme", SCHEMES)
class TestContrast:
    def test_text_on_every_ground_and_tint(self, scheme: str) -> None:
        words = ("add-word", "del-word")
        pairs = [("ink", ground) for ground in GROUNDS + TINTS + words]

        assert lowest(pairs, scheme) >= 7

    def test_secondary_text(self, scheme: str) -> None:
        assert lowest([("ink-2", ground) for ground in GROUNDS + TINTS], scheme) >= 4.5

    def test_status_text_on_grounds_and_its_own_tint(self, scheme: str) -> None:
        pairs = [(name, ground) for name in STATUS for ground in (*GROUNDS, OWN_TINT[name])]

        assert lowest(pairs, scheme) >= 4.5

    def test_text_on_solid(self, scheme: str) -> None:
        solid = ("accent", "danger", "caution", "clear", "unknown")

        assert lowest([("on-solid", name) for name in solid], scheme) >= 4.5

    def test_inverted_text(self, scheme: str) -> None:
        assert contrast("paper", "ink", scheme) >= 7

    def test_borders_of_controls_and_focus(self, scheme: str) -> None:
        assert lowest([("edge", ground) for ground in GROUNDS], scheme) >= 3
        assert lowest([("focus", ground) for ground in GROUNDS + TINTS], scheme) >= 3

    def test_series_of_charts(self, scheme: str) -> None:
        series = [f"chart-{n}" for n in range(1, 6)]

        assert lowest([(name, "surface") for name in series], scheme) >= 3
