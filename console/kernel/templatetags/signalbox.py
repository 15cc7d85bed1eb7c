"""Tags and filters of every template; templates/components/README.md lists them.

Text of agents and customers is hostile: `visible` is the one way it reaches a page.
"""

import re
import time
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final
from uuid import UUID

from django import template
from django.template.context import Context
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from console.kernel.templatetags.signs import ICONS, SIGNAL_ICONS, SIGNALS, STATES, TONES

register = template.Library()

# Invisible although Unicode calls them letters, marks or symbols (category Lo, Mn, So).
_BLANK_GLYPHS: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0\ufffc\U0001d159"
)
_HIDDEN_CATEGORIES: Final = frozenset({"Cf", "Cc", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
_PLAIN: Final = frozenset(" \n\t")
_MOST_MARKS: Final = 4  # combining marks on one letter; more climb over the lines above
_MOST_SPACES: Final = 32  # a longer run pushes text out of sight
_MOST_BREAKS: Final = 4
_TAB: Final = 4  # columns; no page shows one narrower
_BLANK: Final = re.compile(r"[ \t\n]+")
_BREAK: Final = re.compile(r"(\n)")
_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400
_SHORT_ENOUGH: Final = 12
_FROM_THE_RIGHT: Final = frozenset({"R", "AL", "AN"})


def _is_selector(char: str) -> bool:
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


def _is_hidden(char: str, before: str) -> bool:
    if char in _PLAIN:
        return False
    if _is_selector(char):
        # Emoji are written as symbol + U+FE0F; anywhere else a selector carries hidden bytes.
        return not (
            char in "\ufe0e\ufe0f" and before != "" and unicodedata.category(before) == "So"
        )
    return char in _BLANK_GLYPHS or unicodedata.category(char) in _HIDDEN_CATEGORIES


def _pieces(text: str) -> Iterator[tuple[str, str]]:
    """Yield (text as it is, "") and ("", what an escape says), in order."""
    clean: list[str] = []
    before = ""
    marks = 0
    for part in _parts(text.replace("\r\n", "\n")):
        marks = marks + 1 if unicodedata.combining(part[0]) else 0
        said = _escape(part, before, marks)
        before = part[-1]
        if not said:
            clean.append(part)
            continue
        yield "".join(clean), ""
        clean = []
        yield "", said
    yield "".join(clean), ""


def _parts(text: str) -> Iterator[str]:
    """Yield characters, and blank stretches: spaces, tabs and line breaks that alternate are one.

    Each kind by itself may be short, and all of them together push text out of sight.
    """
    start = 0
    for found in _BLANK.finditer(text):
        yield from text[start : found.start()]
        blank = found[0]
        yield from (
            [blank] if blank.count("\n") > _MOST_BREAKS else filter(None, _BREAK.split(blank))
        )
        start = found.end()
    yield from text[start:]


def _escape(part: str, before: str, marks: int) -> str:
    """Return what stands in for a character or a blank stretch, or "" if it may stand as it is."""
    if part[0] in _PLAIN:
        breaks, width = part.count("\n"), len(part.expandtabs(_TAB))
        if breaks > _MOST_BREAKS:
            return f"{breaks} line breaks"
        return f"{width} spaces" if width > _MOST_SPACES else ""
    if marks > _MOST_MARKS or _is_hidden(part, before):
        return f"U+{ord(part):04X}"
    return ""


def _said_in_full(said: str) -> str:
    if not said.startswith("U+"):
        return said
    char = chr(int(said.removeprefix("U+"), base=16))
    return unicodedata.name(char, "character without a name").lower()


def _runs_from_the_right(text: str) -> bool:
    return not text.isascii() and any(
        unicodedata.bidirectional(char) in _FROM_THE_RIGHT for char in text
    )


@register.filter
def visible(text: object) -> SafeString:
    """Escape foreign text, and show what a reader could not see as ⟨U+202E⟩.

    What is written from right to left stands apart: it would take our own numbers and words beside
    it along, and turn "from 1 to 2" round.
    """
    whole = "" if text is None else str(text)
    html: list[SafeString] = []
    for clean, said in _pieces(whole):
        if said:
            html.append(
                format_html('<span class="esc" title="{}">⟨{}⟩</span>', _said_in_full(said), said)
            )
        else:
            html.append(conditional_escape(str(clean)))
    shown = mark_safe("".join(html))  # noqa: S308 - every piece was escaped above
    return format_html("<bdi>{}</bdi>", shown) if _runs_from_the_right(whole) else shown


@register.filter
def visible_text(text: object) -> str:
    """Give the same as `visible` without markup, for attributes, titles and file exports."""
    pieces = _pieces("" if text is None else str(text))
    return "".join(f"⟨{said}⟩" if said else clean for clean, said in pieces)


@register.filter
def hidden_count(text: object) -> int:
    """Count what `visible` would show as an escape."""
    return sum(1 for _, said in _pieces("" if text is None else str(text)) if said)


def _nonce(context: Context) -> str:
    request = getattr(context, "request", None) or context.get("request")
    return str(getattr(request, "csp_nonce", ""))


@register.simple_tag(takes_context=True)
def csp_nonce(context: Context) -> str:
    """Give the nonce of this answer's Content-Security-Policy."""
    return _nonce(context)


@register.simple_tag(takes_context=True)
def hx(context: Context) -> SafeString:
    """Stamp an element that has `hx-` attributes; hx-csp strips them from all others."""
    return format_html('hx-nonce="{}"', _nonce(context))


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Draw one symbol of the sprite; without a label it is decoration."""
    if name not in ICONS:
        raise template.TemplateSyntaxError(f"No icon {name!r}; add it to icons.svg and signs.py.")
    href = f"{static('vendor/icons.svg')}#{name}"
    if label:
        markup = '<svg class="icon" role="img" aria-label="{}"><use href="{}"></use></svg>'
        return format_html(markup, label, href)
    markup = '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}"></use></svg>'
    return format_html(markup, href)


@register.simple_tag
def badge(signal: str, word: str, title: str = "") -> SafeString:
    """Give a signal's shape with its word: colour never stands alone."""
    if signal not in SIGNALS:
        raise template.TemplateSyntaxError(f"No signal {signal!r}; use one of {sorted(SIGNALS)}.")
    hover = format_html(' title="{}"', title) if title else SafeString("")
    shape = icon(SIGNAL_ICONS[signal])
    markup = '<span class="badge" data-signal="{}"{}>{}<span>{}</span></span>'
    return format_html(markup, signal, hover, shape, visible(word))


@register.simple_tag
def state(value: object) -> SafeString:
    """Give the badge of a well-known state word; others are quiet, never coloured by guess."""
    word = str(getattr(value, "value", value))
    signal = STATES.get(word.lower(), "quiet")
    return badge(signal, word.replace("_", " ").capitalize())


@register.simple_tag
def plate(word: str, tone: str = "") -> SafeString:
    """Give an enamel plate: a short word in capitals."""
    if tone not in TONES:
        raise template.TemplateSyntaxError(f"No tone {tone!r}; use one of {sorted(TONES)}.")
    return format_html('<span class="plate" data-tone="{}">{}</span>', tone, visible(word))


@register.simple_tag
def tier(number: int | None) -> SafeString:
    """Give the plate of a tier: 0 reads, 1 writes, 2 is high-stakes."""
    if number is None:
        return plate("Tier ?", "unknown")
    return plate(f"Tier {number}", {0: "", 1: "info", 2: "danger"}.get(number, "unknown"))


@register.filter
def money(usd: Decimal | int | None) -> str:
    """Write US dollars; None is unknown, and an amount above zero never reads as zero."""
    if usd is None:
        return "unknown"
    if isinstance(usd, float):
        raise TypeError("Money is Decimal, never float.")
    amount = Decimal(usd)
    size = abs(amount)
    places = 2 if size >= 1 or not size else max(4, 1 - size.adjusted())
    rounded = size.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return f"{'-' if amount < 0 else ''}${rounded:,f}"


def _now() -> datetime:
    # Of this process: it chooses words such as "4 min ago" and decides nothing.
    return datetime.fromtimestamp(time.time(), tz=UTC)


@register.filter
def span(seconds: float | None) -> str:
    """Write a length of time in its two largest units."""
    if seconds is None:
        return "unknown"
    size = int(abs(seconds))
    if size < _MINUTE:
        return f"{size} s"
    if size < _HOUR:
        return f"{size // _MINUTE} min"
    if size < _DAY:
        hours, rest = divmod(size, _HOUR)
        return f"{hours} h {rest // _MINUTE} min" if rest >= _MINUTE else f"{hours} h"
    days, rest = divmod(size, _DAY)
    return f"{days} d {rest // _HOUR} h" if rest >= _HOUR else f"{days} d"


@register.filter
def ago(at: datetime | None) -> str:
    """Say how long ago, or in how long, something is."""
    if at is None:
        return "never"
    seconds = (_now() - at).total_seconds()
    if abs(seconds) < 1:
        return "now"
    return f"{span(seconds)} ago" if seconds > 0 else f"in {span(seconds)}"


@register.simple_tag(name="time")
def time_tag(at: datetime | None, style: str = "") -> SafeString:
    """Give `<time>`: hours today, with the date otherwise; "full" has seconds and zone."""
    if at is None:
        return SafeString('<span class="muted">never</span>')
    local = timezone.localtime(at)
    exact = at.astimezone(UTC)
    if style == "full":
        text = f"{local:%Y-%m-%d %H:%M:%S} {local.tzname()}"
    elif style == "clock":
        text = f"{local:%H:%M:%S}"
    else:
        text = _short_time(local)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        f"{exact:%Y-%m-%dT%H:%M:%S}Z",
        f"{exact:%Y-%m-%d %H:%M:%S} UTC",
        text,
    )


def _short_time(local: datetime) -> str:
    today = timezone.localtime(_now())
    if local.date() == today.date():
        return f"{local:%H:%M}"
    if local.year == today.year:
        return f"{local.day} {local:%b %H:%M}"
    return f"{local.day} {local:%b %Y %H:%M}"


@register.filter
def short(value: object) -> str:
    """Abbreviate a digest or an id, keeping both ends: ids made together share their start."""
    if value is None:
        return ""
    if isinstance(value, bytes | memoryview):
        text = bytes(value).hex()
    else:
        text = value.hex if isinstance(value, UUID) else str(value)
    return text if len(text) <= _SHORT_ENOUGH else f"{text[:4]}…{text[-4:]}"


@register.filter
def at_index(columns: object, index: int) -> bool:
    """Say whether a column number is in a list; None is an empty list."""
    return isinstance(columns, list | tuple | set | frozenset) and index in columns


@register.filter
def times(count: int) -> range:
    """Let a template repeat something `count` times."""
    return range(max(0, min(int(count), 100)))
