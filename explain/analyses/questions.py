"""What can be asked of a model about one text, besides attributions: each a frozen dataclass that answers itself.

A question is its own key: answers are remembered by weights, text, target and question, as attributions are.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from explain.core.errors import Cancelled, DataError, SettingError, TextError
from explain.core.meter import Meter
from explain.core.settings import check_settings, setting, setting_values
from explain.datatypes import (
    AttentionMaps,
    AttentionVectors,
    Attribution,
    Cut,
    CutEffects,
    HeadEffects,
    LayerReadings,
    LayerStates,
    ModelRecord,
    Neuron,
    NeuronActivity,
    NeuronEffects,
    NeuronWords,
    PairInteractions,
    SimilarityMatrix,
    Target,
    Tokens,
)
from explain.methods.base import AttentionMethod, Stopwatch
from explain.methods.coalitions import CoalitionSettings
from explain.models.base import BASELINES, TextModel, read_row
from explain.models.straight_path import StraightPath
from explain.numerics.coalitions import interaction_shares, pair_interactions
from explain.numerics.heads import head_figures
from explain.numerics.neurons import neurons_alike, random_neurons
from explain.numerics.quadrature import agree, allowed_gap, nested, two_levels
from explain.numerics.statistics import spearman
from explain.text.units import Units, few_units, units_of

KEPT_SETS = 2  # that were stopped, to go on with
SHOW_SECONDS = 0.5  # between two looks at what was found so far
_WORDS = 5  # of a vocabulary, listed for each layer
_WORDS_OF_TWO = 64  # of two texts together, that are compared word by word


class Question(ABC):
    """Something to find out about one text and target, or with `of_text` false about the model alone."""

    of_text: ClassVar[bool] = True

    @abstractmethod
    def cost(self, model: TextModel, tokens: Tokens) -> int:
        """Most passes, and steps that take as long, that the answer takes."""

    @abstractmethod
    def answer(self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None = None) -> Any:
        """Find it out."""


@dataclass(frozen=True)
class StepWeights(Question):
    """What one of the rollout family gives each layer's steps, and what follows for the input tokens."""

    method: AttentionMethod

    def cost(self, model: TextModel, tokens: Tokens) -> int:
        return self.method.cost(tokens) + self.method.arithmetic(tokens)

    def answer(
        self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None = None
    ) -> tuple[AttentionMaps, Attribution]:
        model.require(self.method.requires)
        watch = Stopwatch(meter)
        maps, output = self.method.maps(model, (tokens, target), watch.meter)
        return maps, self.method.attribution(model, (tokens, target), maps, output, watch)


@dataclass(frozen=True)
class HeadFigures(Question):
    """Figures that tell heads apart: by name (L, H). No pass beyond the one that predicts."""

    def cost(self, model: TextModel, tokens: Tokens) -> int:
        return 0

    def answer(
        self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None = None
    ) -> dict[str, np.ndarray]:
        weights = model.observe(tokens, meter).maps.weights
        return head_figures(weights, tokens.special, tokens.word_of)


@dataclass(frozen=True)
class QueriesAndKeys(Question):
    """What attention weights are made of: one forward pass."""

    def cost(self, model: TextModel, tokens: Tokens) -> int:
        return 1

    def answer(self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None = None) -> AttentionVectors:
        trace = model.trace(tokens, meter)
        return AttentionVectors(tokens, trace.queries.numpy(), trace.keys.numpy())


@dataclass(frozen=True)
class HeadAblation(Question):
    """What removing each head does to the target: one forward pass for each head."""

    def cost(self, model: TextModel, tokens: Tokens) -> int:
        return model.layers * model.heads + 1

    def answer(self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None = None) -> HeadEffects:
        figures = head_figures(model.observe(tokens, meter).maps.weights, tokens.special, tokens.word_of)
        cuts = [(Cut(layer, head),) for layer in range(model.layers) for head in range(model.heads)]
        scores = model.cut_scores(tokens, target, [(), *cuts], meter)
        shape = (model.layers, model.heads)
        effects = (scores.values[0] - scores.values[1:]).reshape(shape)
        return HeadEffects(
            tokens=tokens,
            target=target,
            effects=effects,
            flips=(scores.decisions[1:] != scores.decisions[0]).reshape(shape),
            figures=figures,
            agreement={name: spearman(np.abs(effects), values) for name, values in figures.items()},
            output=float(scores.values[0]),
        )


