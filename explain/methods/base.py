"""Attribution methods: frozen dataclasses whose fields are their settings.

A new method is one file in this package:

    @METHODS.register("my_method")
    @dataclass(frozen=True, kw_only=True)
    class MyMethod(Method):
        name: ClassVar[str] = "my_method"
        ...
        steps: int = setting(64, low=8, high=512, help="Points on the path.")

        def cost(self, tokens): ...
        def attribute_batch(self, model, items, meter): ...

Widgets, flags, cache keys, report entries, the method's card and its contract tests follow from that.
"""

import time
from abc import abstractmethod
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

from explain.core.errors import SettingError
from explain.core.meter import Meter
from explain.core.registry import Registry
from explain.core.settings import setting, setting_values
from explain.datatypes import AttentionMaps, Attribution, FloatArray, Passes, Prediction, Target, Tokens
from explain.models.analysis import ExplainedText, TextAnalysis
from explain.models.base import TextModel
from explain.models.cached_model import CachedModel
from explain.models.chunks import balanced_with_maps, chunks_by_length
from explain.models.straight_path import StraightPath
from explain.numerics.quadrature import PathIntegral, fixed, refined
from explain.text.removal import emptied_together

METHODS: Registry[type["Method"]] = Registry("method", "explain.methods")

Item = tuple[Tokens, Target]

EMPTIED = setting(
    "auto",
    choices=("auto", "together", "in_turn"),
    help="Of two texts: both are emptied together, or each in turn while the other stays whole (auto: in turn where "
    "the texts are compared, since two empty texts are alike).",
)


@dataclass(frozen=True, kw_only=True)
class Method(TextAnalysis[Attribution]):
    """Base of all methods: an analysis whose result is an attribution.

    Class attributes:
        name, title: the name in the registry, and on screen.
        meaning: one line: what a score of this method says.
        limits: one or two lines: what a score does not say.
        signed: scores below zero mean "against the target".
        additive: scores of a word's pieces may be added up.
        complete: scores sum to F(text) - F(baseline), up to the gap that is reported.
        version: raised when the arithmetic changes; part of keys and records.
        requires: the capabilities that a model must have, see `explain.models.base.CAPABILITIES`.
        batched: `attribute_batch` runs several texts at once; else it runs them in turn.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    meaning: ClassVar[str]
    limits: ClassVar[str]
    signed: ClassVar[bool]
    additive: ClassVar[bool]
    complete: ClassVar[bool]
    returns: ClassVar[type] = Attribution
    batched: ClassVar[bool] = False

    @abstractmethod
    def cost(self, tokens: Tokens) -> int:
        """Return the most passes that a text may take; a backward pass counts as one forward."""

    @abstractmethod
    def attribute_batch(
        self, model: TextModel, items: Sequence[Item], meter: Meter | None = None
    ) -> tuple[Attribution, ...]:
        """Attribute several texts, batched over texts where that is possible."""

    def predict_each(
        self, model: TextModel, texts: Sequence[Tokens], target_of: Callable[[Prediction], Target]
    ) -> list[Prediction] | None:
        """Predict texts by the pass that explains them afterwards; None where the method has no such pass.

        Args:
            model: one that caches, so that the pass is there when the texts are explained.
            target_of: returns the target that will be explained.
        """
        return None

    def arithmetic(self, tokens: Tokens) -> int:
        """Return the steps of slow arithmetic outside the model, which count as progress but not as passes."""
        return 0

    def passes(self, model: TextModel, subject: ExplainedText) -> int:
        return self.cost(subject.tokens) + self.arithmetic(subject.tokens)

    def run(self, model: TextModel, subject: ExplainedText, meter: Meter | None = None) -> Attribution:
        return self.attribute(model, subject.tokens, subject.target, meter)

    def attribute(self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None = None) -> Attribution:
        """Attribute one text."""
        return self.attribute_batch(model, [(tokens, target)], meter)[0]

    def _result(
        self,
        item: Item,
        units: Sequence[Sequence[int]],
        scores: Any,
        *,
        output: float,
        error: Any = None,
        watch: "Stopwatch",
        passes: Passes | None = None,
        granularity: str = "token",
        scale: str | None = None,
        baseline_output: float | None = None,
        emptied_outputs: Sequence[float] = (),
        diagnostics: dict[str, Any] | None = None,
    ) -> Attribution:
        """Build the attribution; the baseline's output is the mean of `emptied_outputs`, if there are any."""
        tokens, target = item
        return Attribution(
            tokens=tokens,
            target=target,
            units=tuple(tuple(unit) for unit in units),
            scores=scores,
            error=error,
            granularity=granularity,
            scale=scale or target.scale,
            signed=self.signed,
            additive=self.additive,
            method=self.name,
            output=output,
            baseline_output=float(np.mean(emptied_outputs)) if emptied_outputs else baseline_output,
            emptied_outputs=tuple(emptied_outputs),
            params=setting_values(self),
            passes=passes or watch.meter.spent,
            seconds=watch.seconds,
            diagnostics=diagnostics or {},
        )


