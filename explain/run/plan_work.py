"""A plan for one text, computed for each text of a data set: work for `explain.run.shards.run_shards`."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from explain.core.errors import ExplainError
from explain.core.settings import setting_values
from explain.datatypes.encoding import encode
from explain.models.base import TextModel
from explain.run import engine
from explain.run.plan import Plan, TextItem
from explain.run.shards import Row

# The columns of a row, for a store that types them.
COLUMNS: Mapping[str, type] = {
    "id": str,
    "text": str,
    "text_pair": str,
    "label": str,
    "output": float,
    "error": str,
    "target": dict,
    "prediction": dict,
    "answers": dict,
}


@dataclass(frozen=True)
class RowText:
    """A text of a data set.

    Attributes:
        id: names its row.
    """

    id: str
    item: TextItem


def rows_of_plan(model: TextModel, text: RowText, plan: Plan) -> list[Row]:
    """Compute a plan for a text of a data set.

    Args:
        plan: what is computed; its own text is not.

    Returns:
        One row: "id", "text", "text_pair", the target's "label" and its value "output" (in the target's unit),
        "target", "prediction", and "answers", a list of each analysis, its settings, version and result. Of a text that
        can't be explained: "id", "text", "text_pair" and "error".
    """
    row: Row = {"id": text.id, "text": text.item.text, "text_pair": text.item.text_pair}
    try:
        results = engine.results(replace(plan, item=text.item), model)
    except ExplainError as error:
        return [row | {"error": str(error)}]
    target, prediction = results.decided_target, results.prediction
    answers = [
        {
            "analysis": analysis.name,
            "version": analysis.version,
            "settings": encode(setting_values(analysis)),
            "result": _without_times(encode(results.required(analysis))),
        }
        for analysis in plan.analyses
    ]
    return [
        row
        | {
            "label": target.label,
            "output": float(model.value(prediction, target)),
            "target": encode(target),
            "prediction": encode(prediction),
            "answers": answers,
        }
    ]


def _without_times(result: Any) -> Any:
    """Return a result without the seconds it took, which differ between two runs of the same work."""
    return {name: part for name, part in result.items() if name != "seconds"} if isinstance(result, dict) else result
