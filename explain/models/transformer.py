"""Models of transformers with a head: BERT and its relatives, and causal ones."""

import copy
import functools
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from explain.core.errors import ModelError, SettingError
from explain.core.meter import Meter
from explain.datatypes import AttentionMaps, Cut, ModelRecord, Neuron, Prediction, Target, Tokens
from explain.models.base import Decision, InputGradient, Observation, Row, Scores, TextModel
from explain.models.capabilities.attention import Attention, AttentionGradients, Trace
from explain.models.capabilities.neurons import Inside, Neurons, SeeNeurons
from explain.models.capabilities.vectors import Vectors
from explain.models.chunks import balanced, balanced_with_maps, chunks_by_length
from explain.models.entry_checks import checked_capabilities, traced
from explain.models.families import FAMILIES
from explain.models.jvp import jvp
from explain.models.network import Network, as_raw, as_row, chunks, in_order, logits_of, tick
from explain.models.neurons import NeuronHooks, Silence
from explain.models.pooling import POOLINGS, pooling_named
from explain.models.post_norm import PostNormLayer, post_norm_layers
from explain.models.probe import CutWeights, KeepDifferentiable, KeepMaps, probing
from explain.models.reinitialized import reinitialized
from explain.models.row_head import RowHead
from explain.models.sentence_pair import SentencePair
from explain.models.target_module import TargetModule
from explain.models.text_vectors import ReadTexts, read_vectors
from explain.models.token_lstm import TokenLSTM
from explain.models.tokenizing import TextEncoder, with_entry
from explain.tasks.base import Head, Raw, Task

MAX_TOKENS = 512  # longest input read, whatever the model could: attention maps grow with the square


