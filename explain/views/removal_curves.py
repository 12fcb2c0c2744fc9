"""Removal curves: the output while words go, or come back, in each method's order, beside random orders."""

from typing import Any

import numpy as np

from explain.datatypes import MetricResult, Report
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

    def data(self, result: Report, *, titles: dict[str, str] | None = None, **options: Any) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            titles: of methods, by name.
        """
        charts = []
        names = list(dict.fromkeys(one.method for one in result.metrics))
        for metric, (title, good) in CURVES.items():
            results = [one for one in result.metrics if one.metric == metric and one.operator is not None]
            for operator in dict.fromkeys(one.operator or "" for one in results):
                alike = [one for one in results if one.operator == operator]
                drawn = _chart(alike, names, f"{title}. A word that is gone is {OPERATORS[operator]}", titles or {})
                if drawn["share"] and result.prediction.temperature is not None:
                    drawn["unit"] = "probability as the model gives it, before calibration"  # as ERASER's figures are
                charts.append(drawn | {"good": good})
        return {
            "charts": charts,
            "note": (
                "Gray: nine in ten random orders of the same words, dashed their median. Texts with holes are unlike "
                "any the model was trained on: compare with the band, not with zero."
            ),
            "caption": f"Removal curves, {result.model.id}",
        }


def _chart(results: list[MetricResult], names: list[str], title: str, titles: dict[str, str]) -> dict[str, Any]:
    band = results[0].band
    values = np.concatenate([one.outputs for one in results] + ([] if band is None else [band.ravel()]))
    share = results[0].scale == "probability"
    return {
        "title": title,
        "unit": "probability" if share else UNITS.get(results[0].scale, results[0].scale),
        "share": share,
        "low": 0.0 if share else float(min(values.min(), 0.0)),
        "high": 1.0 if share else float(max(values.max(), 0.0)),
        "fractions": np.round(results[0].fractions, 4).tolist(),
        "lines": [
            {
                "name": titles.get(one.method, one.method),
                "style": names.index(one.method),
                "values": np.round(one.outputs, 5).tolist(),
            }
            for one in results
        ],
        "band": None if band is None else np.round(band, 5).tolist(),
    }


VIEWS.register("removal_curves")(RemovalCurves())
