"""Line charts: how a training goes, or what a classifier is worth at every threshold."""

from typing import Any

from explain.datatypes import Chart, Charts, Line
from explain.views.base import VIEWS, View, visible

TICKS = 4  # parts of the axis across
FEW = 25  # points that are read out one by one


class LineCharts(View):
    """One chart beside the other, as the width allows."""

    name = "line_charts"
    title = "Line charts"
    accepts = Charts

    def data(self, result: Charts, **options: Any) -> dict[str, Any]:
        charts = [_chart(chart) for chart in result.charts if any(line.points for line in chart.lines)]
        return {"charts": charts, "note": visible(result.note), "caption": visible(result.caption)}


def _chart(chart: Chart) -> dict[str, Any]:
    lines = [line for line in chart.lines if line.points]
    stop = 1.0 if chart.shares else max(across for line in lines for across, _ in line.points) or 1.0
    high = 1.0 if chart.shares else chart.high or max(up for line in lines for _, up in line.points) or 1.0
    return {
        "title": visible(chart.title),
        "across": chart.across,
        "up": chart.up,
        "shares": chart.shares,
        "low": 0.0,
        "high": round(high, 5),
        "ticks": [[tick / TICKS, _number(tick / TICKS * stop, chart)] for tick in range(TICKS + 1)],
        "lines": [_line(line, stop, chart) for line in lines],
    }


def _line(line: Line, stop: float, chart: Chart) -> dict[str, Any]:
    points = [
        [round(across / stop, 5), round(up, 5), f"{_number(across, chart)} {chart.across}"]
        for across, up in line.points
    ]
    found = {"name": visible(line.name), "style": line.style, "points": points}
    if len(points) > FEW:
        found["told"] = f"from {line.points[0][1]:.3g} to {line.points[-1][1]:.3g}"
    return found


def _number(value: float, chart: Chart) -> str:
    return f"{value:.0%}" if chart.shares else f"{value:,.0f}"


VIEWS.register("line_charts")(LineCharts())