@dataclass(frozen=True, kw_only=True)
class GradientMethod(Method):
    """A method whose scores follow from the gradient at the text: one forward and one backward pass."""

    complete: ClassVar[bool] = False
    requires: ClassVar[frozenset[str]] = frozenset({"gradients"})
    batched: ClassVar[bool] = True

    @abstractmethod
    def scored(self, points: Tensor, gradients: Tensor) -> Tensor:
        """Return scores (T,) from word embeddings (T, D) and the target's gradient (T, D), in double precision."""

    def cost(self, tokens: Tokens) -> int:
        return 2

    def attribute_batch(
        self, model: TextModel, items: Sequence[Item], meter: Meter | None = None
    ) -> tuple[Attribution, ...]:
        attributions: dict[int, Attribution] = {}
        for chunk in chunks_by_length([len(tokens) for tokens, _ in items]):
            watch = Stopwatch(meter)
            batch = [items[number] for number in chunk]
            for number, item, gradient in zip(chunk, batch, model.gradients_each(batch, watch.meter)):
                length = len(item[0])
                attributions[number] = self._result(
                    item,
                    [(token,) for token in range(length)],
                    self.scored(gradient.points.double(), gradient.gradient.double()).numpy(),
                    output=gradient.output,
                    watch=watch,
                    passes=Passes(1, 1, length),  # its share of the batch
                )
        return tuple(attributions[number] for number in range(len(items)))

    def predict_each(
        self, model: TextModel, texts: Sequence[Tokens], target_of: Callable[[Prediction], Target]
    ) -> list[Prediction]:
        return [prediction for prediction, _, _ in model.predict_with_gradients(texts, target_of)]


@dataclass(frozen=True, kw_only=True)
class PathMethod(Method):
    """A method that integrates the gradient on the straight path from an empty text to this one."""

    signed: ClassVar[bool] = True
    additive: ClassVar[bool] = True
    complete: ClassVar[bool] = True
    requires: ClassVar[frozenset[str]] = frozenset({"gradients"})

    steps: int | None = setting(
        None, low=2, high=1000, help="A fixed number of Gauss-Legendre points. Empty: as many as the accuracy needs."
    )
    tolerance: float = setting(
        0.001, low=1e-5, high=0.1, help="The largest gap allowed, as a share of the difference that the scores sum to."
    )
    max_points: int = setting(
        129, choices=(33, 65, 129, 257, 513), help="Stop refining at this many points, and report it."
    )
    emptied: str = EMPTIED

    def most_passes(self, tokens: Tokens) -> int:
        """Return the most passes that the integrals of one kind of empty text take."""
        return self.passes_of_a_path() * len(emptied_together(tokens, self.emptied))

    def passes_of_a_path(self) -> int:
        """Return the most passes that one integral takes."""
        return 2 * self.max_points if self.steps is None else 2 * self.steps + 2

    def integrals(
        self, model: TextModel, item: Item, kind: str, meter: Meter | None = None
    ) -> tuple[PathIntegral, ...]:
        """Integrate from the empty text of a kind, see `TextModel.baseline`, or from each of two texts emptied in turn.

        Returns:
            Integrals with parts (T,) in the unit of the target, which are zero outside the text that was emptied.

        Raises:
            SettingError: the vocabulary has no such token.
        """
        starts = [model.baseline(*item, kind, tokens) for tokens in emptied_together(item[0], self.emptied)]
        return tuple(self.integral(StraightPath(model, *item, start, meter)) for start in starts)

    def integral(self, path: StraightPath) -> PathIntegral:
        """Integrate along one path."""
        if self.steps is None:
            return refined(path.gradients, self.tolerance, self.max_points)
        return fixed(path.gradients, path.ends(), self.tolerance, self.steps)


