"""Figures for Plotly, made on the server; colours come from the page's tokens when they are drawn.

Amounts travel as decimal text: a float never touches money, and Plotly reads numbers from text.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

import plotly.graph_objects as go

from console.kernel.spans import Span
from costs.cards import DayBar

SERIES_MOST: Final = 5  # the palette tells five apart; the rest is "other"
OTHER: Final = "other"


def spend_per_day(bars: Sequence[DayBar], span: Span) -> dict[str, Any]:
    """Return a bar for each day, stacked by agent, dearest first."""
    by_agent: dict[str, dict[date, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    named = _dearest(bars)
    for bar in bars:
        by_agent[bar.agent if bar.agent in named else OTHER][bar.day] += bar.known_usd
    days = span.days()
    order = [*named, OTHER] if OTHER in by_agent else named
    traces = [
        go.Bar(
            name=agent,
            x=[day.isoformat() for day in days],
            y=[format(by_agent[agent][day], "f") for day in days],
            hovertemplate="%{x}<br>$%{y}<extra>%{fullData.name}</extra>",
        )
        for agent in order
    ]
    layout = {
        "barmode": "stack",
        "showlegend": True,
        "xaxis": {"type": "date", "tickformat": "%d %b", "range": _edges(span)},
        "yaxis": {"type": "linear", "tickprefix": "$", "rangemode": "tozero"},
    }
    return {"data": [trace.to_plotly_json() for trace in traces], "layout": layout}


def _dearest(bars: Sequence[DayBar]) -> list[str]:
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for bar in bars:
        totals[bar.agent] += bar.known_usd
    return sorted(totals, key=lambda agent: (-totals[agent], agent))[:SERIES_MOST]


def _edges(span: Span) -> list[str]:
    """Half a day on either side, so that the first and the last bar are whole."""
    before = span.first - timedelta(days=1)
    return [f"{before.isoformat()} 12:00", f"{span.last.isoformat()} 12:00"]