@dataclass(frozen=True)
class AttentionKnockout(Question):
    """What some sets of cuts do to the target: one forward pass each."""

    cuts: tuple[tuple[Cut, ...], ...]

    def cost(self, model: TextModel, tokens: Tokens) -> int:
        return len(self.cuts) + 1

    def answer(self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None = None) -> CutEffects:
        scores = model.cut_scores(tokens, target, [(), *self.cuts], meter)
        return CutEffects(
            target, self.cuts, scores.values[1:], scores.decisions[1:] != scores.decisions[0], float(scores.values[0])
        )


@dataclass(frozen=True)
class LogitLens(Question):
    """What the head would say after each layer, and how token states change: one forward pass."""

    def cost(self, model: TextModel, tokens: Tokens) -> int:
        return 1

    def answer(self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None = None) -> LayerReadings:
        model.require({"trace"})
        trace = model.trace(tokens, meter)
        with torch.inference_mode():
            states = torch.nn.functional.normalize(trace.states, dim=-1)  # (L + 1, T, D)
            to_input = (states * states[0]).sum(dim=-1)
            others = max(1, len(tokens) - 1)
            to_others = (states @ states.sum(dim=1, keepdim=True).transpose(1, 2)).squeeze(-1) - 1
            read = _reading(model, trace.states, tokens, target) if "head_on_states" in model.capabilities else {}
        return LayerReadings(
            tokens=tokens,
            target=target,
            labels=read.pop("labels", model.head.labels),
            to_input=to_input.numpy(),
            to_others=(to_others / others).numpy() if len(tokens) > 1 else np.ones(to_others.shape),
            row=read_row(target),
            **read,
        )


@dataclass(frozen=True)
class HiddenStates(Question):
    """How large states and gradients are at every layer, and how a token's state changes: a forward, a backward pass.

    The similarity of a token's states is the "intra-token" side of Ethayarajh (2019),
    https://arxiv.org/abs/1909.00512; state x gradient is the layer version of gradient x input (captum's
    LayerGradientXActivation).
    """

    def cost(self, model: TextModel, tokens: Tokens) -> int:
        return 2

    def answer(self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None = None) -> LayerStates:
        found = model.inside(tokens, target, meter)
        states, gradients = found.states.double(), found.state_gradients.double()  # (L + 1, T, D)
        directions = torch.nn.functional.normalize(states, dim=-1)
        return LayerStates(
            tokens=tokens,
            target=target,
            norms=states.norm(dim=-1).numpy(),
            gradient_norms=gradients.norm(dim=-1).numpy(),
            products=(states * gradients).sum(dim=-1).numpy(),
            similarity=torch.einsum("ltd,mtd->tlm", directions, directions).numpy(),
            output=found.value,
        )


@dataclass(frozen=True)
class NeuronActivations(Question):
    """What every neuron gives at every token, and the target's gradient there: a forward and a backward pass."""

    def cost(self, model: TextModel, tokens: Tokens) -> int:
        return 2

    def answer(self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None = None) -> NeuronActivity:
        found = model.inside(tokens, target, meter)
        return NeuronActivity(tokens, target, found.neurons.numpy(), found.neuron_gradients.numpy(), found.value)


