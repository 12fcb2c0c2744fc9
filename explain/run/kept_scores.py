"""The scores that a run kept of a row, as attributions by word: shown at once, without a pass of a method."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from explain.core.settings import setting_values
from explain.datatypes import Attribution, Target, Tokens
from explain.datatypes.encoding import encode
from explain.methods.base import Method
from explain.models.base import TextModel
from explain.run.plan import Plan
from explain.run.results import Results
from explain.run.run_folder import RunFolder
from explain.run.run_plan import column_of
from explain.run.shards import Row

SAME = 1e-4  # of the output: the same text, read in another batch


@dataclass(frozen=True)
class KeptRow:
    """A row of a run, with its scores and what they rest on.

    Attributes:
        run: its folder; name: as the page calls it.
        row: with its texts, words and scores.
    """

    run: RunFolder = field(repr=False)
    name: str
    row: Row = field(repr=False)

    @property
    def created(self) -> str:
        """The moment at which the run began, ISO 8601; "" where nobody wrote it down."""
        return str(self.run.manifest.get("created", ""))

    def covers(self, model: TextModel, text: str, pair: str | None, methods: Sequence[Method]) -> bool:
        """Return whether the run kept the scores of every method for a text, by this model and these settings.

        Sizes that are no part of the answer, such as shares of attention, are not told apart by a row, so they are not
        covered.
        """
        recorded = {part["name"]: part for part in self.run.manifest["plan"]["methods"]}
        return (
            bool(methods)
            and (self.row["text"], self.row["text_pair"] or None) == (text, pair or None)
            and self.run.has_model(model.record)
            and all(
                method.signed
                and recorded.get(method.name) == _about(method)
                and self.row.get(column_of("scores", method.name)) is not None
                for method in methods
            )
        )

    def results(self, results: Results, plan: Plan, model: TextModel) -> Results | None:
        """Return a prediction with the kept scores of a plan's methods; None where the row is about something else.

        Args:
            results: with the forward pass and the target.
        """
        target, tokens = results.target, results.prediction.tokens
        if target is None or (target.label, target.scale) != (self.row["target"], self.row["scale"]):
            return None
        position = target.positions[0] if target.positions else None
        output = float(model.value(results.prediction, target))
        if position != self.row["position"] or abs(output - self.row["output"]) > SAME * max(1.0, abs(output)):
            return None
        words = [tokens.unit_text(unit) for unit in tokens.word_units()]
        if words != self.row["words"]:
            return None
        kept: dict[Any, Any] = {method: self.attribution(method, tokens, target) for method in plan.methods}
        for method in plan.methods:  # of texts that are emptied in turn, a row keeps too little to say what sums miss
            gap, recorded = kept[method].completeness_gap, self.row[column_of("gap", method.name)]
            if (gap is None) != (recorded is None) or abs((gap or 0.0) - (recorded or 0.0)) > SAME:
                return None
        return results.of_plan(plan).over(kept)

    def attribution(self, method: Method, tokens: Tokens, target: Target) -> Attribution:
        """Return the scores by word; what the row keeps of tokens outside words is the score of these together."""
        scores = self.row[column_of("scores", method.name)]
        errors = self.row.get(column_of("errors", method.name)) or [None] * len(scores)
        of_unit = {
            unit: (score, error)
            for unit, score, error in zip(tokens.word_units(), scores, errors, strict=True)
            if score is not None
        }
        inside = {token for unit in tokens.word_units() for token in unit}
        outside = tuple(token for token in range(len(tokens)) if token not in inside)
        if outside and (rest := self.row.get(column_of("rest", method.name))):
            of_unit[outside] = (rest, 0.0)
        units = sorted(of_unit)
        has_errors = self.row.get(column_of("errors", method.name)) is not None
        return Attribution(
            tokens=tokens,
            target=target,
            units=tuple(units),
            scores=np.array([of_unit[unit][0] for unit in units], dtype=np.float64),
            error=np.array([of_unit[unit][1] or 0.0 for unit in units]) if has_errors else None,
            granularity="word",
            scale=target.scale,
            signed=method.signed,
            additive=method.additive,
            method=method.name,
            output=self.row["output"],
            baseline_output=self.row[column_of("baseline", method.name)],
            params=setting_values(method),
            diagnostics={"reference": "the method's reference"},  # a row does not say which it is
        )


def _about(method: Method) -> dict[str, Any]:
    return {"name": method.name, "version": method.version, "settings": encode(setting_values(method))}
