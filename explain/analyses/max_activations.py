"""Max activations: the places in a set of texts where each neuron is most active."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from explain.analyses.base import ANALYSES, NUMBERS, TEXTS, ModelAnalysis
from explain.core.errors import Cancelled, DataError, SettingError, TextError
from explain.core.meter import Meter
from explain.core.settings import setting
from explain.core.sizes import size_of
from explain.datatypes import NeuronWords, Tokens
from explain.models.analysis import Checkpoint
from explain.models.base import TextModel

SHOW_SECONDS = 0.5  # between two partial results


@ANALYSES.register("max_activations")
@dataclass(frozen=True)
class MaxActivations(ModelAnalysis[NeuronWords]):
    """The most active places of every neuron in a set of texts: one forward pass for each text.

    Of models that read two texts, a line holds both, with a tab between. A search that was stopped is continued where
    it was, within one cache.
    """

    name: ClassVar[str] = "max_activations"
    title: ClassVar[str] = "Most active words"
    meaning: ClassVar[str] = "The words of a set of texts at which each neuron is most active."
    limits: ClassVar[str] = (
        "Where a neuron is most active does not say what it is for; other texts may show other words."
    )
    requires: ClassVar[frozenset[str]] = frozenset({"neurons"})
    returns: ClassVar[type] = NeuronWords

    lines: tuple[str, ...] = setting(codec=TEXTS, help="The texts, one a line.")
    numbers: tuple[int, ...] = setting((), codec=NUMBERS, help="Where each text stands in its set; empty: from 1 on.")
    top: int = setting(10, low=1, high=1000, help="Places that are kept of each neuron.")

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "numbers", self.numbers or tuple(range(1, len(self.lines) + 1)))
        if len(self.numbers) != len(self.lines):
            raise SettingError("Give a number for each text, or none.")

    def passes(self, model: TextModel, subject: None = None) -> int:
        return len(self.lines)

    def run(self, model: TextModel, subject: None = None, meter: Meter | None = None) -> NeuronWords:
        """Read the texts.

        Raises:
            DataError: the model can read none of the lines, or needs two texts where a line has one.
        """
        return self._search(model, meter, None)

    def resume(self, model: TextModel, subject: None, meter: Meter | None, checkpoint: Checkpoint) -> NeuronWords:
        return self._search(model, meter, checkpoint)

    def _search(self, model: TextModel, meter: Meter | None, checkpoint: Checkpoint | None) -> NeuronWords:
        model.require(self.requires)
        state = None if checkpoint is None else checkpoint.take()
        highest: _Highest = state or _Highest(model, *self._read(model, meter), self.top)
        unread = highest.unread
        shown = time.monotonic()

        def watch(chunk: Sequence[int], layer: int, neurons: Tensor) -> None:
            nonlocal shown
            highest.see([unread[number] for number in chunk], layer, neurons)
            last = layer == model.layers - 1  # only then has every layer seen the same texts
            if meter is not None and last and highest.unread and time.monotonic() - shown >= SHOW_SECONDS:
                meter.publish(self, self._result(highest))
                shown = time.monotonic()

        try:
            model.neurons.stream_activations([highest.texts[number] for number in unread], watch, meter)
        except Cancelled:  # after a chunk that all layers have seen
            if checkpoint is not None:
                checkpoint.leave(highest)
            raise
        return self._result(highest)

    def _result(self, highest: "_Highest") -> NeuronWords:
        return highest.result(len(self.lines) - len(highest.texts))

    def _read(self, model: TextModel, meter: Meter | None) -> tuple[list[Tokens], list[int], int]:
        """Return the readable texts, their numbers in the set, and the number of texts that are read in part."""
        readable, numbers, reasons, partly = [], [], [], 0
        for number, line in zip(self.numbers, self.lines):
            if meter is not None:
                meter.tick()  # tokenizing long texts takes a while, and may be stopped
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
            readable.append(windows[0])
            numbers.append(number)
            partly += len(windows) > 1 or windows[0].truncated
        if not readable:
            raise DataError(f"No text of the set can be read. {reasons[0] if reasons else 'It is empty.'}")
        return readable, numbers, partly


class _Highest:
    """The most active places of every neuron, updated while texts are read."""

    def __init__(
        self, model: TextModel, texts: Sequence[Tokens], numbers: Sequence[int], partly: int, top: int
    ) -> None:
        self.texts = texts
        self._numbers, self._partly = numbers, partly
        self._read = np.zeros(len(texts), dtype=bool)
        shape = (min(top, len(texts)), model.layers, model.neurons.per_layer)
        self._values = torch.from_numpy(np.full(shape, -np.inf, dtype=np.float32))
        self._lines, self._places = (self._values.new_zeros(shape, dtype=torch.int32) for _ in range(2))
        self._sums, self._active = (
            self._values.new_zeros(shape[1:], dtype=torch.double),
            self._values.new_zeros(shape[1:]),
        )

    def see(self, numbers: Sequence[int], layer: int, neurons: Tensor) -> None:
        """Add the neurons (B, T, F) of some texts (B) in a layer."""
        neurons = neurons.to(self._values.device)
        ordinary = neurons.new_zeros(neurons.shape[:2], dtype=torch.bool)
        for row, number in enumerate(numbers):
            ordinary[row, : len(self.texts[number])] = torch.from_numpy(~self.texts[number].special)
        values, places = neurons.masked_fill(~ordinary[..., None], -torch.inf).max(dim=1)  # (B, F)
        lines = values.new_tensor(numbers, dtype=torch.int32)[:, None].expand(values.shape)
        merged = torch.cat([self._values[:, layer], values])
        best, order = merged.topk(len(self._values), dim=0)
        self._values[:, layer] = best
        for kept, new in ((self._lines, lines), (self._places, places.int())):
            kept[:, layer] = torch.cat([kept[:, layer], new]).gather(0, order)
        weights = ordinary.to(neurons.dtype)
        self._read[list(numbers)] = True
        self._sums[layer] += torch.einsum("bt,btf->f", weights, neurons)
        self._active[layer] += torch.einsum("bt,btf->f", weights, (neurons > 0).to(neurons.dtype))

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        arrays = (self._values, self._lines, self._places, self._sums, self._active)
        return sum(array.nbytes for array in arrays) + size_of(list(self.texts))

    @property
    def unread(self) -> list[int]:
        """The numbers of the texts that were not read yet."""
        return np.flatnonzero(~self._read).tolist()

    def result(self, skipped: int) -> NeuronWords:
        """Return the places so far; the result does not change when further texts are read."""
        seen = sum(len(tokens.ordinary) for tokens, read in zip(self.texts, self._read) if read)
        most = min(len(self._values), int(self._read.sum()))  # the other places hold nothing yet
        values, lines, places = (part[:most].numpy().copy() for part in (self._values, self._lines, self._places))
        return NeuronWords(
            texts=tuple(self.texts),
            values=values,
            lines=lines,
            places=places,
            means=(self._sums / seen).numpy(),
            active=(self._active / seen).double().numpy(),
            seen=seen,
            skipped=skipped,
            awaited=len(self.unread),
            numbers=tuple(self._numbers),
            partly=self._partly,
        )
