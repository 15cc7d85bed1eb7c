"""Foreign text, money, time and signs on a page."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from uuid import UUID

import pytest
from django.template import Context, RequestContext, Template, TemplateSyntaxError
from django.test import RequestFactory
from django.utils.safestring import SafeString
from hypothesis import given
from hypothesis import strategies as st

from console.kernel.templatetags import signalbox as tags

HIDDEN = {
    "right-to-left override": "\u202e",
    "isolate": "\u2066",
    "zero width space": "\u200b",
    "zero width joiner": "\u200d",
    "byte order mark": "\ufeff",
    "soft hyphen": "\u00ad",
    "tag letter": "\U000e0041",
    "no-break space": "\u00a0",
    "ideographic space": "\u3000",
    "line separator": "\u2028",
    "null": "\x00",
    "escape": "\x1b",
    "lone carriage return": "\r",
    "hangul filler": "\u3164",
    "braille blank": "\u2800",
    "grapheme joiner": "\u034f",
    "selector without emoji": "\ufe0f",
    "selector supplement": "\U000e0101",
    "private use": "\ue000",
    "lone surrogate": "\ud800",
    "noncharacter": "\uffff",
}
NOW = datetime(2026, 11, 20, 14, 2, 31, tzinfo=UTC)


@pytest.fixture
def at_noon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tags, "_now", lambda: NOW)


def rendered(source: str, **values: object) -> str:
    return Template("{% load signalbox %}" + source).render(Context(values))


class TestVisible:
    @pytest.mark.parametrize("char", HIDDEN.values(), ids=HIDDEN.keys())
    def test_shows_what_a_reader_could_not_see(self, char: str) -> None:
        html = tags.visible(f"a{char}b")

        assert f"⟨U+{ord(char):04X}⟩" in html
        assert char not in html
        assert tags.hidden_count(f"a{char}b") == 1

    def test_escapes_markup(self) -> None:
        html = tags.visible("<script>alert('x')</script>&amp;\"")

        assert html == "&lt;script&gt;alert(&#x27;x&#x27;)&lt;/script&gt;&amp;amp;&quot;"

    def test_does_not_trust_text_that_says_it_is_safe(self) -> None:
        assert "<b>" not in tags.visible(SafeString("<b>bold</b>"))

    def test_an_escape_that_somebody_typed_is_not_marked_as_ours(self) -> None:
        assert tags.visible("⟨U+202E⟩") == "⟨U+202E⟩"
        assert tags.hidden_count("⟨U+202E⟩") == 0

    def test_names_the_character(self) -> None:
        assert 'title="right-to-left override"' in tags.visible("\u202e")

    def test_leaves_ordinary_text_alone(self) -> None:
        for text in ("Zażółć gęślą jaźń", "東京", "a\n\tb", "❤️ ok", "naïve"):
            assert tags.visible(text) == text

    def test_reads_windows_line_ends_as_line_ends(self) -> None:
        assert tags.visible("a\r\nb") == "a\nb"

    def test_shows_padding_that_pushes_text_out_of_sight(self) -> None:
        assert "⟨80 spaces⟩" in tags.visible("a" + " " * 80 + "b")
        assert "⟨9 line breaks⟩" in tags.visible("a" + "\n" * 9 + "b")
        assert tags.hidden_count("a" + " " * 32 + "b") == 0

    @pytest.mark.parametrize(
        ("padding", "said"),
        [("\t" * 40, "160 spaces"), (" \t" * 40, "160 spaces"), ("\n " * 9, "9 line breaks"),
         ("\n\t\n \n\n\t \n", "5 line breaks")],
        ids=["tabs", "spaces and tabs", "lines of a space", "lines of anything blank"],
    )  # fmt: skip
    def test_shows_padding_of_several_kinds(self, padding: str, said: str) -> None:
        """NousResearch/hermes-agent#81403: a first fix counted spaces alone."""
        assert tags.visible_text(f"a{padding}b") == f"a⟨{said}⟩b"

    def test_stops_marks_that_climb_over_other_lines(self) -> None:
        assert tags.hidden_count("e" + "\u0301" * 12) == 8

    def test_none_is_nothing(self) -> None:
        assert tags.visible(None) == ""

    @given(st.text())
    def test_never_lets_markup_or_hidden_characters_through(self, text: str) -> None:
        bare = tags.visible_text(text)

        assert tags.hidden_count(bare) == 0
        shown = str(tags.visible(text))
        for ours in ('<span class="esc"', "</span>", "<bdi>", "</bdi>"):
            shown = shown.replace(ours, "")
        assert "<" not in shown

    def test_sets_apart_what_runs_from_the_right(self) -> None:
        assert tags.visible("ביטול 12") == "<bdi>ביטול 12</bdi>"
        assert tags.visible("إلغاء <b>") == "<bdi>إلغاء &lt;b&gt;</bdi>"
        assert tags.visible("Größe 12, 取消") == "Größe 12, 取消"


