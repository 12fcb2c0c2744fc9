"""Line charts: progress of a training, or a classifier's figures at every threshold."""

import math
from typing import Any

from explain.views.base import VIEWS, View, visible
from explain.views.charts import Chart, Charts, Line

TICKS = 5  # parts of the axis across, at most
FEW = 25  # points that are read out one by one


class LineCharts(View):
    """Charts side by side, as the width allows."""

    name = "line_charts"
    title = "Line charts"
    accepts = Charts

    def data(self, charts: Charts, /, **options: Any) -> dict[str, Any]:
        drawn = [chart for chart in charts.charts if any(line.points for line in chart.lines)]
        steps = [across for chart in drawn if not chart.shares for line in chart.lines for across, _ in line.points]
        records = [_chart(chart, max(steps, default=1.0) or 1.0) for chart in drawn]
        return {"charts": records, "note": visible(charts.note), "caption": visible(charts.caption)}


def _chart(chart: Chart, end: float) -> dict[str, Any]:
    """Return one chart; `end` is the common end of the axes of all charts shown together."""
    lines = [line for line in chart.lines if line.points]
    stop = 1.0 if chart.shares else end
    high = 1.0 if chart.shares else chart.high or max(up for line in lines for _, up in line.points) or 1.0
    return {
        "title": visible(chart.title),
        "across": chart.across,
        "up": chart.up,
        "shares": chart.shares,
        "low": 0.0,
        "high": round(high, 5),
        "ticks": [
            [round(at / stop, 5), _number(at, chart)] for at in _round_values(stop, 0.0 if chart.shares else 1.0)
        ],
        "lines": [_line(line, stop, chart) for line in lines],
    }


def _round_values(stop: float, least: float) -> list[float]:
    """Return ticks from 0 to at most `stop` in steps of 1, 2 or 5 times a power of ten, at least `least`."""
    rough = stop / TICKS
    power = 10.0 ** math.floor(math.log10(rough))
    step = max(least, next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9)))
    return [number * step for number in range(int(stop / step * (1 + 1e-9)) + 1)]


def _line(line: Line, stop: float, chart: Chart) -> dict[str, Any]:
    points = [
        [round(across / stop, 5), round(up, 5), f"{_number(across, chart)} {chart.across}"]
        for across, up in line.points
    ]
    record = {"name": visible(line.name), "style": line.style, "points": points}
    if len(points) > FEW:
        record["told"] = f"from {line.points[0][1]:.3g} to {line.points[-1][1]:.3g}"
    return record


def _number(number: float, chart: Chart) -> str:
    return f"{number:.0%}" if chart.shares else f"{number:,.0f}"


VIEWS.register("line_charts")(LineCharts())