@dataclass(frozen=True)
class NeuronAblation(Question):
    """What setting some neurons to zero does to the target, each alone and all at once, beside random others.

    Attributes:
        neurons: which; with a token, at that one only, and all at the same.
        draws: of as many others of the same layers, of each kind (see `NeuronEffects.controls`); seed: theirs.
    """

    neurons: tuple[Neuron, ...]
    draws: int = 20
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "neurons", tuple(dict.fromkeys(self.neurons)))
        if not self.neurons:
            raise SettingError("Name the neurons that are to be set to zero, such as 2.107.")
        if len({one.token for one in self.neurons}) > 1:
            raise SettingError("Name neurons that are to be set to zero at one token, or all at every token.")

    def cost(self, model: TextModel, tokens: Tokens) -> int:
        return len(self.neurons) + 2 + 2 * self.draws + 2

    def answer(self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None = None) -> NeuronEffects:
        """Find it out.

        Raises:
            SettingError: the model has no such neuron, or the text no such token.
        """
        found = model.inside(tokens, target, meter)
        self._check(*found.neurons.shape)
        token = self.neurons[0].token
        sizes = found.neurons.abs().mean(dim=1) if token is None else found.neurons[:, token].abs()
        controls = self._controls(sizes.double().numpy())
        alone = [(one,) for one in self.neurons]
        sets = [(), *alone, self.neurons, *(drawn for draws in controls.values() for drawn in draws)]
        scores = model.silenced_scores(tokens, target, sets, meter)
        effects, flips = scores.values[0] - scores.values[1:], scores.decisions[1:] != scores.decisions[0]
        count = len(self.neurons)
        ends = np.cumsum([count + 1, *map(len, controls.values())])
        products = found.neurons * found.neuron_gradients
        silent = torch.zeros_like(products, dtype=torch.bool)
        for one in self.neurons:
            silent[_place(one)] = True
        return NeuronEffects(
            target=target,
            neurons=self.neurons,
            effects=effects[:count],
            flips=flips[:count],
            forecasts=np.array([float(products[_place(one)].sum()) for one in self.neurons]),
            together=float(effects[count]),
            together_flips=bool(flips[count]),
            together_forecast=float(products[silent].sum()),
            controls={name: effects[start:stop] for name, start, stop in zip(controls, ends, ends[1:])},
            output=float(scores.values[0]),
        )

    def _check(self, layers: int, tokens: int, numbers: int) -> None:
        for one in self.neurons:
            inside = (
                0 <= one.layer < layers
                and (one.number is None or 0 <= one.number < numbers)
                and (one.token is None or 0 <= one.token < tokens)
            )
            if not inside:
                raise SettingError(
                    f"There is no neuron {one}: the model has layers 0 to {layers - 1}, each with neurons 0 to "
                    f"{numbers - 1}, and the text tokens 0 to {tokens - 1}."
                )

    def _controls(self, sizes: np.ndarray) -> dict[str, list[tuple[Neuron, ...]]]:
        """Sets of other neurons, by how they are drawn; sizes (L, F) say how active each is."""
        numbered = [(one.layer, one.number) for one in self.neurons if one.number is not None]
        if not self.draws or len(numbered) < len(self.neurons):
            return {}  # a whole layer has no others
        token = self.neurons[0].token
        drawn = {
            "random": random_neurons(numbered, sizes.shape[1], self.draws, self.seed),
            "as active": neurons_alike(numbered, sizes, self.draws, self.seed),
        }
        return {
            name: [tuple(Neuron(*place, token) for place in places) for places in sets]
            for name, sets in drawn.items()
            if sets
        }


