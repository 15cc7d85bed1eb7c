"""Figures for Plotly, made on the server; their colours come from the page when they are drawn."""

from collections.abc import Sequence
from typing import Any, Final

import plotly.graph_objects as go

from approvals.cards import AttentionDay, DayTally, ShadowDay

FEW: Final = 5  # settled on one day; below it Plotly would draw fractions
_WEEK: Final = 7
_DAY_MS: Final = 86_400_000
_SERIES: Final = (("approved", "Approved"), ("rejected", "Rejected"), ("expired", "Expired"))


_ANSWERS: Final = (("held", "Held"), ("released", "Let run"), ("denied", "Denied"))
_VOTES: Final = (
    ("in_time", "Approved"),
    ("too_fast", "Approved too fast"),
    ("rejected", "Rejected"),
)


def settled_per_day(days: Sequence[DayTally]) -> dict[str, Any]:
    """Return a bar for each day, stacked by how proposals were settled."""
    return _stacked(days, _SERIES)


def voted_per_day(days: Sequence[AttentionDay]) -> dict[str, Any]:
    """Return a bar for each day, stacked by how people voted."""
    return _stacked(days, _VOTES)


def shadow_per_day(days: Sequence[ShadowDay]) -> dict[str, Any]:
    """Return a line for each answer: solid as the active rules gave it, dotted as the shadow did.

    `meta.hue` is the place of a colour on the page, so that what is compared shares one.
    """
    traces = [
        go.Scatter(
            name=f"{title}, {whose}",
            mode="lines+markers",
            x=[day.day.isoformat() for day in days],
            y=[getattr(day, f"{prefix}{name}") for day in days],
            line={"dash": dash},
            marker={"symbol": symbol, "size": 8},
            meta={"hue": hue},
            hovertemplate="%{x}<br>%{y}<extra>%{fullData.name}</extra>",
        )
        for hue, (name, title) in enumerate(_ANSWERS)
        for prefix, whose, dash, symbol in (
            ("", "active", "solid", "circle"),
            ("shadow_", "shadow", "dot", "circle-open"),
        )
    ]
    # On few days Plotly would divide a day and write its date twice.
    each = {"dtick": _DAY_MS} if len(days) <= _WEEK else {}
    layout = {
        "showlegend": True,
        "xaxis": {"type": "date", "tickformat": "%d %b", **each},
        "yaxis": {"type": "linear", "rangemode": "tozero", "tickformat": "d"},
    }
    return {"data": [trace.to_plotly_json() for trace in traces], "layout": layout}


def _stacked(days: Sequence[Any], series: Sequence[tuple[str, str]]) -> dict[str, Any]:
    traces = [
        go.Bar(
            name=title,
            x=[day.day.isoformat() for day in days],
            y=[getattr(day, name) for day in days],
            hovertemplate="%{x}<br>%{y}<extra>%{fullData.name}</extra>",
        )
        for name, title in series
    ]
    layout = {
        "barmode": "stack",
        "showlegend": True,
        "xaxis": {"type": "date", "tickformat": "%d %b"},
        "yaxis": {"type": "linear", **_whole(days, series)},
    }
    return {"data": [trace.to_plotly_json() for trace in traces], "layout": layout}


def _whole(days: Sequence[Any], series: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return an axis from zero with whole numbers alone, however few there are."""
    most = max((sum(getattr(day, name) for name, _ in series) for day in days), default=0)
    if most >= FEW:
        return {"rangemode": "tozero", "tickformat": "d"}
    return {"range": [0, FEW], "dtick": 1}
