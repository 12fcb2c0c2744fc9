"""Encoders of transformers with a head: BERT and its relatives."""

import copy
import functools
import inspect
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Encoding
from torch import Tensor, nn
from torch.autograd import forward_ad
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from explain.core.errors import ModelError, SettingError, TextError
from explain.core.meter import Meter
from explain.datatypes import AttentionMaps, Cut, ModelRecord, Neuron, Prediction, Target, Tokens
from explain.models.base import (
    AttentionGradients,
    Decision,
    Inside,
    Observation,
    Row,
    Scores,
    SeeNeurons,
    TextModel,
    Trace,
)
from explain.models.chunks import balanced, chunks_by_length
from explain.models.families import FAMILIES
from explain.models.last_layer import can_trim, largest_difference, trimmed_logits
from explain.models.neurons import KeepInside, NeuronHooks, Silence, second_maps
from explain.models.pooling import POOLINGS, pooling_named
from explain.models.post_norm import PostNormLayer, post_norm_layers
from explain.models.probe import CutWeights, KeepDifferentiable, KeepMaps, KeepVectors, probing
from explain.models.reinitialized import layers_of, reinitialized
from explain.models.row_head import RowHead, row_head
from explain.models.sentence_pair import SentencePair
from explain.models.target_module import TargetModule, has_activation_modules, shared_weight_copy
from explain.models.text_vectors import ReadTexts, read_vectors
from explain.models.token_lstm import TokenLSTM
from explain.models.vocabulary import TOKENIZING
from explain.tasks.base import Head, Raw, Task
from explain.text.checks import check_text
from explain.text.removal import unchanged
from explain.text.words import is_visible, word_heads, word_ranges

MAX_TOKENS = 512  # longest input read, whatever the model could: attention maps grow with the square
_ONE_AT_A_TIME = threading.Lock()  # torch has one level of forward differentiation for the whole process