@dataclass(frozen=True)
class MaxActivations(Question):
    """Where in a set of texts each neuron gives most: a forward pass for each text.

    Of models that read two texts, a line holds both, with a tab between. A set that was stopped goes on where it was.

    Attributes:
        lines: the texts; numbers: where each stands in the set, by default one after the other from 1.
        top: places that are kept of each neuron.
    """

    of_text: ClassVar[bool] = False

    lines: tuple[str, ...]
    numbers: tuple[int, ...] = ()
    top: int = 10

    def __post_init__(self) -> None:
        object.__setattr__(self, "numbers", tuple(self.numbers) or tuple(range(1, len(self.lines) + 1)))
        if self.top < 1 or len(self.numbers) != len(self.lines):
            raise SettingError("Keep at least one place of each neuron, and give a number for each text, or none.")

    def cost(self, model: TextModel, tokens: Tokens) -> int:
        return len(self.lines)

    def answer(self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None = None) -> NeuronWords:
        """Find it out.

        Raises:
            DataError: the model can read none of the lines, or needs two texts where a line has one.
        """
        model.require({"neurons"})
        key = (model.record, self)
        highest = _SO_FAR.pop(key, None) or _Highest(model, *self._read(model, meter), self.top)
        left = highest.left
        shown = time.monotonic()

        def see(chunk: Sequence[int], layer: int, neurons: Tensor) -> None:
            nonlocal shown
            highest.see([left[number] for number in chunk], layer, neurons)
            last = layer == model.layers - 1  # of these texts: only then every layer has seen the same
            if meter is not None and last and highest.left and time.monotonic() - shown >= SHOW_SECONDS:
                meter.publish(self, self._found(highest))
                shown = time.monotonic()

        try:
            model.watch_neurons([highest.texts[number] for number in left], see, meter)
        except Cancelled:  # after a chunk that all layers have seen
            _SO_FAR[key] = highest
            while len(_SO_FAR) > KEPT_SETS:
                _SO_FAR.pop(next(iter(_SO_FAR)), None)
            raise
        return self._found(highest)

    def _found(self, highest: "_Highest") -> NeuronWords:
        return highest.found(len(self.lines) - len(highest.texts))

    def _read(self, model: TextModel, meter: Meter | None) -> tuple[list[Tokens], list[int], int]:
        """The texts that can be read, where in the set they stand, and how many are read in part."""
        found, numbers, reasons, partly = [], [], [], 0
        for number, line in zip(self.numbers, self.lines):
            if meter is not None:
                meter.tick()  # cutting long texts into pieces takes a while, and may be stopped
            texts = line.split("\t", 1) if model.pair == "always" else [line]
            if model.pair == "always" and len(texts) < 2:
                raise DataError(
                    f"Text {number} of the set is one text; {model.name} reads two. Put a tab between the "
                    f"{' and the '.join(name.lower() for name in model.texts)} in each line."
                )
            try:
                windows = model.windows(*texts)
            except TextError as error:
                reasons.append(str(error))
                continue
            found.append(windows[0])
            numbers.append(number)
            partly += len(windows) > 1 or windows[0].truncated
        if not found:
            raise DataError(f"No text of the set can be read. {reasons[0] if reasons else 'It is empty.'}")
        return found, numbers, partly


_SO_FAR: "dict[tuple[ModelRecord, MaxActivations], _Highest]" = {}  # sets that were stopped while they were read


class _Highest:
    """Keeps, for every neuron, the places where it gives most, while texts go by."""

    def __init__(
        self, model: TextModel, texts: Sequence[Tokens], numbers: Sequence[int], partly: int, top: int
    ) -> None:
        self.texts = texts
        self._numbers, self._partly = numbers, partly
        self._read = np.zeros(len(texts), dtype=bool)
        shape = (min(top, len(texts)), model.layers, model.neurons)
        self._values = torch.full(shape, -torch.inf)
        self._lines, self._places = torch.zeros(shape, dtype=torch.int32), torch.zeros(shape, dtype=torch.int32)
        self._sums, self._active = torch.zeros(shape[1:], dtype=torch.double), torch.zeros(shape[1:])

    def see(self, numbers: Sequence[int], layer: int, neurons: Tensor) -> None:
        """Take over what some texts (B) give in a layer: neurons (B, T, F)."""
        own = torch.zeros(neurons.shape[:2], dtype=torch.bool)
        for row, number in enumerate(numbers):
            own[row, : len(self.texts[number])] = torch.from_numpy(~self.texts[number].special)
        values, places = neurons.masked_fill(~own[..., None], -torch.inf).max(dim=1)  # (B, F)
        lines = torch.tensor(numbers, dtype=torch.int32)[:, None].expand(values.shape)
        merged = torch.cat([self._values[:, layer], values])
        best, order = merged.topk(len(self._values), dim=0)
        self._values[:, layer] = best
        for kept, new in ((self._lines, lines), (self._places, places.int())):
            kept[:, layer] = torch.cat([kept[:, layer], new]).gather(0, order)
        weights = own.to(neurons.dtype)
        self._read[list(numbers)] = True
        self._sums[layer] += torch.einsum("bt,btf->f", weights, neurons)
        self._active[layer] += torch.einsum("bt,btf->f", weights, (neurons > 0).to(neurons.dtype))

    @property
    def left(self) -> list[int]:
        """The numbers of the texts that did not go by yet."""
        return np.flatnonzero(~self._read).tolist()

    def found(self, skipped: int) -> NeuronWords:
        """What was found so far; it does not change when further texts go by."""
        seen = sum(len(one.ordinary) for one, read in zip(self.texts, self._read) if read)
        most = min(len(self._values), int(self._read.sum()))  # the other places hold nothing yet
        values, lines, places = (one[:most].numpy().copy() for one in (self._values, self._lines, self._places))
        return NeuronWords(
            texts=tuple(self.texts),
            values=values,
            lines=lines,
            places=places,
            means=(self._sums / seen).numpy(),
            active=(self._active / seen).double().numpy(),
            seen=seen,
            skipped=skipped,
            awaited=len(self.left),
            numbers=tuple(self._numbers),
            partly=self._partly,
        )


