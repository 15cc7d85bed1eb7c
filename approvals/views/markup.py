"""Rows of the lists as HTML: half of what a list costs, and mostly the same a moment later.

When something happens, every open page fetches its list again, and one row of 50 has changed. A row
is a pure function of what it is made from, so it is rendered once for everybody who sees it alike.
"""

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from threading import Lock
from typing import Any, Final

from django.conf import settings
from django.template.loader import get_template
from django.utils import timezone
from django.utils.safestring import SafeString

from console.kernel.templatetags.signalbox import ago

MOST_KEPT: Final = 5000  # rows, of about 1 kB

_kept: "OrderedDict[Hashable, SafeString]" = OrderedDict()
_lock = Lock()


def markup(row: Mapping[str, Any]) -> SafeString:
    """Return what `approvals/row.html` makes of a row."""
    # What the row says of time changes without it: how long is left, and which day is today.
    left = [ago(one["at"]) for one in (row, *row.get("members", ()))]
    key = (_frozen(row), *left, timezone.localdate())
    with _lock:
        found = _kept.get(key)
        if found is not None:
            _kept.move_to_end(key)
            return found
    made = SafeString(get_template("approvals/row.html").render({"row": row}))
    if settings.DEBUG:  # a template that is being written shows at once
        return made
    with _lock:
        _kept[key] = made
        if len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return made


def _frozen(value: object) -> Hashable:
    if isinstance(value, Mapping):
        return tuple((name, _frozen(item)) for name, item in sorted(value.items()))
    if isinstance(value, list | tuple):
        return tuple(map(_frozen, value))
    return value