class EncoderModel(TextModel):
    """A transformers encoder with a head. Freezes the module and never changes it afterwards.

    Args:
        name: how a user asks for it.
        module: in evaluation mode, float32, its family in `FAMILIES`, loaded with the probe's attention; or the same
            as a `SentencePair`.
        tokenizer: a fast one.
        task, head, record: see `TextModel`.
        max_tokens: longest input to read, at most what the model can.
        scripts: the scripts it was trained on, where that is known.
        longest_text: pieces that are read of a text that becomes a vector by itself, where these are fewer.

    Raises:
        ModelError: a family that is not supported, weights not in float32, or a tokenizer without offsets.
    """

    def __init__(
        self,
        name: str,
        module: PreTrainedModel | SentencePair,
        tokenizer: PreTrainedTokenizerBase,
        task: Task,
        head: Head,
        record: ModelRecord,
        max_tokens: int = MAX_TOKENS,
        scripts: tuple[str, ...] | None = None,
        longest_text: int | None = None,
    ) -> None:
        config = module.config
        if config.model_type not in FAMILIES:
            raise ModelError(
                f"{name} is of the family {config.model_type!r}, which is not supported. "
                f"Supported: {', '.join(sorted(FAMILIES))}."
            )
        if not tokenizer.is_fast:
            raise ModelError(
                f"{name} has no fast tokenizer (tokenizer.json), so its pieces can't be laid over the text."
            )
        other = {parameter.dtype for parameter in module.parameters()} - {torch.float32}
        if other:
            raise ModelError(f"{name} has weights in {other}; explanations need float32.")
        self.name, self.task, self.head, self.record = name, task, head, record
        self._module: Any = module.eval().requires_grad_(False)
        self._tokenizer = tokenizer
        self._family = FAMILIES[config.model_type]
        self.scripts = scripts
        self.mask_id = tokenizer.mask_token_id
        self.pad_id = tokenizer.pad_token_id
        self.unk_id = tokenizer.unk_token_id
        self.layers = config.num_hidden_layers
        self.heads = config.num_attention_heads
        self.max_tokens = min(max_tokens, self._longest_input(tokenizer.model_max_length))
        self._longest_text = min(self.max_tokens, longest_text or self.max_tokens)
        self._apart = isinstance(module, SentencePair)
        accepted = inspect.signature(
            (module.encoder if isinstance(module, SentencePair) else module).forward
        ).parameters
        self._takes_types = "token_type_ids" in accepted and "token_type_ids" in tokenizer.model_input_names
        self._takes_positions = "position_ids" in accepted
        self._row_head: RowHead | None = None  # these three are found below
        self._gathers = self._trimmed = False
        self._encode = functools.lru_cache(maxsize=32)(self._encode_afresh)  # pages ask again at every run
        self._check_entries()

    def _longest_input(self, tokenizer_limit: int) -> int:
        places = getattr(self._module.config, "max_position_embeddings", 0)
        if places and self._family.positions == "after_padding":
            places -= self._padding_place + 1
        return int(min(tokenizer_limit, places or tokenizer_limit))

    @property
    def _padding_place(self) -> int:
        padding = self._module.config.pad_token_id
        return 1 if padding is None else padding

    def _check_entries(self) -> None:
        """Make sure that every way into the model gives the scores it serves, or leave that way out."""
        ids = np.arange(self.max_tokens)[:12] % self._module.config.vocab_size
        ids[ids == self.pad_id] = self._module.config.vocab_size - 1
        batch = torch.from_numpy(ids)[None].expand(2, -1)
        with torch.inference_mode():
            inputs = self._inputs([_bare(ids, pair=self._apart)] * 2)
            served = self._served_apart(batch) if self._apart else _logits(self._module(input_ids=batch))
            ours = self._raw(inputs, None, None, plain=True)["logits"]
            by_embeddings = dict(inputs)
            by_embeddings["inputs_embeds"] = self._embedding(by_embeddings.pop("input_ids"))
            embedded = self._raw(by_embeddings, None, None, plain=True)["logits"]
        tolerance = 1e-5 * max(1.0, float(served.abs().max()))
        if not float((ours - served).abs().max()) <= tolerance:  # a NaN is no number to explain either
            raise ModelError(
                f"{self.name}: our inputs and transformers' own give different outputs; it can't be explained."
            )
        same = float((embedded - served).abs().max()) <= tolerance
        if head := row_head(self._module, self.task.auto_class):
            with torch.inference_mode():
                states = self._module.base_model(**inputs).last_hidden_state
                everywhere = served.dim() == 3
                found = head(states if everywhere else states[:, 0])
            if float((found - served).abs().max()) <= tolerance:
                self._row_head, self._gathers = head, everywhere
        if self._row_head and not self._gathers and can_trim(self._module, self._family):
            attended = torch.ones(batch.shape, dtype=torch.bool)
            attended[1, -2:] = False
            difference = largest_difference(self._module, self._family, self._row_head, inputs, attended)
            self._trimmed = difference <= tolerance
        self.capabilities = frozenset(self._offered({name: one[:1] for name, one in inputs.items()}, same))

    def _served_apart(self, batch: Tensor) -> Tensor:
        """The cosine of two halves of a batch of ids, each run by itself: what production serves."""
        vectors = []
        for half in batch.tensor_split(2, dim=1):
            everywhere = torch.ones(half.shape, dtype=torch.bool)
            rows = self._module.encoder(input_ids=half, attention_mask=everywhere.long()).last_hidden_state
            vectors.append(self._module.pooling.vectors(rows, torch.zeros_like(half), everywhere, 0))
        return torch.cosine_similarity(vectors[0], vectors[1], dim=-1)[:, None]

    def _offered(self, inputs: dict[str, Tensor], gradients: bool) -> Iterator[str]:
        """What methods may need of this model, each tried on a text of ids."""
        yield "attention"
        if layers_of(self._module):
            yield "random_layers"
        if gradients:
            yield "gradients"
            if self._has_activation_modules(inputs):
                yield "activations"
            if self._neurons_are_seen(inputs):
                yield "neurons"
        if not self._family.probed:
            return
        yield from ("attention_gradients", "trace", "cuts")
        if gradients and self._apart and self._moves_as_gradients_say(inputs):
            yield "vectors_moved"
        layers = post_norm_layers(self._module)
        if layers is None:
            return
        keep, _, states = self._traced(inputs)
        with torch.inference_mode():
            gathered = [(one @ other).transpose(1, 2).flatten(2) for one, other in zip(keep.weights, keep.values)]
            rebuilt = [
                layer.finish(layer.after_attention(context, before))
                for layer, context, before in zip(layers, gathered, states)
            ]
        if all(float((one - other).abs().max()) <= 1e-4 for one, other in zip(rebuilt, states[1:])):
            yield "post_norm"
            if self._row_head is not None:  # the state of every layer is normed alike: the head reads it as it is
                yield "head_on_states"
                if self.task.one_row:
                    yield "one_row"

    def _moves_as_gradients_say(self, inputs: dict[str, Tensor]) -> bool:
        """Whether differentiating forward, along a way, gives what the gradient gives times that way."""
        others = {name: tensor for name, tensor in inputs.items() if name != "input_ids"}
        points = self._embedding(inputs["input_ids"]).detach()
        way = points.roll(1, dims=1)
        try:
            vectors, changes = self._moved(others, points, way)
        except NotImplementedError:  # an operation that torch can't differentiate forward
            return False
        moved = (vectors[:, 0] * changes[:, 1] + changes[:, 0] * vectors[:, 1]).sum()
        with torch.enable_grad():
            start = points.clone().requires_grad_(True)
            (gradient,) = torch.autograd.grad(_logits(self._module(**others, inputs_embeds=start)).sum(), start)
        expected = (gradient * way).sum()
        return bool((moved - expected).abs() <= 1e-4 * max(1.0, float(expected.abs())))

    def _has_activation_modules(self, inputs: dict[str, Tensor]) -> bool:
        twin = self._twin()
        if twin._row_head is None:
            return False
        return has_activation_modules(twin._module, twin._row_head, self.layers, lambda: twin._raw(inputs, None, None))

    def _neurons_are_seen(self, inputs: dict[str, Tensor]) -> bool:
        """Whether each layer shows its neurons and its state, and the pass that shows them gives what is served."""
        if not second_maps(self._module):
            return False
        with torch.inference_mode():
            served = float(self._raw(inputs, None, None, plain=True)["logits"].sum())
        keep, value = self._kept_inside(inputs, None, lambda raw: raw["logits"].sum())
        parts = (*keep.states, *keep.neurons)
        shapes = {one.shape for one in keep.neurons}
        if len(keep.states) != self.layers + 1 or len(keep.neurons) != self.layers or len(shapes) != 1:
            return False
        used = torch.autograd.grad(value, parts, allow_unused=True)
        self.neurons = keep.neurons[0].shape[-1]
        return all(one is not None for one in used) and abs(float(value.detach()) - served) <= 1e-4 * max(
            1.0, abs(served)
        )

    # Reading texts

    def encode(self, text: str, text_pair: str | None = None) -> Tokens:
        return self._encode(text, text_pair)[0]

    def windows(self, text: str, text_pair: str | None = None) -> tuple[Tokens, ...]:
        return self._encode(text, text_pair)

    def _encode_afresh(self, text: str, text_pair: str | None) -> tuple[Tokens, ...]:
        self.check_pair(text_pair)
        if len(seconds := self.task.seconds(text_pair)) > 1 or seconds[0] != text_pair:
            return tuple(window for second in seconds for window in self._encode_pair(text, second))
        return self._encode_pair(text, text_pair)

    def _encode_pair(self, text: str, text_pair: str | None) -> tuple[Tokens, ...]:
        texts = (text,) if text_pair is None else (text, text_pair)
        names = [name.lower() for name in self.task.texts] if len(texts) > 1 else ["text"]
        for one, name in zip(texts, names):
            check_text(one, name)
        if self._apart:
            return (self._encode_apart(texts),)
        options: dict[str, Any] = {"truncation": True}
        if self.task.windows:
            stride = self.max_tokens // 4
            options = {"truncation": "only_second", "stride": stride, "return_overflowing_tokens": True}
        with TOKENIZING:
            if self.task.windows:
                first = len(self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])
                if first > self.max_tokens // 2:
                    raise TextError(
                        f"The {self.texts[0].lower()} has {first} pieces; at most {self.max_tokens // 2} are read. "
                        "Shorten it."
                    )
            encoded = self._tokenizer(
                *texts, max_length=self.max_tokens, return_offsets_mapping=True, verbose=False, **options
            )
        found: list[Encoding] = encoded.encodings
        cut = len(found) > 1 or bool(found[0].overflowing)
        windows = tuple(self._window(texts, encoding, cut) for encoding in found)
        if windows[0].special.all():
            raise TextError("The model's tokenizer reads nothing of this text: it has no letters it knows how to cut.")
        return windows

    def _encode_apart(self, texts: tuple[str, ...]) -> Tokens:
        """Each text encoded by itself, with its own special tokens, half of the length each, and put side by side."""
        most = min(self.max_tokens // 2, self._longest_text)
        with TOKENIZING:
            encoded = [
                self._tokenizer(one, truncation=True, max_length=most, verbose=False).encodings[0] for one in texts
            ]
        cut = any(one.overflowing for one in encoded)
        numbers = [None if number is None else text for text, one in enumerate(encoded) for number in one.sequence_ids]
        whole = [
            [value for one in encoded for value in getattr(one, name)]
            for name in ("ids", "offsets", "tokens", "type_ids", "word_ids")
        ]
        segment = np.repeat([0, 1], [len(one.ids) for one in encoded])
        if any(all(number is None for number in one.sequence_ids) for one in encoded):
            raise TextError("The model's tokenizer reads nothing of this text: it has no letters it knows how to cut.")
        return self._laid_over(texts, whole, numbers, segment, cut)

    def _window(self, texts: tuple[str, ...], encoding: Encoding, cut: bool) -> Tokens:
        """One of the tokenizer's encodings; all of the texts, or where they are cut a part."""
        numbers = encoding.sequence_ids
        whole: list[list[Any]] = [
            *(encoding.ids, encoding.offsets, encoding.tokens, encoding.type_ids, encoding.word_ids),
        ]
        return self._laid_over(texts, whole, numbers, _owners(numbers), cut)

    def _laid_over(
        self,
        texts: tuple[str, ...],
        encoded: Sequence[Sequence[Any]],
        numbers: Sequence[int | None],
        segment: npt.NDArray[np.int64],
        cut: bool,
    ) -> Tokens:
        """Tokens laid over their texts.

        Args:
            encoded: ids, offsets, pieces, token types, and the stretch that each is a piece of.
            numbers: the text of each token, or None for a special one.
            segment: whose it is all the same; cut: whether something of the texts was left out.
        """
        ids, offsets, pieces, types, cuts = encoded
        special = np.array([number is None for number in numbers])
        spans = np.array(offsets, dtype=np.int64).reshape(-1, 2)
        spans[special] = 0
        _trim(spans, [texts[number or 0] for number in numbers])
        nothing = (None,) * len(texts)
        ranges = word_ranges(_read(texts, spans, segment), spans, segment, special)
        words = np.array(ranges, dtype=np.int64).reshape(-1, 2)
        return Tokens(
            text=texts[0],
            text_pair=texts[1] if len(texts) > 1 else None,
            ids=np.array(ids, dtype=np.int64),
            pieces=tuple(pieces),
            spans=spans,
            segment=segment,
            token_types=np.array(types) if self._takes_types else None,
            special=special,
            words=words,
            heads=word_heads(words, spans, cuts),
            truncated_at=_truncated_at(texts, spans, segment, special) if cut else nothing,
            begins_at=_begins_at(texts, spans, segment, special) if cut else (),
            text_names=self.text_names,
            read_apart=self._apart,
        )

    # Running

    def observe(self, tokens: Tokens, meter: Meter | None = None) -> Observation:
        inputs, places = self._inputs([_row(tokens)]), self._places_predicted(tokens)
        with torch.inference_mode():
            if self._family.probed:
                keep = KeepMaps(self.layers)
                with probing(keep):
                    raw = self._raw(inputs, None, places)
                found, block = len(keep.weights), keep.block
            else:
                output = self._module(**inputs, output_attentions=True, return_dict=True)
                raw, found = _as_raw(_logits(output), places), len(output.attentions)
                block = torch.stack(output.attentions) if found else None
        _tick(meter, forward=1, positions=len(tokens))
        if found != self.layers or block is None:
            raise ModelError(
                f"{self.name} gave {found} attention maps for {self.layers} layers; its attention can't be shown."
            )
        maps = AttentionMaps(
            tokens,
            block[:, 0].numpy(),  # (L, H, T, T)
            tuple(str(head) for head in range(self.heads)),
        )
        return Observation(self.task.prediction(raw, tokens, self.head), maps)

    def predict(self, tokens: Tokens, meter: Meter | None = None) -> Prediction:
        places = self._places_predicted(tokens)
        with torch.inference_mode():
            raw = self._raw(self._inputs([_row(tokens)]), None, places)
        _tick(meter, forward=1, positions=len(tokens))
        return self.task.prediction(raw, tokens, self.head)

    def scores(self, rows: Sequence[Row], meter: Meter | None = None) -> Scores:
        values = np.empty(len(rows))
        decisions = np.empty(len(rows), dtype=np.int64)
        for chunk in _chunks(rows):
            chosen = [rows[number] for number in chunk]
            with torch.inference_mode():
                inputs = self._inputs(chosen)
                raw = self._raw(inputs, _attended(chosen), self._places(chosen))
                for members in _by_target(chosen):
                    target = chosen[members[0]].target
                    part = {name: tensor[members] for name, tensor in raw.items()}
                    places = self._places([chosen[member] for member in members])
                    numbers = [chunk[member] for member in members]
                    values[numbers] = self.task.scalar(part, target, places, self.head).double().numpy()
                    decisions[numbers] = self.task.decision(part, target, places, self.head).numpy()
            _tick(meter, forward=len(chunk), positions=len(chunk) * max(len(row.variant) for row in chosen))
        return Scores(values, decisions)

    def decide(self, row: Row, meter: Meter | None = None) -> Decision:
        places = self._places([row])
        with torch.inference_mode():
            raw = self._raw(self._inputs([row]), _attended([row]), places)
            read = raw, row.target, places, self.head
            value, number = float(self.task.scalar(*read)[0]), int(self.task.decision(*read)[0])
            label, confidence = self.task.decided(*read, row.tokens)
        _tick(meter, forward=1, positions=len(row.variant))
        return Decision(value, number, label, confidence)

    def gradients(
        self, tokens: Tokens, target: Target, points: Tensor, meter: Meter | None = None
    ) -> tuple[Tensor, Tensor]:
        self.require({"gradients"})
        values, gradients = [], []
        for part in points.split(balanced(len(points), len(tokens))):
            with torch.enable_grad():
                start = part.detach().clone().requires_grad_(True)
                value = self._value_at(tokens, target, start)
                (gradient,) = torch.autograd.grad(value.sum(), start)
            values.append(value.detach())
            gradients.append(gradient)
            _tick(meter, forward=len(part), backward=len(part), positions=len(part) * len(tokens))
        return torch.cat(values), torch.cat(gradients)

    def values(self, tokens: Tokens, target: Target, points: Tensor, meter: Meter | None = None) -> Tensor:
        values = []
        for part in points.split(balanced(len(points), len(tokens))):
            with torch.inference_mode():
                values.append(self._value_at(tokens, target, part))
            _tick(meter, forward=len(part), positions=len(part) * len(tokens))
        return torch.cat(values)

    def vectors_moved(
        self, tokens: Tokens, points: Tensor, ways: Tensor, meter: Meter | None = None
    ) -> tuple[Tensor, Tensor]:
        self.require({"vectors_moved"})
        found = []
        size = balanced(len(points), len(tokens))
        for part, way in zip(points.split(size), ways.split(size)):
            inputs = self._inputs([_row(tokens)] * len(part))
            del inputs["input_ids"]
            found.append(self._moved(inputs, part, way))
            _tick(meter, forward=len(part), backward=len(part), positions=len(part) * len(tokens))
        vectors, changes = zip(*found)
        return torch.cat(vectors), torch.cat(changes)

    def _moved(self, inputs: dict[str, Tensor], points: Tensor, ways: Tensor) -> tuple[Tensor, Tensor]:
        # Attention in the open: torch can't differentiate its own forward.
        with _ONE_AT_A_TIME, torch.no_grad(), probing(CutWeights(())), forward_ad.dual_level():
            moving = forward_ad.make_dual(points.contiguous(), ways.contiguous())
            vectors = nn.functional.normalize(self._module.vectors(**inputs, inputs_embeds=moving), dim=-1)
            value, change = forward_ad.unpack_dual(vectors)
            assert change is not None
            return value.clone(), change.clone()

    def _value_at(self, tokens: Tokens, target: Target, points: Tensor) -> Tensor:
        rows = [_row(tokens, target)] * len(points)
        inputs = self._inputs(rows)
        del inputs["input_ids"]
        places = self._places(rows)
        raw = self._raw({**inputs, "inputs_embeds": points}, None, places)
        return self.task.scalar(raw, target, places, self.head)

    def own_module(self, tokens: Tokens, target: Target, meter: Meter | None = None) -> TargetModule:
        self.require({"activations"})
        twin = self._twin()
        return TargetModule(twin._module, functools.partial(twin._value_at, tokens, target), meter)

    def _twin(self, *, whole: bool = False) -> "EncoderModel":
        """This model on a copy of its modules; `whole`: it computes the last layer at every row."""
        twin = copy.copy(self)
        twin._module = shared_weight_copy(self._module)
        twin._trimmed = self._trimmed and not whole
        twin._row_head = self._row_head and row_head(twin._module, self.task.auto_class)
        return twin

    def randomized(self, layers: int, seed: int) -> "EncoderModel":
        self.require({"random_layers"})
        twin = copy.copy(self)
        twin._module = reinitialized(self._module, layers, seed)
        twin._row_head = self._row_head and row_head(twin._module, self.task.auto_class)
        drawn = f"{self.record.weight_sha256}, {layers} layers and the head drawn anew from {seed}"
        twin.record = replace(self.record, weight_sha256=drawn)
        return twin

    def chunks(self, count: int, length: int) -> int:
        return -(-count // balanced(count, length))

    def trace(self, tokens: Tokens, meter: Meter | None = None) -> Trace:
        self.require({"trace"})
        keep, logits, states = self._traced(self._inputs([_row(tokens)]))
        _tick(meter, forward=1, positions=len(tokens))
        return Trace(
            self.task.prediction(_as_raw(logits, self._places_predicted(tokens)), tokens, self.head),
            *(torch.cat(found) for found in (keep.weights, keep.queries, keep.keys, keep.values, states)),
        )

    def _traced(self, inputs: dict[str, Tensor]) -> tuple[KeepVectors, Tensor, tuple[Tensor, ...]]:
        keep = KeepVectors()
        with torch.inference_mode(), probing(keep):
            output = self._module(**inputs, output_hidden_states=True, return_dict=True)
        return keep, _logits(output), output.hidden_states

    def attention_gradients(self, tokens: Tokens, target: Target, meter: Meter | None = None) -> AttentionGradients:
        self.require({"attention_gradients"})
        keep = KeepDifferentiable()
        row = _row(tokens, target)
        with torch.enable_grad(), probing(keep):
            places = self._places([row])
            value = self.task.scalar(self._raw(self._inputs([row]), None, places), target, places, self.head)
            gradients = torch.autograd.grad(value.sum(), keep.weights)
        _tick(meter, forward=1, backward=1, positions=len(tokens))
        return AttentionGradients(float(value.detach()[0]), torch.cat(keep.weights).detach(), torch.cat(gradients))

    def cut_scores(
        self, tokens: Tokens, target: Target, cuts: Sequence[Sequence[Cut]], meter: Meter | None = None
    ) -> Scores:
        self.require({"cuts"})
        return self._scores_of_sets(tokens, target, cuts, lambda some: probing(CutWeights(some)), meter)

    def _scores_of_sets(
        self,
        tokens: Tokens,
        target: Target,
        sets: Sequence[Any],
        changing: Callable[[Sequence[Any]], AbstractContextManager[None]],
        meter: Meter | None,
    ) -> Scores:
        """Run a text once for each of some sets of changes; `changing` makes those of one chunk, a set for each row."""
        rows = [_row(tokens, target)] * len(sets)
        parts = []
        size = balanced(len(rows), len(tokens))
        for start in range(0, len(rows), size):
            with changing(sets[start : start + size]):
                parts.append(self.scores(rows[start : start + size], meter))
        return Scores(
            np.concatenate([part.values for part in parts]), np.concatenate([part.decisions for part in parts])
        )

    def text_vectors(self, texts: Sequence[str], pooling: str = "mean", meter: Meter | None = None) -> ReadTexts:
        chosen = pooling_named(pooling, self.layers, self._lstm)
        if chosen.kind == "first" and self._family.causal:
            raise SettingError(
                f"In {self.name} no token looks ahead, so the first knows nothing of the text: take the pooling mean."
            )
        with TOKENIZING:
            encoded = self._tokenizer(list(texts), truncation=True, max_length=self._longest_text, verbose=False)
        return read_vectors(
            self._module.base_model,
            encoded.encodings,
            chosen,
            types=self._takes_types,
            unknown=self.unk_id,
            meter=meter,
        )

    @property
    def longest_text(self) -> int:
        return self._longest_text

    @property
    def poolings(self) -> tuple[str, ...]:
        own = "mean"
        if self._lstm is not None:
            own = "lstm"
        elif self._apart and self._module.pooling.kind == "first":
            own = "cls"
        without = {"cls"} if self._family.causal else set()
        without |= {"lstm"} if self._lstm is None else set()
        return (own, *(name for name in POOLINGS if name != own and name not in without))

    @property
    def _lstm(self) -> TokenLSTM | None:
        return getattr(self._module, "lstm", None)

    def inside(self, tokens: Tokens, target: Target, meter: Meter | None = None) -> Inside:
        self.require({"neurons"})
        row = _row(tokens, target)
        places = self._places([row])
        keep, value = self._kept_inside(
            self._inputs([row]), places, lambda raw: self.task.scalar(raw, target, places, self.head).sum()
        )
        gradients = torch.autograd.grad(value, (*keep.states, *keep.neurons))
        _tick(meter, forward=1, backward=1, positions=len(tokens))
        return Inside(
            float(value.detach()),
            torch.cat(keep.states).detach(),
            torch.cat(gradients[: len(keep.states)]),
            torch.cat(keep.neurons).detach(),
            torch.cat(gradients[len(keep.states) :]),
        )

    def _kept_inside(
        self, inputs: dict[str, Tensor], places: Tensor | None, value: Callable[[Raw], Tensor]
    ) -> tuple[KeepInside, Tensor]:
        """One pass from word embeddings, differentiable, with all that is inside kept; and a number read off it."""
        twin = self._twin(whole=True)
        keep = KeepInside(twin._module)
        told: dict[str, Any] = {**inputs, "output_hidden_states": True}
        with torch.enable_grad():
            told["inputs_embeds"] = self._embedding(told.pop("input_ids")).detach().requires_grad_(True)
            return keep, value(twin._raw(told, None, places))

    def watch_neurons(self, texts: Sequence[Tokens], see: SeeNeurons, meter: Meter | None = None) -> None:
        self.require({"neurons"})
        rows = [_row(tokens) for tokens in texts]
        chunk: list[int] = []

        def show(layer: int, neurons: Tensor) -> Tensor:
            see(chunk, layer, neurons)
            return neurons

        module = self._twin()._module
        NeuronHooks(module, show)
        body = module if self._apart else module.base_model  # no head: one over a vocabulary takes longer than the rest
        for chunk in _chunks(rows):
            chosen = [rows[number] for number in chunk]
            attended = _attended(chosen)
            with torch.inference_mode():
                told = {} if attended is None else {"attention_mask": attended.long()}
                body(**self._inputs(chosen), **told)
            _tick(meter, forward=len(chunk), positions=len(chunk) * max(len(row.variant) for row in chosen))

    def silenced_scores(
        self, tokens: Tokens, target: Target, sets: Sequence[Sequence[Neuron]], meter: Meter | None = None
    ) -> Scores:
        self.require({"neurons"})
        twin = self._twin(whole=True)
        silence = Silence(twin._module)
        return twin._scores_of_sets(tokens, target, sets, silence.of, meter)

    @property
    def post_norm(self) -> tuple[PostNormLayer, ...]:
        return post_norm_layers(self._module) or super().post_norm

    @property
    def row_head(self) -> RowHead:
        return self._row_head or super().row_head

    def word_embeddings(self, tokens: Tokens) -> Tensor:
        return self._embedding.weight[torch.from_numpy(tokens.ids.copy())]

    def token_embedding(self, token_id: int) -> Tensor:
        return self._embedding.weight[token_id]

    def rows_read(self, tokens: Tokens, target: Target) -> npt.NDArray[np.float64]:
        weights = np.zeros(len(tokens))
        if self._apart:
            text_of = torch.from_numpy(tokens.segment.copy())[None]
            shares = [self._module.pooling.weights(text_of, text_of >= 0, text)[0] for text in (0, 1)]
            return torch.stack(shares).double().mean(dim=0).numpy()
        if target.positions:
            weights[list(target.positions)] = 1 / len(target.positions)
        elif getattr(self._module.config, "classifier_pooling", "cls") == "mean":  # ModernBERT, and heads of ours
            weights[:] = 1 / len(tokens)
        else:
            weights[0] = 1.0
        return weights

    @property
    def _embedding(self) -> nn.Embedding:
        return self._module.get_input_embeddings()

    def _raw(
        self, inputs: dict[str, Tensor], attended: Tensor | None, places: Tensor | None, plain: bool = False
    ) -> Raw:
        """Run the module and read its head: at `places` (B, P) where there are any. `plain` keeps the whole last layer,
        and the head at all of it."""
        if self._trimmed and self._row_head and not plain:
            return {"logits": trimmed_logits(self._module, self._family, self._row_head, inputs, attended)}
        told = inputs if attended is None else {**inputs, "attention_mask": attended.long()}
        if self._gathers and self._row_head and places is not None and places.shape[1]:
            return {"rows": self._row_head(_rows_at(self._module.base_model(**told).last_hidden_state, places))}
        return _as_raw(_logits(self._module(**told)), places)

    def _places(self, rows: Sequence[Row]) -> Tensor:
        """Where what each row's target needs is read: (B, P); -1 where a token beside it is gone, or there is none."""
        found = []
        for row in rows:
            beside = self.task.beside(row.tokens, row.target, self.head)
            found.append((*row.variant.places(row.target.positions), *row.variant.places_left(beside)))
        longest = max(map(len, found))
        return torch.tensor([(*one, *[-1] * (longest - len(one))) for one in found], dtype=torch.long)

    def _places_predicted(self, tokens: Tokens) -> Tensor:
        """Where a prediction is read: (1, P)."""
        return torch.tensor([self.task.positions(tokens, self.head)], dtype=torch.long)

    def _inputs(self, rows: Sequence[Row]) -> dict[str, Tensor]:
        """Tensors of a batch, padded on the right: ids (or embeddings where some are zero), positions, segments."""
        longest = max(len(row.variant) for row in rows)
        filler = self.pad_id or 0

        def padded(values: list[npt.NDArray[np.int64]], fill: int) -> Tensor:
            table = np.full((len(values), longest), fill, dtype=np.int64)
            for line, value in zip(table, values):
                line[: len(value)] = value
            return torch.from_numpy(table)

        inputs = {"input_ids": padded([row.variant.ids for row in rows], filler)}
        if self._apart:
            inputs["text_of"] = padded([row.tokens.segment[row.variant.kept] for row in rows], -1)
        if self._takes_positions:
            first = self._padding_place if self._family.positions == "after_padding" else 0
            inputs["position_ids"] = padded([self._positions(row) for row in rows], first)
        if self._takes_types:
            inputs["token_type_ids"] = padded([_token_types(row) for row in rows], 0)
        if any(row.variant.zeroed.any() for row in rows):
            zeroed = padded([row.variant.zeroed.astype(np.int64) for row in rows], 0).bool()
            embedded = self._embedding(inputs.pop("input_ids"))
            inputs["inputs_embeds"] = embedded.masked_fill(zeroed[..., None], 0.0)
        return inputs

    def _positions(self, row: Row) -> npt.NDArray[np.int64]:
        """Places as production numbers them for the text; a removed token keeps its place, a deleted one has none."""
        segment = row.tokens.segment[row.variant.kept]
        if self._apart:
            return np.concatenate([self._counted(row.tokens.ids[row.variant.kept][segment == text]) for text in (0, 1)])
        return self._counted(row.tokens.ids[row.variant.kept])

    def _counted(self, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        if self._family.positions == "from_zero":
            return np.arange(len(ids))
        # RoBERTa counts tokens that are not padding; only the user's own "<pad>" can be one here.
        read = ids != self._padding_place
        return np.cumsum(read) * read + self._padding_place


def _logits(output: Any) -> Tensor:
    """A model's numbers in one tensor, the head's columns last; an answer's start and end are two columns."""
    if "start_logits" in output:
        return torch.stack([output.start_logits, output.end_logits], dim=-1)
    return output.logits


def _as_raw(logits: Tensor, places: Tensor | None) -> Raw:
    """The head's numbers as tasks take them: rows at places (B, P) where there are any, else all of them."""
    if places is None or not places.shape[1]:
        return {"logits": logits}
    return {"rows": _rows_at(logits, places)}


def _rows_at(table: Tensor, places: Tensor) -> Tensor:
    """Some rows of each sequence: (B, T, C) at (B, P) -> (B, P, C); where a place is -1, any."""
    return table[torch.arange(len(table))[:, None], places]


def _row(tokens: Tokens, target: Target | None = None) -> Row:
    return Row(tokens, unchanged(tokens), target or _NO_TARGET)


_NO_TARGET = Target("", "", 0)


def _bare(ids: npt.NDArray[np.int64], pair: bool = False) -> Row:
    """A row of ids without a text, or two halves of a pair, for the check of a model's entries."""
    count = len(ids)
    tokens = Tokens(
        text="",
        ids=ids,
        pieces=("",) * count,
        spans=np.zeros((count, 2), dtype=np.int64),
        segment=np.arange(count) * 2 // count if pair else np.zeros(count, dtype=np.int64),
        special=np.zeros(count, dtype=bool),
        words=np.empty((0, 2), dtype=np.int64),
    )
    return _row(tokens)


def _owners(numbers: Sequence[int | None]) -> npt.NDArray[np.int64]:
    """Whose token each is, as the tokenizer says (RoBERTa has two texts and no token types); special ones are the
    first text's until the second begins."""
    second = [place for place, number in enumerate(numbers) if number == 1]
    segment = np.zeros(len(numbers), dtype=np.int64)
    if second:
        segment[second[0] :] = 1
    return segment


def _token_types(row: Row) -> npt.NDArray[np.int64]:
    types = row.tokens.token_types
    return np.zeros(len(row.variant), dtype=np.int64) if types is None else types[row.variant.kept]


def _read(texts: Sequence[str], spans: npt.NDArray[np.int64], segment: npt.NDArray[np.int64]) -> list[str]:
    """Each text up to its last token, and a little more, so that the word there is whole."""
    last = [int(spans[segment == number, 1].max(initial=0)) for number in range(len(texts))]
    return [text[: stop + 200] for text, stop in zip(texts, last)]


def _trim(spans: npt.NDArray[np.int64], texts: Sequence[str]) -> None:
    """Leave white space out of each token's span, in place: SentencePiece counts the space before a word to it."""
    for span, text in zip(spans, texts):
        start, stop = span.tolist()
        piece = text[start:stop]
        span[0] = min(stop, start + len(piece) - len(piece.lstrip()))
        span[1] = max(span[0], stop - len(piece) + len(piece.rstrip()))


def _begins_at(
    texts: Sequence[str],
    spans: npt.NDArray[np.int64],
    segment: npt.NDArray[np.int64],
    special: npt.NDArray[np.bool_],
) -> tuple[int, ...]:
    """For each text, its first character that is read, where something visible stands before it; else 0."""
    places = []
    for number, text in enumerate(texts):
        mine = spans[(segment == number) & ~special]
        start = int(mine[0, 0]) if len(mine) else 0
        places.append(start if any(map(is_visible, text[:start])) else 0)
    return tuple(places)


def _truncated_at(
    texts: Sequence[str],
    spans: npt.NDArray[np.int64],
    segment: npt.NDArray[np.int64],
    special: npt.NDArray[np.bool_],
) -> tuple[int | None, ...]:
    """For each text, the character after the last one read, where something visible follows it."""
    places: list[int | None] = []
    for number, text in enumerate(texts):
        mine = spans[(segment == number) & ~special]
        stop = int(mine[:, 1].max()) if len(mine) else 0
        places.append(stop if any(map(is_visible, text[stop:])) else None)
    return tuple(places)


def _chunks(rows: Sequence[Row]) -> Iterator[list[int]]:
    """Row numbers in chunks."""
    return chunks_by_length([len(row.variant) for row in rows])


def _attended(rows: Sequence[Row]) -> Tensor | None:
    """Where attention may look (B, T); None where it may look everywhere, which is faster."""
    attended = np.zeros((len(rows), max(len(row.variant) for row in rows)), dtype=bool)
    for line, row in zip(attended, rows):
        line[: len(row.variant)] = row.variant.attended
    return None if attended.all() else torch.from_numpy(attended)


def _by_target(rows: Sequence[Row]) -> Iterator[list[int]]:
    groups: dict[Target, list[int]] = {}
    for number, row in enumerate(rows):
        groups.setdefault(row.target, []).append(number)
    yield from groups.values()


def _tick(meter: Meter | None, **passes: int) -> None:
    if meter is not None:
        meter.tick(**passes)