class EncoderModel(TextModel):
    """A model of transformers with a head. Freezes the module and never changes it afterwards.

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
        _check_supported(name, module, tokenizer)
        self.name, self.task, self.head, self.record, self.scripts = name, task, head, record, scripts
        self._tokenizer = tokenizer
        entries = module.config.vocab_size
        self.mask_id = with_entry(tokenizer.mask_token_id, entries)
        self.mask_text = "" if self.mask_id is None else str(tokenizer.mask_token)
        self.pad_id = with_entry(tokenizer.pad_token_id, entries)
        self.unk_id = with_entry(tokenizer.unk_token_id, entries)
        self.layers = module.config.num_hidden_layers
        self.heads = module.config.num_attention_heads
        types_are_named = "token_type_ids" in tokenizer.model_input_names
        self._network = Network(module.eval().requires_grad_(False), task, head, self.pad_id, types_are_named)
        limit = tokenizer.model_max_length
        self.max_tokens = min(max_tokens, int(min(limit, self._network.longest_input or limit)))
        self._text_encoder = TextEncoder(
            tokenizer,
            task,
            self.text_names,
            max_tokens=self.max_tokens,
            longest_text=min(self.max_tokens, longest_text or self.max_tokens),
            entries=entries,
            takes_types=self._network.takes_types,
            read_apart=self._network.read_apart,
        )
        self._windows = functools.lru_cache(maxsize=32)(self._text_encoder.windows)  # pages ask again at every run
        checked = checked_capabilities(name, self._network, self.max_tokens)
        self.capabilities, self._neurons_per_layer = checked.names, checked.neurons

    @property
    def _module(self) -> nn.Module:
        return self._network.module

    # Reading texts

    def encode(self, text: str, text_pair: str | None = None) -> Tokens:
        return self.windows(text, text_pair)[0]

    def windows(self, text: str, text_pair: str | None = None) -> tuple[Tokens, ...]:
        self.check_pair(text_pair)
        return self._windows(text, text_pair)

    # Running

    def observe(self, tokens: Tokens, meter: Meter | None = None) -> Observation:
        return self.observe_each([tokens], meter)[0]

    def observe_each(self, texts: Sequence[Tokens], meter: Meter | None = None) -> list[Observation]:
        network, heads = self._network, tuple(str(head) for head in range(self.heads))
        made: dict[int, Observation] = {}
        for chunk in chunks_by_length([len(tokens) for tokens in texts], balanced_with_maps):
            batch = [texts[number] for number in chunk]
            with torch.inference_mode():
                raw, weights = self._raw_and_maps(batch)
            for number, tokens, prediction, of_text in zip(
                chunk, batch, network.predictions_from(raw, batch), weights.unbind(dim=1)
            ):
                maps = AttentionMaps(tokens, of_text[:, :, : len(tokens), : len(tokens)].numpy(), heads)
                made[number] = Observation(prediction, maps)
            tick(meter, forward=len(chunk), positions=len(chunk) * len(batch[0]))
        return in_order(made)

    def _raw_and_maps(self, texts: Sequence[Tokens]) -> tuple[Raw, Tensor]:
        """Run a batch, and return the head's numbers with the attention weights (L, B, H, T, T).

        Raises:
            ModelError: there are not as many maps as layers.
        """
        network, rows = self._network, [as_row(tokens) for tokens in texts]
        inputs, attended, places = network.inputs(rows), network.attended(rows), network.places_predicted(texts)
        if network.family.probed:
            keep = KeepMaps(self.layers)
            with probing(keep):
                raw = network.raw(inputs, attended, places)
            maps_seen, block = len(keep.weights), keep.block
        else:
            mask = {} if attended is None else {"attention_mask": attended.long()}
            output = network.module(**inputs, **mask, output_attentions=True, return_dict=True)
            raw, maps_seen = as_raw(logits_of(output), places), len(output.attentions)
            block = torch.stack(output.attentions) if maps_seen else None
        if maps_seen != self.layers or block is None:
            raise ModelError(
                f"{self.name} gave {maps_seen} attention maps for {self.layers} layers; its attention can't be shown."
            )
        return raw, block.cpu()

    def predict(self, tokens: Tokens, meter: Meter | None = None) -> Prediction:
        places = self._network.places_predicted([tokens])
        with torch.inference_mode():
            raw = self._network.raw(self._network.inputs([as_row(tokens)]), None, places)
        tick(meter, forward=1, positions=len(tokens))
        return self.task.prediction(raw, tokens, self.head)

    def predict_each(self, texts: Sequence[Tokens], meter: Meter | None = None) -> list[Prediction]:
        return self._network.predictions(texts, meter)

    def scores(self, rows: Sequence[Row], meter: Meter | None = None) -> Scores:
        return self._network.scores(rows, meter)

    def decide(self, row: Row, meter: Meter | None = None) -> Decision:
        places = self._network.places([row])
        with torch.inference_mode():
            raw = self._network.raw(self._network.inputs([row]), self._network.attended([row]), places)
            read = raw, row.target, places, self.head
            score, number = float(self.task.scalar(*read)[0]), int(self.task.decision(*read)[0])
            label, confidence = self.task.decided(*read, row.tokens)
        tick(meter, forward=1, positions=len(row.variant))
        return Decision(score, number, label, confidence)

    def chunks(self, count: int, length: int) -> int:
        return -(-count // balanced(count, length))

    def gradients(
        self, tokens: Tokens, target: Target, points: Tensor, meter: Meter | None = None
    ) -> tuple[Tensor, Tensor]:
        self.require({"gradients"})
        values, gradients = [], []
        for part in points.split(balanced(len(points), len(tokens))):
            with torch.enable_grad():
                start = part.detach().clone().requires_grad_(True)
                part_values = self._network.value_at(tokens, target, start)
                (gradient,) = torch.autograd.grad(part_values.sum(), start)
            values.append(part_values.detach())
            gradients.append(gradient)
            tick(meter, forward=len(part), backward=len(part), positions=len(part) * len(tokens))
        return torch.cat(values), torch.cat(gradients)

    def gradients_each(
        self, targets: Sequence[tuple[Tokens, Target]], meter: Meter | None = None
    ) -> list[InputGradient]:
        self.require({"gradients"})
        rows = [as_row(tokens, target) for tokens, target in targets]
        return self._network.input_gradients(
            [row.tokens for row in rows],
            lambda chunk: self._network.places([rows[number] for number in chunk]),
            lambda chunk, raw: [rows[number].target for number in chunk],
            meter,
        )

    def predict_with_gradients(
        self, texts: Sequence[Tokens], target_of: Callable[[Prediction], Target], meter: Meter | None = None
    ) -> list[tuple[Prediction, Target, InputGradient]]:
        if any(self.task.positions(tokens, self.head) for tokens in texts):  # a target is read at some of these
            return super().predict_with_gradients(texts, target_of, meter)
        self.require({"gradients"})
        predicted: dict[int, tuple[Prediction, Target]] = {}

        def targets_for(chunk: Sequence[int], raw: Raw) -> list[Target]:
            predictions = self._network.predictions_from(raw, [texts[number] for number in chunk])
            targets = [target_of(prediction) for prediction in predictions]
            predicted.update(zip(chunk, zip(predictions, targets)))
            return targets

        def places_for(chunk: Sequence[int]) -> Tensor:
            return self._network.places_predicted([texts[number] for number in chunk])

        gradients = self._network.input_gradients(texts, places_for, targets_for, meter)
        return [(*of_text, gradient) for of_text, gradient in zip(in_order(predicted), gradients)]

    def values(self, tokens: Tokens, target: Target, points: Tensor, meter: Meter | None = None) -> Tensor:
        values = []
        for part in points.split(balanced(len(points), len(tokens))):
            with torch.inference_mode():
                values.append(self._network.value_at(tokens, target, part))
            tick(meter, forward=len(part), positions=len(part) * len(tokens))
        return torch.cat(values)

    def word_embeddings(self, tokens: Tokens) -> Tensor:
        return self._network.embedding.weight[torch.from_numpy(tokens.ids.copy()).to(self._network.device)]

    def token_embedding(self, token_id: int) -> Tensor:
        return self._network.embedding.weight[token_id]

    def rows_read(self, tokens: Tokens, target: Target) -> npt.NDArray[np.float64]:
        weights = np.zeros(len(tokens))
        module = self._network.module
        if self._network.read_apart:
            text_of = torch.from_numpy(tokens.segment.copy())[None]
            shares = [module.pooling.weights(text_of, text_of >= 0, text)[0] for text in (0, 1)]
            return torch.stack(shares).double().mean(dim=0).numpy()
        if target.positions:
            weights[list(target.positions)] = 1 / len(target.positions)
        elif getattr(module.config, "classifier_pooling", "cls") == "mean":  # ModernBERT, and heads of ours
            weights[:] = 1 / len(tokens)
        else:
            weights[0] = 1.0
        return weights

    # Capabilities

    @property
    def attention(self) -> Attention:
        return EncoderAttention(self, self._network)

    @property
    def neurons(self) -> Neurons:
        return EncoderNeurons(self, self._network, self._neurons_per_layer)

    @property
    def vectors(self) -> Vectors:
        return EncoderVectors(self, self._network, self._text_encoder)

    @property
    def post_norm(self) -> tuple[PostNormLayer, ...]:
        return post_norm_layers(self._network.module) or super().post_norm

    @property
    def row_head(self) -> RowHead:
        return self._network.row_head or super().row_head

    def own_module(self, tokens: Tokens, target: Target, meter: Meter | None = None) -> TargetModule:
        self.require({"activations"})
        twin = self._network.copied()
        return TargetModule(twin.module, functools.partial(twin.value_at, tokens, target), meter)

    def randomized(self, layers: int, seed: int) -> "EncoderModel":
        self.require({"random_layers"})
        twin = copy.copy(self)
        twin._network = self._network.on(reinitialized(self._network.module, layers, seed))
        drawn = f"{self.record.weight_sha256}, {layers} layers and the head drawn anew from {seed}"
        twin.record = replace(self.record, weight_sha256=drawn)
        return twin


class EncoderAttention(Attention):
    """Attention of a model of transformers."""

    def __init__(self, model: EncoderModel, network: Network) -> None:
        super().__init__(model._lacking)
        self._model, self._network = model, network

    def trace(self, tokens: Tokens, meter: Meter | None = None) -> Trace:
        return self.trace_each([tokens], meter)[0]

    def trace_each(self, texts: Sequence[Tokens], meter: Meter | None = None) -> list[Trace]:
        self._model.require({"trace"})
        network = self._network
        made: dict[int, Trace] = {}
        for chunk in chunks_by_length([len(tokens) for tokens in texts], balanced_with_maps):
            batch = [texts[number] for number in chunk]
            rows = [as_row(tokens) for tokens in batch]
            keep, logits, states = traced(network, network.inputs(rows), network.attended(rows))
            predictions = network.predictions_from(as_raw(logits, network.places_predicted(batch)), batch)
            for row, (number, tokens, prediction) in enumerate(zip(chunk, batch, predictions)):
                made[number] = Trace(
                    prediction,
                    _of_text(keep.weights, row, len(tokens), len(tokens)),
                    *(_of_text(parts, row, len(tokens)) for parts in (keep.queries, keep.keys, keep.values, states)),
                )
            tick(meter, forward=len(chunk), positions=len(chunk) * len(batch[0]))
        return in_order(made)

    def gradients(self, tokens: Tokens, target: Target, meter: Meter | None = None) -> AttentionGradients:
        return self.gradients_each([(tokens, target)], meter)[0]

    def gradients_each(
        self, targets: Sequence[tuple[Tokens, Target]], meter: Meter | None = None
    ) -> list[AttentionGradients]:
        self._model.require({"attention_gradients"})
        network = self._network
        made: dict[int, AttentionGradients] = {}
        for chunk in chunks_by_length([len(tokens) for tokens, _ in targets], balanced_with_maps):
            rows = [as_row(*targets[number]) for number in chunk]
            keep = KeepDifferentiable()
            with torch.enable_grad(), probing(keep):
                raw = network.raw(network.inputs(rows), network.attended(rows), network.places(rows))
                values = network.values(raw, rows)
                gradients = torch.autograd.grad(values.sum(), keep.weights)
            for place, (number, row, output) in enumerate(zip(chunk, rows, values.tolist())):
                shape = place, len(row.tokens), len(row.tokens)
                made[number] = AttentionGradients(
                    output, _of_text(keep.weights, *shape).detach(), _of_text(gradients, *shape)
                )
            tick(meter, forward=len(chunk), backward=len(chunk), positions=len(chunk) * len(rows[0].tokens))
        return in_order(made)

    def scores_with_ablation(
        self, tokens: Tokens, target: Target, cuts: Sequence[Sequence[Cut]], meter: Meter | None = None
    ) -> Scores:
        self._model.require({"cuts"})
        return self._network.scores_of_sets(tokens, target, cuts, lambda some: probing(CutWeights(some)), meter)


class EncoderNeurons(Neurons):
    """Neurons of a model of transformers."""

    def __init__(self, model: EncoderModel, network: Network, per_layer: int) -> None:
        super().__init__(model._lacking)
        self._model, self._network, self._per_layer = model, network, per_layer

    @property
    def per_layer(self) -> int:
        return self._per_layer

    def inside(self, tokens: Tokens, target: Target, meter: Meter | None = None) -> Inside:
        self._model.require({"neurons"})
        network = self._network
        row = as_row(tokens, target)
        places = network.places([row])
        keep, score = network.kept_inside(
            network.inputs([row]), places, lambda raw: network.task.scalar(raw, target, places, network.head).sum()
        )
        gradients = torch.autograd.grad(score, (*keep.states, *keep.neurons))
        tick(meter, forward=1, backward=1, positions=len(tokens))
        return Inside(
            float(score.detach()),
            torch.cat(keep.states).detach(),
            torch.cat(gradients[: len(keep.states)]),
            torch.cat(keep.neurons).detach(),
            torch.cat(gradients[len(keep.states) :]),
        )

    def stream_activations(self, texts: Sequence[Tokens], see: SeeNeurons, meter: Meter | None = None) -> None:
        self._model.require({"neurons"})
        rows = [as_row(tokens) for tokens in texts]
        chunk: list[int] = []

        def show(layer: int, neurons: Tensor) -> Tensor:
            see(chunk, layer, neurons)
            return neurons

        network = self._network
        module = network.copied().module
        NeuronHooks(module, show)
        body = (
            module if network.read_apart else module.base_model
        )  # a head over a vocabulary takes longer than the rest
        for chunk in chunks(rows):
            batch = [rows[number] for number in chunk]
            attended = network.attended(batch)
            with torch.inference_mode():
                options = {} if attended is None else {"attention_mask": attended.long()}
                body(**network.inputs(batch), **options)
            tick(meter, forward=len(chunk), positions=len(chunk) * max(len(row.variant) for row in batch))

    def scores_with_ablation(
        self, tokens: Tokens, target: Target, sets: Sequence[Sequence[Neuron]], meter: Meter | None = None
    ) -> Scores:
        self._model.require({"neurons"})
        twin = self._network.copied(whole=True)
        silence = Silence(twin.module)
        return twin.scores_of_sets(tokens, target, sets, silence.of, meter)


class EncoderVectors(Vectors):
    """Vectors of a model of transformers."""

    def __init__(self, model: EncoderModel, network: Network, text_encoder: TextEncoder) -> None:
        super().__init__(model._lacking, text_encoder.longest_text)
        self._model, self._network, self._text_encoder = model, network, text_encoder

    @property
    def poolings(self) -> tuple[str, ...]:
        own = "mean"
        if self._lstm is not None:
            own = "lstm"
        elif self._network.read_apart and self._network.module.pooling.kind == "first":
            own = "cls"
        without = {"cls"} if self._network.family.causal else set()
        without |= {"lstm"} if self._lstm is None else set()
        return (own, *(name for name in POOLINGS if name != own and name not in without))

    @property
    def _lstm(self) -> TokenLSTM | None:
        return getattr(self._network.module, "lstm", None)

    def read(self, texts: Sequence[str], pooling: str = "mean", meter: Meter | None = None) -> ReadTexts:
        named = pooling_named(pooling, self._model.layers, self._lstm)
        if named.kind == "first" and self._network.family.causal:
            raise SettingError(
                f"In {self._model.name} no token looks ahead, so the first knows nothing of the text: "
                "take the pooling mean."
            )
        return read_vectors(
            self._network.module.base_model,
            self._text_encoder.encodings(texts),
            named,
            types=self._network.takes_types,
            unknown=self._model.unk_id,
            meter=meter,
        )

    def jvp(
        self, tokens: Tokens, points: Tensor, directions: Tensor, meter: Meter | None = None
    ) -> tuple[Tensor, Tensor]:
        self._model.require({"jvp"})
        network = self._network
        vectors, derivatives = [], []
        size = balanced(len(points), len(tokens))
        for part, direction in zip(points.split(size), directions.split(size)):
            inputs = network.inputs([as_row(tokens)] * len(part))
            del inputs["input_ids"]
            part_vectors, part_derivatives = jvp(network.module, inputs, part, direction)
            vectors.append(part_vectors)
            derivatives.append(part_derivatives)
            tick(meter, forward=len(part), backward=len(part), positions=len(part) * len(tokens))
        return torch.cat(vectors), torch.cat(derivatives)


def _of_text(layers: Sequence[Tensor], row: int, rows: int, columns: int | None = None) -> Tensor:
    """Return one text's part of tensors of every layer, L of (B, ..., T, D) or (B, ..., T, T), without padding."""
    return torch.stack([tensor[row, ..., :rows, :columns] for tensor in layers])


def _check_supported(name: str, module: PreTrainedModel | SentencePair, tokenizer: PreTrainedTokenizerBase) -> None:
    """Check a module and its tokenizer before anything is run.

    Raises:
        ModelError: see `EncoderModel`.
    """
    if module.config.model_type not in FAMILIES:
        raise ModelError(
            f"{name} is of the family {module.config.model_type!r}, which is not supported. "
            f"Supported: {', '.join(sorted(FAMILIES))}."
        )
    if not tokenizer.is_fast:
        raise ModelError(f"{name} has no fast tokenizer (tokenizer.json), so its pieces can't be laid over the text.")
    other = {parameter.dtype for parameter in module.parameters()} - {torch.float32}
    if other:
        raise ModelError(f"{name} has weights in {other}; explanations need float32.")
