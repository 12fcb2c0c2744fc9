"""Occlusion: the effect of removing each part of the text, one at a time.

    score_u = F(text) - F(text without u)     [unit of F]

A positive score speaks for the target. Words are removed whole, on token ids. Special tokens and the tokens the target
is read from stay. Zeiler and Fergus (2014), https://arxiv.org/abs/1311.2901, section 4.2; for text Li, Monroe and
Jurafsky (2016), https://arxiv.org/abs/1612.08220, equation 1, there relative to F.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from explain.core.meter import Meter
from explain.core.settings import setting
from explain.datatypes import Attribution, Passes, Target, Tokens
from explain.methods.base import METHODS, Item, Method, Stopwatch
from explain.models.base import Row, TextModel
from explain.text.removal import OPERATORS, unchanged
from explain.text.units import Units, units_of


@METHODS.register("occlusion")
@dataclass(frozen=True, kw_only=True)
class Occlusion(Method):
    """Remove each part of the text in turn."""

    name: ClassVar[str] = "occlusion"
    title: ClassVar[str] = "Occlusion"
    meaning: ClassVar[str] = "The effect of removing this word: how far the target falls without it."
    limits: ClassVar[str] = (
        "One part at a time: of two words that say the same, neither seems to matter. What replaces a missing "
        "word decides part of the score."
    )
    signed: ClassVar[bool] = True
    additive: ClassVar[bool] = False
    complete: ClassVar[bool] = False
    batched: ClassVar[bool] = True

    granularity: str = setting(
        "auto",
        choices=("auto", "token", "word", "sentence", "window"),
        help="What is removed at a time: words (auto), and in long texts sentences.",
    )
    operator: str = setting(
        "auto",
        choices=("auto", *OPERATORS),
        help="How words are removed: replaced by the mask token (auto, if there is one), deleted, hidden from "
        "attention ...",
    )
    window: int = setting(3, low=2, high=20, help="The number of words in a sliding window, with granularity 'window'.")
    longest: int = setting(
        150, low=1, high=1000, help="With granularity 'auto', a text of more words is explained by sentence."
    )

    def cost(self, tokens: Tokens) -> int:
        return 1 + len(units_of(tokens, self.granularity_for(tokens), self.window))

    def attribute_batch(
        self, model: TextModel, items: Sequence[Item], meter: Meter | None = None
    ) -> tuple[Attribution, ...]:
        watch = Stopwatch(meter)
        operator = model.operator(self.operator)
        units = [self._units(model, tokens, target) for tokens, target in items]
        rows = [
            [
                Row(tokens, unchanged(tokens), target),
                *(model.removed(tokens, unit, operator, target) for unit in of_text),
            ]
            for (tokens, target), of_text in zip(items, units)
        ]
        scores = model.scores([row for of_text in rows for row in of_text], watch.meter).values
        attributions = []
        for (tokens, target), of_text, own in zip(items, units, rows):
            full, without = scores[0], scores[1 : len(own)]
            scores = scores[len(own) :]
            attributions.append(
                self._result(
                    (tokens, target),
                    of_text,
                    full - without,
                    granularity=self.granularity_for(tokens),
                    output=float(full),
                    watch=watch,
                    passes=Passes(len(own), 0, sum(len(row.variant) for row in own)),  # its share of the batch
                    diagnostics={"operator": operator},
                )
            )
        return tuple(attributions)

    def granularity_for(self, tokens: Tokens) -> str:
        """Return the granularity: "auto" is words, in long texts sentences."""
        if self.granularity != "auto":
            return self.granularity
        return "word" if len(tokens.words) <= self.longest else "sentence"

    def _units(self, model: TextModel, tokens: Tokens, target: Target) -> Units:
        units = units_of(tokens, self.granularity_for(tokens), self.window)
        return model.removable_units(tokens, target, units)
