"""Expected gradients: integrated gradients, averaged over several empty texts.

    score_t = mean over b of sum_d (x_td - b_td) * integral over a in [0, 1] of dF/dx_td at b + a (x - b)    [unit of F]

x are the word embeddings, b those of the empty texts: every piece is the mask token, the padding token, the unknown
token, or zero, whichever the vocabulary has. The scores sum to F(x) - mean of F(b). Erion et al. (2021),
https://arxiv.org/abs/1906.10670, define it as an expectation over a distribution of baselines, and draw b and a at
random from training texts. Here the few empty texts are equally likely, and each integral is as exact as that of
integrated gradients.

Three or four empty texts are not a sample, so the scores have no interval. Recorded instead are the scores of each
(`scores_by_baseline`, `baseline_outputs`) and `disagreement`, the largest half-range of a piece's score over them.
Of two texts that are compared, each is emptied in turn, as for integrated gradients.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from explain.core.errors import SettingError
from explain.core.meter import Meter
from explain.core.settings import setting
from explain.datatypes import Attribution, Target, Tokens
from explain.methods.base import METHODS, Item, PathMethod, Stopwatch
from explain.models.base import BASELINES, TextModel


@METHODS.register("expected_gradients")
@dataclass(frozen=True, kw_only=True)
class ExpectedGradients(PathMethod):
    """Integrated gradients from several empty texts, and how far they disagree."""

    name: ClassVar[str] = "expected_gradients"
    title: ClassVar[str] = "Expected gradients"
    meaning: ClassVar[str] = (
        "How much each word adds to the target between an empty text and this one, averaged over several kinds "
        "of empty text. Scores sum to the difference."
    )
    limits: ClassVar[str] = (
        "Empty texts disagree, and an average hides it: look at the disagreement. Each kind counts equally, "
        "even one that the model gives the label itself."
    )

    baselines: str = setting(
        "all",
        help=f"The empty texts to average over: all that the vocabulary has, or some of {', '.join(BASELINES)}, "
        "with commas.",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self._kinds()  # refuses unknown kinds

    def cost(self, tokens: Tokens) -> int:
        return self.most_passes(tokens) * len(self._kinds() or BASELINES)

    def attribute_batch(
        self, model: TextModel, items: Sequence[Item], meter: Meter | None = None
    ) -> tuple[Attribution, ...]:
        return tuple(self._attribute(model, tokens, target, meter) for tokens, target in items)

    def _attribute(self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None) -> Attribution:
        watch = Stopwatch(meter)
        kinds = self._kinds() or model.baselines()
        by_kind = [self.integrals(model, (tokens, target), kind, watch.meter) for kind in kinds]
        integrals = [integral for of_kind in by_kind for integral in of_kind]
        parts = np.stack([np.sum([integral.parts for integral in of_kind], axis=0) for of_kind in by_kind])  # (B, T)
        starts = np.array([[integral.start for integral in of_kind] for of_kind in by_kind])  # (B, 1 or 2)
        return self._result(
            (tokens, target),
            [(token,) for token in range(len(tokens))],
            parts.mean(axis=0),
            output=float(np.mean([integral.end for integral in integrals])),
            baseline_output=float(starts.mean()),
            emptied_outputs=starts.mean(axis=0).tolist() if starts.shape[1] > 1 else (),
            watch=watch,
            diagnostics={
                "reference": f"the mean of {len(kinds)} empty texts ({', '.join(kinds)})",
                "points": max(integral.about["points"] for integral in integrals),
                "converged": all(integral.converged for integral in integrals),
                "tolerance": float(np.mean([integral.tolerance for integral in integrals])),
                "baseline_outputs": dict(zip(kinds, starts.mean(axis=1).tolist())),
                "scores_by_baseline": dict(zip(kinds, parts.tolist())),
                "disagreement": float(np.ptp(parts, axis=0).max()) / 2,
            },
        )

    def _kinds(self) -> tuple[str, ...]:
        """Return the kinds named, each once; none for "all"."""
        if self.baselines.strip().lower() == "all":
            return ()
        kinds = tuple(dict.fromkeys(part.strip().lower() for part in self.baselines.split(",")))
        if not set(kinds) <= set(BASELINES):
            raise SettingError(
                f"ExpectedGradients: baselines is {self.baselines!r}; expected 'all' or some of "
                f"{', '.join(BASELINES)}, with commas."
            )
        return kinds
