"""Removal curves: output while words are removed, or added, in each method's order, beside random orders."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from explain.datatypes import QUARTILES, MetricResult, Report
from explain.text.removal import OPERATORS
from explain.views.base import UNITS, VIEWS, View

CURVES = {
    "deletion": ("Words are removed, the highest-scored first", "a good order falls below the band"),
    "insertion": ("Words come back into an empty text, the highest-scored first", "a good order rises above the band"),
}


class RemovalCurves(View):
    """A line for each method, and the band of random orders."""

    name = "removal_curves"
    title = "Removal curves"
    accepts = Report
    rank = 3
    placed = True

    def fits(self, result: Report) -> bool:
        """Whether words were removed."""
        return any(figure.metric in CURVES for figure in result.metrics)

    def data(self, report: Report, /, *, titles: dict[str, str] | None = None, **options: Any) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            titles: of methods, by name.
        """
        charts = []
        names = list(dict.fromkeys(curve.method for curve in report.metrics))
        for metric, (title, good) in CURVES.items():
            curves = [curve for curve in report.metrics if curve.metric == metric and curve.operator is not None]
            for operator in dict.fromkeys(curve.operator or "" for curve in curves):
                alike = [curve for curve in curves if curve.operator == operator]
                drawn = _chart(alike, names, f"{title}. A word that is gone is {OPERATORS[operator]}", titles or {})
                if drawn["share"] and report.prediction.temperature is not None:
                    drawn["unit"] = "probability as the model gives it, before calibration"  # as ERASER's figures are
                charts.append(drawn | {"good": good})
        return {
            "charts": charts,
            "note": (
                f"{_about_band(report.metrics)} Texts with holes are unlike any the model was trained on: compare with "
                "the band, not with zero."
            ),
            "caption": f"Removal curves, {report.model.id}",
        }


def _about_band(figures: Sequence[MetricResult]) -> str:
    """Return what the band of random orders is; the first records held another one."""
    curves = [figure for figure in figures if figure.band is not None and figure.metric in CURVES]
    low, _, high = next((figure.quantiles for figure in curves), QUARTILES)
    orders = next((len(figure.controls) for figure in curves if figure.controls is not None), 0)
    return (
        f"Dashed: the median of {orders} random orders of the same words. Gray: the middle {high - low:.0%} of them "
        f"(quantiles {low:g} to {high:g})."
    )


def _beats(curve: MetricResult) -> str:
    """Return how many random orders a curve beats by its area, in a few words."""
    return "" if curve.percentile is None else f"beats {curve.percentile:.0f}%"


def _chart(curves: list[MetricResult], names: list[str], title: str, titles: dict[str, str]) -> dict[str, Any]:
    band = curves[0].band
    values = np.concatenate([curve.outputs for curve in curves] + ([] if band is None else [band.ravel()]))
    share = curves[0].scale == "probability"
    return {
        "title": title,
        "unit": "probability" if share else UNITS.get(curves[0].scale, curves[0].scale),
        "share": share,
        "low": 0.0 if share else float(min(values.min(), 0.0)),
        "high": 1.0 if share else float(max(values.max(), 0.0)),
        "fractions": np.round(curves[0].fractions, 4).tolist(),
        "lines": [
            {
                "name": titles.get(curve.method, curve.method),
                "style": names.index(curve.method),
                "beats": _beats(curve),
                "values": np.round(curve.outputs, 5).tolist(),
            }
            for curve in curves
        ],
        "band": None if band is None else np.round(band, 5).tolist(),
    }


VIEWS.register("removal_curves")(RemovalCurves())