@dataclass(frozen=True, kw_only=True)
class AttentionMethod(Method):
    """A method that combines a weight for each pair of tokens in each layer.

    Subclasses compute the weights of each layer, and combine them from the input to the rows the head reads.

    Class attributes:
        reads: the pass that `maps` makes, which is made for several texts at once: "observe" (`TextModel.observe`),
            "trace" or "gradients" (of `model.attention`); empty for another, made for each text.
    """

    batched: ClassVar[bool] = True
    reads: ClassVar[str] = ""

    @abstractmethod
    def maps(self, model: TextModel, item: Item, meter: Meter | None = None) -> tuple[AttentionMaps, float]:
        """Return the weights of every layer, (L, 1, T, T), and the target's value."""

    @abstractmethod
    def combine(self, maps: AttentionMaps, rows: FloatArray, meter: Meter | None = None) -> FloatArray:
        """Return the share of each input token in the rows the head reads.

        Args:
            rows (T,): the head's weights of the last layer's rows; they sum to 1.

        Returns:
            (T,): in the unit of `scores`, see `_scored`.
        """

    def cost(self, tokens: Tokens) -> int:
        return 1

    def attribute_batch(
        self, model: TextModel, items: Sequence[Item], meter: Meter | None = None
    ) -> tuple[Attribution, ...]:
        model.require(self.requires)
        attributions: dict[int, Attribution] = {}
        for chunk in chunks_by_length([len(tokens) for tokens, _ in items], balanced_with_maps):
            working = self._read_together(model, [items[number] for number in chunk])
            for number in chunk:
                watch = Stopwatch(meter)
                maps, output = self.maps(working, items[number], watch.meter)
                attributions[number] = self.attribution(working, items[number], maps, output, watch)
        return tuple(attributions[number] for number in range(len(items)))

    def _read_together(self, model: TextModel, items: Sequence[Item]) -> TextModel:
        """Return a model that holds the pass of each text, which it counts as soon as the text needs it."""
        if len(items) == 1 or not self.reads:
            return model
        working = model if isinstance(model, CachedModel) and model.count_all else CachedModel(model, count_all=True)
        if self.reads == "gradients":
            working.attention.gradients_each(items)
        else:
            _predicted(working, self.reads, [tokens for tokens, _ in items])
        return working

    def predict_each(
        self, model: TextModel, texts: Sequence[Tokens], target_of: Callable[[Prediction], Target]
    ) -> list[Prediction] | None:
        return _predicted(model, self.reads, texts) if self.reads in ("observe", "trace") else None

    def attribution(
        self, model: TextModel, item: Item, maps: AttentionMaps, output: float, watch: "Stopwatch"
    ) -> Attribution:
        """Return the attribution that follows from weights computed before."""
        combined = self.combine(maps, model.rows_read(*item), watch.meter)
        units, scores, scale, diagnostics = self._scored(item[0], combined)
        return self._result(
            item,
            [(unit,) for unit in units],
            scores,
            scale=scale,
            output=output,
            watch=watch,
            diagnostics=diagnostics,
        )

    def _scored(
        self, tokens: Tokens, combined: FloatArray
    ) -> tuple[Sequence[int], FloatArray, str | None, dict[str, Any]]:
        """Return units, their scores, the scale (None: the target's) and diagnostics."""
        return range(len(tokens)), combined, None, {}


def _predicted(model: TextModel, reads: str, texts: Sequence[Tokens]) -> list[Prediction]:
    """Return the prediction of each text, by the pass of that name."""
    if reads == "observe":
        return [observation.prediction for observation in model.observe_each(texts)]
    return [trace.prediction for trace in model.attention.trace_each(texts)]


@dataclass(frozen=True, kw_only=True)
class ShareMethod(AttentionMethod):
    """An `AttentionMethod` whose scores are shares of the sum of its combined weights."""

    signed: ClassVar[bool] = False
    additive: ClassVar[bool] = True
    complete: ClassVar[bool] = False

    special_tokens: str = setting(
        "set_aside",
        choices=("set_aside", "keep"),
        help="[CLS] and [SEP] get most of it. Set them aside and rescale the rest to sum to 1, or keep them.",
    )

    def _scored(
        self, tokens: Tokens, combined: FloatArray
    ) -> tuple[Sequence[int], FloatArray, str | None, dict[str, Any]]:
        total = float(combined.sum())
        on_special = float(combined[tokens.special].sum()) / total if total > 0 else 0.0
        units = tokens.ordinary if self.special_tokens == "set_aside" else np.arange(len(tokens))
        rest = combined[units].sum()
        shares = combined[units] / rest if rest > 0 else np.zeros(len(units))
        return units.tolist(), shares, "share", {"share_on_special_tokens": on_special}


def chosen_heads(text: str, count: int) -> list[int] | None:
    """Return head numbers from a setting such as "0,3,11"; None for "all".

    Raises:
        SettingError: no numbers, or none of the model's.
    """
    if text.strip().lower() == "all":
        return None
    try:
        heads = sorted({int(part) for part in text.split(",")})
    except ValueError:
        heads = [-1]
    if not heads or heads[0] < 0 or heads[-1] >= count:
        raise SettingError(f"heads is {text!r}; expected 'all' or numbers from 0 to {count - 1}, with commas.")
    return heads


HEADS = setting("all", help="The heads to average: all, or numbers from 0 such as 0,3,11.")


class Stopwatch:
    """Time and passes of one attribution; its meter forwards everything to the meter of the whole job."""

    def __init__(self, meter: Meter | None) -> None:
        self.meter = _Relay(meter)
        self._began = time.perf_counter()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._began


class _Relay(Meter):
    def __init__(self, above: Meter | None) -> None:
        super().__init__()
        self._above = above

    def tick(self, *, forward: int = 0, backward: int = 0, positions: int = 0, steps: int = 0) -> None:
        super().tick(forward=forward, backward=backward, positions=positions, steps=steps)
        if self._above is not None:
            self._above.tick(forward=forward, backward=backward, positions=positions, steps=steps)

    def publish(self, name: Hashable, part: Any) -> None:
        if self._above is not None:
            self._above.publish(name, part)
