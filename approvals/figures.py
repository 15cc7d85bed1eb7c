"""Figures for Plotly, made on the server; their colours come from the page when they are drawn."""

from collections.abc import Sequence
from typing import Any, Final

import plotly.graph_objects as go

from approvals.cards import DayTally

_SERIES: Final = (("approved", "Approved"), ("rejected", "Rejected"), ("expired", "Expired"))


def settled_per_day(days: Sequence[DayTally]) -> dict[str, Any]:
    """Return a bar for each day, stacked by how proposals were settled."""
    traces = [
        go.Bar(
            name=title,
            x=[day.day.isoformat() for day in days],
            y=[getattr(day, name) for day in days],
            hovertemplate="%{x}<br>%{y}<extra>%{fullData.name}</extra>",
        )
        for name, title in _SERIES
    ]
    layout = {
        "barmode": "stack",
        "showlegend": True,
        "xaxis": {"type": "date", "tickformat": "%d %b"},
        "yaxis": {"type": "linear", "rangemode": "tozero", "tickformat": "d"},
    }
    return {"data": [trace.to_plotly_json() for trace in traces], "layout": layout}