def _place(neuron: Neuron) -> tuple[Any, ...]:
    """Where a neuron stands in an array (L, T, F)."""
    token, number = (slice(None) if place is None else place for place in (neuron.token, neuron.number))
    return neuron.layer, token, number


@dataclass(frozen=True, kw_only=True)
class ShapleyInteractions(CoalitionSettings, Question):
    """What every two words do together: the Shapley interaction index (Grabisch and Roubens 1999).

    Exact where the budget allows every set of words; else sets are drawn with their complements, and what two do
    together has an interval. A text of more words than the budget is enough for goes by phrase, or by sentence.
    """

    budget: int = setting(1000, low=16, high=100_000, help="Most passes; more make intervals narrower.")

    def __post_init__(self) -> None:
        check_settings(self)

    def cost(self, model: TextModel, tokens: Tokens) -> int:
        return self.most_passes(tokens)

    def enough_for(self) -> int:
        return max(count for count in range(1, self.budget) if _passes_for_pairs(count) <= self.budget)

    def answer(self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None = None) -> PairInteractions:
        """Find it out.

        Raises:
            SettingError: the granularity chosen has more parts than the budget is enough for.
        """
        watch = Stopwatch(meter)
        granularity, game = self.game(model, (tokens, target), watch.meter)
        self.check_budget(game, _passes_for_pairs(len(game)))
        full, empty = game.full, game.empty
        pairs = self.pairs(game, interaction_shares(len(game)))
        both = game.worth_of_pairs(pairs.coalitions).sum(axis=1) - full - empty
        values, error = pair_interactions(pairs, both)
        return PairInteractions(
            tokens=tokens,
            target=target,
            units=game.players,
            pairs=np.argwhere(np.triu(np.ones((len(game), len(game))), 1)),
            values=values,
            error=error,
            granularity=granularity,
            output=full,
            baseline_output=empty,
            passes=watch.meter.spent,
            diagnostics={"operator": game.operator, "exact": not pairs.drawn},
        )


