"""Confusion matrix: texts by right label and predicted label."""

from typing import Any

from explain.views.base import VIEWS, View, visible
from explain.views.charts import Confusion


class ConfusionMatrix(View):
    """Right labels by predicted labels."""

    name = "confusion_matrix"
    title = "Confusion matrix"
    accepts = Confusion

    def data(self, confusion: Confusion, /, *, sends: bool = False, **options: Any) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            sends: a click on a cell sends {"right": ..., "predicted": ...}, the names of its labels.
        """
        totals = confusion.counts.sum(axis=1)
        return {
            "labels": [visible(label) for label in confusion.labels],
            "names": list(confusion.labels) if sends else [],
            "sends": sends,
            "counts": confusion.counts.tolist(),
            "shares": [
                [round(count / total, 4) if total else 0.0 for count in row]
                for row, total in zip(confusion.counts.tolist(), totals.tolist())
            ],
            "note": (
                "Numbers are texts. The stronger the color, the larger the share of its row; what lies off the "
                "diagonal, in bold, was wrong." + (" A click shows the rows." if sends else "")
            ),
            "caption": f"Confusion matrix of {int(totals.sum()):,} texts",
        }


VIEWS.register("confusion_matrix")(ConfusionMatrix())