class TestMoney:
    @pytest.mark.parametrize(
        ("usd", "shown"),
        [
            (None, "unknown"),
            (Decimal(0), "$0.00"),
            (0, "$0.00"),
            (Decimal("61.2"), "$61.20"),
            (Decimal("1234.5"), "$1,234.50"),
            (Decimal("0.0123"), "$0.0123"),
            (Decimal("0.000012"), "$0.000012"),
            (Decimal("0.000000000001"), "$0.0000000000010"),
            (Decimal("-3.456"), "-$3.46"),
        ],
    )
    def test_writes(self, usd: Decimal | None, shown: str) -> None:
        assert tags.money(usd) == shown

    def test_refuses_a_float(self) -> None:
        with pytest.raises(TypeError):
            tags.money(0.1)  # type: ignore[arg-type]

    @given(st.decimals(min_value=Decimal("1e-12"), max_value=Decimal(10**7), places=12))
    def test_never_shows_something_as_nothing(self, usd: Decimal) -> None:
        assert any(digit in tags.money(usd) for digit in "123456789")


@pytest.mark.usefixtures("at_noon")
class TestTimes:
    def test_ago(self) -> None:
        assert tags.ago(NOW - timedelta(minutes=4)) == "4 min ago"
        assert tags.ago(NOW + timedelta(hours=2, minutes=5)) == "in 2 h 5 min"
        assert tags.ago(None) == "never"

    def test_span(self) -> None:
        assert [tags.span(s) for s in (0, 59, 60, 3600, 7500, 90_000, None)] == [
            "0 s",
            "59 s",
            "1 min",
            "1 h",
            "2 h 5 min",
            "1 d 1 h",
            "unknown",
        ]

    def test_time_carries_the_exact_moment(self) -> None:
        html = rendered("{% time at %}", at=NOW)

        assert 'datetime="2026-11-20T14:02:31Z"' in html
        assert ">14:02<" in html

    def test_time_of_another_day_has_its_date(self) -> None:
        assert ">19 Nov 14:02<" in rendered("{% time at %}", at=NOW - timedelta(days=1))
        assert ">20 Nov 2025 14:02<" in rendered("{% time at %}", at=NOW - timedelta(days=365))

    def test_full_time_has_its_zone(self) -> None:
        assert ">2026-11-20 14:02:31 UTC<" in rendered('{% time at "full" %}', at=NOW)


class TestShort:
    def test_keeps_both_ends(self) -> None:
        assert tags.short("9f3c" + "0" * 56 + "a1b2") == "9f3c…a1b2"
        assert tags.short(bytes.fromhex("9f3c" + "00" * 28 + "a1b2")) == "9f3c…a1b2"
        assert tags.short(UUID("01997f00-0000-7000-8000-0000000000e2")) == "0199…00e2"

    def test_leaves_short_text_alone(self) -> None:
        assert tags.short("P-4411") == "P-4411"
        assert tags.short(None) == ""


class TestNonce:
    def test_is_stamped_from_the_request(self) -> None:
        request = RequestFactory().get("/")
        request.csp_nonce = "abc+/="  # type: ignore[attr-defined]
        template = Template('{% load signalbox %}<p {% hx %} nonce="{% csp_nonce %}">')

        html = template.render(RequestContext(request))

        assert html == '<p hx-nonce="abc+/=" nonce="abc+/=">'

    def test_reaches_an_include_with_only(self) -> None:
        request = RequestFactory().get("/")
        request.csp_nonce = "abc"  # type: ignore[attr-defined]
        inner = Template("{% load signalbox %}{% hx %}")
        outer = Template("{% include inner only %}")

        assert outer.render(RequestContext(request, {"inner": inner})) == 'hx-nonce="abc"'


class TestSigns:
    def test_a_badge_is_shape_and_word(self) -> None:
        html = rendered('{% badge "stop" "Stopped" %}')

        assert 'data-signal="stop"' in html
        assert "#signal-stop" in html
        assert "<span>Stopped</span>" in html

    def test_a_badge_shows_foreign_words_escaped(self) -> None:
        assert "&lt;b&gt;" in rendered('{% badge "quiet" word %}', word="<b>")

    def test_unlisted_states_are_quiet(self) -> None:
        assert 'data-signal="quiet"' in rendered("{% state word %}", word="teapot")
        assert "Waiting approval" in rendered("{% state word %}", word="waiting_approval")

    def test_reads_enums_by_value(self) -> None:
        assert "Approved" in rendered("{% state word %}", word=SimpleNamespace(value="approved"))

    @pytest.mark.parametrize(
        "source", ['{% icon "no-such" %}', '{% badge "red" "x" %}', '{% plate "x" "pink" %}']
    )
    def test_unknown_names_are_mistakes(self, source: str) -> None:
        with pytest.raises(TemplateSyntaxError):
            rendered(source)

    def test_a_tier_that_is_not_known_says_so(self) -> None:
        assert "Tier ?" in rendered("{% tier none %}", none=None)
        assert "Tier 2" in rendered("{% tier 2 %}")