@dataclass(frozen=True, kw_only=True)
class SimilarityAttribution(Question):
    """What every two words, one of each text, add to the texts' similarity.

        values_uv = A_u . B_v,    A_u = integral over t in [0, 1] of df/dt at r + t (a - r), word u alone moving

    with f a text's vector at length 1, a its word embeddings and r those of the empty text; B_v likewise of the other
    text. Moeller, Nikolaev and Pado (2023), https://arxiv.org/abs/2310.05703, equations 4 to 6. The derivative along a
    way is taken forward, so a pass moves one word of each text, whatever the length of the vectors.
    """

    granularity: str = setting(
        "auto",
        choices=("auto", "token", "word", "phrase", "sentence"),
        help="The parts: words (auto), and in texts of more than 64 words phrases between punctuation marks.",
    )
    baseline: str = setting(
        "auto", choices=("auto", *BASELINES), help="What the empty texts are made of, as for integrated gradients."
    )
    tolerance: float = setting(
        0.001, low=1e-5, high=0.1, help="Largest gap allowed, as a part of what the values add up to."
    )
    max_points: int = setting(129, choices=(33, 65, 129, 257), help="Give up refining at this many points, and say so.")

    def __post_init__(self) -> None:
        check_settings(self)

    def cost(self, model: TextModel, tokens: Tokens) -> int:
        return 2 * self.max_points * max(map(len, self._sides(tokens)[1]))

    def answer(self, model: TextModel, tokens: Tokens, target: Target, meter: Meter | None = None) -> SimilarityMatrix:
        """Find it out.

        Raises:
            ModelError: the model gives no vectors of texts.
        """
        model.require({"vectors_moved"})
        watch = Stopwatch(meter)
        granularity, (left, right) = self._sides(tokens)
        kind = model.default_baseline() if self.baseline == "auto" else self.baseline
        path = StraightPath(model, tokens, target, model.baseline(tokens, target, kind), watch.meter)
        for vectors, slopes in nested(partial(path.vectors, left=left, right=right), self.max_points):
            values, coarser = (parts[: len(left)] @ parts[len(left) :].T for parts in two_levels(slopes))
            (left_empty, right_empty), (left_whole, right_whole) = vectors[0], vectors[-1]
            expected = float((left_whole - left_empty) @ (right_whole - right_empty))
            allowed = allowed_gap(self.tolerance, expected)
            agreed, change = agree(values, coarser)
            converged = bool(abs(expected - values.sum()) <= allowed and agreed)
            if converged:
                break
        return SimilarityMatrix(
            tokens=tokens,
            target=target,
            left=left,
            right=right,
            values=values,
            output=float(left_whole @ right_whole),
            left_empty=float(left_empty @ right_whole),
            right_empty=float(left_whole @ right_empty),
            both_empty=float(left_empty @ right_empty),
            granularity=granularity,
            params=setting_values(self),
            passes=watch.meter.spent,
            diagnostics={
                "baseline": kind,
                "rule": "clenshaw_curtis",
                "points": len(slopes),
                "converged": converged,
                "tolerance": allowed,
                "change_from_half_the_points": change,
            },
        )

    def _sides(self, tokens: Tokens) -> tuple[str, tuple[Units, Units]]:
        """The parts of the first text and of the second, and what they are."""
        granularity, units = self.granularity, None
        if granularity == "auto":
            granularity, units = few_units(tokens, _WORDS_OF_TWO)
        units = units or units_of(tokens, granularity)
        first = sum(int(tokens.segment[unit[0]]) == 0 for unit in units)
        return granularity, (units[:first], units[first:])


def _passes_for_pairs(count: int) -> int:
    """Passes from which on intervals of interactions hold what they say: five coalitions for every two parts."""
    return 5 * count * (count - 1) // 2 + 2


def _reading(model: TextModel, states: Tensor, tokens: Tokens, target: Target) -> dict[str, Any]:
    """The head read on states (L + 1, T, D): the fields of `LayerReadings` that come of it.

    On a masked-word head this is the logit lens (nostalgebraist 2020).
    """
    places = model.places_read(tokens, target)
    raw = model.read_states(states, places)
    at = torch.tensor([places] * len(states), dtype=torch.long).reshape(len(states), -1)
    found: dict[str, Any] = {"values": model.task.scalar(raw, target, at, model.head).double().numpy()}
    head = model.head
    if head.value or not model.task.one_row:
        return found
    if head.vocabulary is None:
        logits = (raw["rows"][:, 0] if places else raw["logits"]).double()
        return found | {"probabilities": (logits.softmax(dim=-1) if head.exclusive else logits.sigmoid()).numpy()}
    shares = raw["rows"][:, 0].double().softmax(dim=-1)  # (L + 1, C)
    best = shares.index_fill(-1, torch.tensor(head.vocabulary.no_words), 0.0).topk(_WORDS)
    asked = [target.index, *([] if target.against_index is None else [target.against_index])]
    columns = list(dict.fromkeys([*asked, *best.indices[-1].tolist()]))[:_WORDS]
    return found | {
        "labels": tuple(map(head.vocabulary.word, columns)),
        "probabilities": shares[:, columns].numpy(),
        "words": tuple(tuple(map(head.vocabulary.word, line)) for line in best.indices.tolist()),
        "shares": best.values.numpy(),
    }
