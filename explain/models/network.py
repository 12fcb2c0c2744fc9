"""A module of transformers with its head, run on rows: what a text model computes with."""

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from explain.core.meter import Meter
from explain.datatypes import Prediction, Target, Tokens
from explain.models.base import InputGradient, Row, Scores
from explain.models.chunks import balanced, chunks_by_length
from explain.models.families import FAMILIES
from explain.models.last_layer import trimmed_logits
from explain.models.neurons import KeepInside
from explain.models.row_head import RowHead, row_head
from explain.models.sentence_pair import SentencePair
from explain.models.target_module import AnyModule, shared_weight_copy
from explain.tasks.base import Head, Raw, Task
from explain.text.removal import unchanged

Made = TypeVar("Made")


class Network:
    """A module with its task and head; neither the module nor anything here changes after loading.

    Args:
        module: in evaluation mode, float32, of a family in `FAMILIES`; or the same as a `SentencePair`.
        task, head: see `TextModel`.
        pad_id: of the tokenizer, or None.
        types_are_named: whether the tokenizer gives token types.

    Attributes:
        device: of the module; every tensor made for it is made there.
        read_apart: two texts are run separately.
        row_head: the head as a chain of steps, where running it gives what the module gives; else None.
        gathers: the head is read at some tokens only, so it need run on their rows alone.
        trimmed: the last layer is computed at the first row only.
    """

    def __init__(
        self, module: PreTrainedModel | SentencePair, task: Task, head: Head, pad_id: int | None, types_are_named: bool
    ) -> None:
        self.module: Any = module
        self.task, self.head, self.pad_id = task, head, pad_id
        self.family = FAMILIES[module.config.model_type]
        self.read_apart = isinstance(module, SentencePair)
        self.device = next(module.parameters()).device
        accepted = inspect.signature(
            (module.encoder if isinstance(module, SentencePair) else module).forward
        ).parameters
        self.takes_types = "token_type_ids" in accepted and types_are_named
        self._takes_positions = "position_ids" in accepted
        self.row_head: RowHead | None = None
        self.gathers = self.trimmed = False

    def on(self, module: AnyModule, *, whole: bool = False) -> "Network":
        """Return the same network on another module of the same architecture.

        Args:
            whole: compute the last layer at every row.
        """
        twin = copy.copy(self)
        twin.module = module
        twin.trimmed = self.trimmed and not whole
        twin.row_head = self.row_head and row_head(module, self.task.auto_class)
        return twin

    def copied(self, *, whole: bool = False) -> "Network":
        """Return the same network on a copy of its modules with shared weights, to put hooks on."""
        return self.on(shared_weight_copy(self.module), whole=whole)

    @property
    def embedding(self) -> nn.Embedding:
        """The word embedding."""
        return self.module.get_input_embeddings()

    @property
    def longest_input(self) -> int | None:
        """Positions that the module has, special tokens included; None where it has no table of them."""
        places = getattr(self.module.config, "max_position_embeddings", 0)
        if places and self.family.positions == "after_padding":
            places -= self._padding_place + 1
        return places or None

    @property
    def _padding_place(self) -> int:
        """The row of the position table that stands for padding, and the id that is counted as such.

        MPNet's is 1, whatever its configuration calls padding.
        """
        tables = (getattr(part, "position_embeddings", None) for part in self.module.modules())
        padding = next((table.padding_idx for table in tables if isinstance(table, nn.Embedding)), None)
        return 1 if padding is None else padding

    # Inputs

    def inputs(self, rows: Sequence[Row]) -> dict[str, Tensor]:
        """Return the tensors of a batch, padded on the right: ids (or embeddings where some are zero), positions,
        segments."""
        inputs = {"input_ids": self._padded([row.variant.ids for row in rows], self.pad_id or 0)}
        if self.read_apart:
            inputs["text_of"] = self._padded([row.tokens.segment[row.variant.kept] for row in rows], -1)
        if self._takes_positions:
            first = self._padding_place if self.family.positions == "after_padding" else 0
            inputs["position_ids"] = self._padded([self._positions(row) for row in rows], first)
        if self.takes_types:
            inputs["token_type_ids"] = self._padded([_token_types(row) for row in rows], 0)
        if any(row.variant.zeroed.any() for row in rows):
            zeroed = self._padded([row.variant.zeroed.astype(np.int64) for row in rows], 0).bool()
            embedded = self.embedding(inputs.pop("input_ids"))
            inputs["inputs_embeds"] = embedded.masked_fill(zeroed[..., None], 0.0)
        return inputs

    def _padded(self, lines: Sequence[npt.NDArray[np.int64]], filler: int) -> Tensor:
        table = np.full((len(lines), max(map(len, lines))), filler, dtype=np.int64)
        for padded_line, line in zip(table, lines):
            padded_line[: len(line)] = line
        return torch.from_numpy(table).to(self.device)

    def _positions(self, row: Row) -> npt.NDArray[np.int64]:
        """Return places as production numbers them; a removed token keeps its place, a deleted one has none."""
        ids = row.tokens.ids[row.variant.kept]
        if self.read_apart:
            segment = row.tokens.segment[row.variant.kept]
            return np.concatenate([self._numbered(ids[segment == text]) for text in (0, 1)])
        return self._numbered(ids)

    def _numbered(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        if self.family.positions == "from_zero":
            return np.arange(len(ids))
        # RoBERTa counts tokens that are not padding; only the user's own "<pad>" can be one here.
        counted = ids != self._padding_place
        return np.cumsum(counted) * counted + self._padding_place

    def attended(self, rows: Sequence[Row]) -> Tensor | None:
        """Return where attention may look (B, T); None where it may look everywhere, which is faster."""
        attended = np.zeros((len(rows), max(len(row.variant) for row in rows)), dtype=bool)
        for line, row in zip(attended, rows):
            line[: len(row.variant)] = row.variant.attended
        return None if attended.all() else torch.from_numpy(attended).to(self.device)

    def places(self, rows: Sequence[Row]) -> Tensor:
        """Return the positions the head is read at, per row (B, P); -1 where a token was deleted, and as filler."""
        positions = []
        for row in rows:
            further = self.task.normalizer_positions(row.tokens, row.target, self.head)
            positions.append((*row.variant.places(row.target.positions), *row.variant.places_left(further)))
        longest = max(map(len, positions))
        table = [(*line, *[-1] * (longest - len(line))) for line in positions]
        return torch.tensor(table, dtype=torch.long, device=self.device)

    def places_predicted(self, texts: Sequence[Tokens]) -> Tensor:
        """Return the positions that predictions are read at, per text (B, P); -1 as filler."""
        positions = [self.task.positions(tokens, self.head) for tokens in texts]
        most = max(map(len, positions))
        table = [(*line, *[-1] * (most - len(line))) for line in positions]
        return torch.tensor(table, dtype=torch.long, device=self.device).reshape(len(texts), most)

    # Running

    def raw(
        self, inputs: dict[str, Tensor], attended: Tensor | None, places: Tensor | None, plain: bool = False
    ) -> Raw:
        """Run the module and read its head: at `places` (B, P) where there are any.

        Args:
            plain: keep the whole last layer, and the head at all of it.
        """
        if self.trimmed and self.row_head and not plain:
            return {"logits": trimmed_logits(self.module, self.family, self.row_head, inputs, attended)}
        options = inputs if attended is None else {**inputs, "attention_mask": attended.long()}
        if self.gathers and self.row_head and places is not None and places.shape[1]:
            return {"rows": self.row_head(_rows_at(self.module.base_model(**options).last_hidden_state, places))}
        return as_raw(logits_of(self.module(**options)), places)

    def scores(self, rows: Sequence[Row], meter: Meter | None = None) -> Scores:
        """Run rows; see `TextModel.scores`."""
        values = np.empty(len(rows))
        decisions = np.empty(len(rows), dtype=np.int64)
        for chunk in chunks(rows):
            batch = [rows[number] for number in chunk]
            with torch.inference_mode():
                raw = self.raw(self.inputs(batch), self.attended(batch), self.places(batch))
                for members, target, part, places in self._by_target(raw, batch):
                    numbers = [chunk[member] for member in members]
                    values[numbers] = self.task.scalar(part, target, places, self.head).double().cpu().numpy()
                    decisions[numbers] = self.task.decision(part, target, places, self.head).cpu().numpy()
            tick(meter, forward=len(chunk), positions=len(chunk) * max(len(row.variant) for row in batch))
        return Scores(values, decisions)

    def values(self, raw: Raw, rows: Sequence[Row]) -> Tensor:
        """Return the number of each row's target (B,), differentiable, from the head's numbers for these rows."""
        order: list[int] = []
        parts = []
        for members, target, part, places in self._by_target(raw, rows):
            order += members
            parts.append(self.task.scalar(part, target, places, self.head))
        return torch.cat(parts)[np.argsort(order)]

    def _by_target(self, raw: Raw, rows: Sequence[Row]) -> Iterator[tuple[list[int], Target, Raw, Tensor]]:
        """Yield the numbers of rows that have one target, the target, and their numbers and places."""
        groups: dict[Target, list[int]] = {}
        for number, row in enumerate(rows):
            groups.setdefault(row.target, []).append(number)
        for target, members in groups.items():
            places = self.places([rows[member] for member in members])
            part = {  # the batch may be read at more places than these rows
                name: tensor[members, : places.shape[1]] if name == "rows" else tensor[members]
                for name, tensor in raw.items()
            }
            yield members, target, part, places

    def predictions(self, texts: Sequence[Tokens], meter: Meter | None = None) -> list[Prediction]:
        """Predict each of some texts, those of like length together."""
        made: dict[int, Prediction] = {}
        for chunk in chunks_by_length([len(tokens) for tokens in texts]):
            batch = [texts[number] for number in chunk]
            rows = [as_row(tokens) for tokens in batch]
            with torch.inference_mode():
                raw = self.raw(self.inputs(rows), self.attended(rows), self.places_predicted(batch))
            made |= zip(chunk, self.predictions_from(raw, batch))
            tick(meter, forward=len(chunk), positions=len(chunk) * len(batch[0]))
        return in_order(made)

    def predictions_from(self, raw: Raw, texts: Sequence[Tokens]) -> list[Prediction]:
        """Return the prediction of each text of a batch, from the head's numbers at `places_predicted`."""
        made = []
        for row, tokens in enumerate(texts):
            count = len(self.task.positions(tokens, self.head))
            own = {
                name: part[row : row + 1, :count] if name == "rows" else part[row : row + 1]
                for name, part in raw.items()
            }
            made.append(self.task.prediction(own, tokens, self.head))
        return made

    def scores_of_sets(
        self,
        tokens: Tokens,
        target: Target,
        sets: Sequence[Any],
        changing: Callable[[Sequence[Any]], AbstractContextManager[None]],
        meter: Meter | None,
    ) -> Scores:
        """Run a text once for each of some sets of changes; `changing` makes those of one chunk, a set for each row."""
        rows = [as_row(tokens, target)] * len(sets)
        parts = []
        size = balanced(len(rows), len(tokens))
        for start in range(0, len(rows), size):
            with changing(sets[start : start + size]):
                parts.append(self.scores(rows[start : start + size], meter))
        return Scores(
            np.concatenate([part.values for part in parts]), np.concatenate([part.decisions for part in parts])
        )

    def input_gradients(
        self,
        texts: Sequence[Tokens],
        places_for: Callable[[Sequence[int]], Tensor],
        targets_for: Callable[[Sequence[int], Raw], Sequence[Target]],
        meter: Meter | None,
    ) -> list[InputGradient]:
        """Differentiate a target of each text at its own word embeddings: one forward and one backward pass each.

        Args:
            places_for: where the head is read, of some texts by number: (B, P).
            targets_for: the targets of these texts, from the head's numbers there.
        """
        made: dict[int, InputGradient] = {}
        for chunk in chunks_by_length([len(tokens) for tokens in texts]):
            rows = [as_row(texts[number]) for number in chunk]
            inputs = self.inputs(rows)
            points = self.embedding(inputs.pop("input_ids")).detach().requires_grad_(True)
            with torch.enable_grad():
                raw = self.raw({**inputs, "inputs_embeds": points}, self.attended(rows), places_for(chunk))
                targets = targets_for(chunk, {name: tensor.detach() for name, tensor in raw.items()})
                values = self.values(raw, [as_row(row.tokens, target) for row, target in zip(rows, targets)])
                (gradients,) = torch.autograd.grad(values.sum(), points)
            outputs = values.tolist()
            for row, (number, output) in enumerate(zip(chunk, outputs)):
                length = len(texts[number])
                made[number] = InputGradient(output, points[row, :length].detach(), gradients[row, :length])
            tick(meter, forward=len(chunk), backward=len(chunk), positions=len(chunk) * points.shape[1])
        return in_order(made)

    def value_at(self, tokens: Tokens, target: Target, points: Tensor) -> Tensor:
        """Return the target's number (B,) at word embeddings (B, T, D), differentiable."""
        rows = [as_row(tokens, target)] * len(points)
        inputs = self.inputs(rows)
        del inputs["input_ids"]
        places = self.places(rows)
        raw = self.raw({**inputs, "inputs_embeds": points}, None, places)
        return self.task.scalar(raw, target, places, self.head)

    def kept_inside(
        self, inputs: dict[str, Tensor], places: Tensor | None, value: Callable[[Raw], Tensor]
    ) -> tuple[KeepInside, Tensor]:
        """Run once from word embeddings, differentiable, keeping states and neurons; return them and a number."""
        twin = self.copied(whole=True)
        keep = KeepInside(twin.module)
        options: dict[str, Any] = {**inputs, "output_hidden_states": True}
        with torch.enable_grad():
            options["inputs_embeds"] = self.embedding(options.pop("input_ids")).detach().requires_grad_(True)
            return keep, value(twin.raw(options, None, places))


def as_row(tokens: Tokens, target: Target | None = None) -> Row:
    """Return the row of a whole text."""
    return Row(tokens, unchanged(tokens), target or _NO_TARGET)


_NO_TARGET = Target("", "", 0)


def in_order(made: Mapping[int, Made]) -> list[Made]:
    """Return what was made, by number from 0."""
    return [made[number] for number in range(len(made))]


def logits_of(output: Any) -> Tensor:
    """Return a model's numbers in one tensor, the head's columns last; an answer's start and end are two columns."""
    if "start_logits" in output:
        return torch.stack([output.start_logits, output.end_logits], dim=-1)
    return output.logits


def as_raw(logits: Tensor, places: Tensor | None) -> Raw:
    """Return the head's numbers as tasks take them: rows at places (B, P) where there are any, else all of them."""
    if places is None or not places.shape[1]:
        return {"logits": logits}
    return {"rows": _rows_at(logits, places)}


def chunks(rows: Sequence[Row]) -> Iterator[list[int]]:
    """Return row numbers in chunks."""
    return chunks_by_length([len(row.variant) for row in rows])


def tick(meter: Meter | None, **passes: int) -> None:
    """Count passes where there is a meter."""
    if meter is not None:
        meter.tick(**passes)


def _rows_at(table: Tensor, places: Tensor) -> Tensor:
    """Return some rows of each sequence: (B, T, C) at (B, P) -> (B, P, C); where a place is -1, any."""
    return table[torch.arange(len(table), device=table.device)[:, None], places]


def _token_types(row: Row) -> npt.NDArray[np.int64]:
    types = row.tokens.token_types
    return np.zeros(len(row.variant), dtype=np.int64) if types is None else types[row.variant.kept]
