"""Figures for Plotly, made on the server; their colours come from the page when they are drawn."""

from collections.abc import Sequence
from typing import Any, Final

import plotly.graph_objects as go

from approvals.cards import AttentionDay, DayTally

FEW: Final = 5  # settled on one day; below it Plotly would draw fractions
_SERIES: Final = (("approved", "Approved"), ("rejected", "Rejected"), ("expired", "Expired"))


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
