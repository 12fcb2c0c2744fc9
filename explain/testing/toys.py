"""Toy models whose answers have closed forms, one for each task."""

import re
import zlib
from abc import abstractmethod
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from explain.core.errors import TargetError, TextError
from explain.core.meter import Meter
from explain.datatypes import AttentionMaps, ModelRecord, Prediction, Target, Tokens
from explain.models.base import Decision, Observation, Row, Scores, TextModel
from explain.tasks.base import TASKS, Head, Raw, Vocabulary
from explain.text.checks import check_text
from explain.text.removal import Variant, unchanged
from explain.text.words import word_ranges, word_spans

VOCABULARY = 400
CLS, SEP, PAD, MASK, UNK = range(5)


class ToyModel(TextModel):
    """A model over a hashed vocabulary. Words longer than four letters are two pieces; [MASK] is one.

    Subclasses compute the head's outputs from word embeddings. Attention is uniform in every layer.
    """

    capabilities = frozenset({"attention", "gradients"})
    max_tokens = 48
    mask_id, pad_id, unk_id = MASK, PAD, UNK
    layers, heads, width = 2, 2, 6

    def __init__(self, name: str) -> None:
        self.name = name
        generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
        self.embedding = torch.randn(VOCABULARY, self.width, generator=generator)
        digest = f"{zlib.crc32(name.encode()):08x}"
        size = VOCABULARY * self.width
        kind = type(self).__name__
        self.record = ModelRecord(name, "toy", digest, digest, kind, size, 2, 2, self.width, VOCABULARY, self.task.name)

    @abstractmethod
    def raw(self, points: Tensor, attended: Tensor, places: Tensor, segment: Tensor) -> Raw:
        """Return the head's outputs.

        Args:
            points (B, T, D): word embeddings; attended (B, T): False for tokens that are hidden.
            places (B, P): the tokens that the head reads; segment (B, T): the text of each token.
        """

    def encode(self, text: str, text_pair: str | None = None) -> Tokens:
        self.check_pair(text_pair)
        texts = (text,) if text_pair is None else (text, text_pair)
        ids, pieces, spans, segment = [CLS], ["[CLS]"], [(0, 0)], [0]
        cut: list[int | None] = []
        for number, part in enumerate(texts):
            check_text(part)
            cut.append(None)
            for start, left, right in _pieces(part):
                if len(ids) >= self.max_tokens - 1:
                    cut[-1] = left if cut[-1] is None else cut[-1]
                    continue
                masked = part[left:right] == "[MASK]"
                pieces.append("[MASK]" if masked else ("##" if left > start else "") + part[left:right].lower())
                ids.append(MASK if masked else 5 + zlib.crc32(pieces[-1].encode()) % (VOCABULARY - 5))
                spans.append((left, right))
                segment.append(number)
            ids, pieces, spans, segment = [*ids, SEP], [*pieces, "[SEP]"], [*spans, (0, 0)], [*segment, number]
        special = np.array([start == stop for start, stop in spans])
        if special.all():
            raise TextError("There is nothing in this text that the toy can read.")
        segments = np.array(segment)
        places = np.array(spans)
        words = np.array(word_ranges(texts, places, segments, special))
        return Tokens(
            text,
            np.array(ids),
            tuple(pieces),
            places,
            segments,
            special,
            words,
            text_pair=text_pair,
            truncated_at=tuple(cut),
            text_names=self.text_names,
            read_apart=self.task.name == "sentence_similarity",
        )

    def observe(self, tokens: Tokens, meter: Meter | None = None) -> Observation:
        prediction = self.predict(tokens, meter)
        count = len(tokens)
        return Observation(prediction, AttentionMaps(tokens, np.full((2, 2, count, count), 1 / count), ("0", "1")))

    def predict(self, tokens: Tokens, meter: Meter | None = None) -> Prediction:
        places = self.task.positions(tokens, self.head)
        _tick(meter, 1, len(tokens))
        return self.task.prediction(self._run(tokens, [unchanged(tokens)], [places]), tokens, self.head)

    def scores(self, rows: Sequence[Row], meter: Meter | None = None) -> Scores:
        values, decisions = np.empty(len(rows)), np.empty(len(rows), dtype=np.int64)
        for batch in _alike(rows):
            places = [self._places(rows[number]) for number in batch]
            tokens, target = rows[batch[0]].tokens, rows[batch[0]].target
            raw = self._run(tokens, [rows[number].variant for number in batch], places)
            read = raw, target, torch.tensor(places, dtype=torch.long).reshape(len(batch), -1), self.head
            values[batch] = self.task.scalar(*read).numpy()
            decisions[batch] = self.task.decision(*read).numpy()
            _tick(meter, len(batch), sum(len(rows[number].variant) for number in batch))
        return Scores(values, decisions)

    def decide(self, row: Row, meter: Meter | None = None) -> Decision:
        places = self._places(row)
        raw = self._run(row.tokens, [row.variant], [places])
        read = raw, row.target, torch.tensor([places], dtype=torch.long).reshape(1, -1), self.head
        output, number = float(self.task.scalar(*read)[0]), int(self.task.decision(*read)[0])
        _tick(meter, 1, len(row.variant))
        return Decision(output, number, *self.task.decided(*read, row.tokens))

    def word_embeddings(self, tokens: Tokens) -> Tensor:
        return self.embedding[torch.tensor(tokens.ids.tolist())]

    def token_embedding(self, token_id: int) -> Tensor:
        return self.embedding[token_id]

    def values(self, tokens: Tokens, target: Target, points: Tensor, meter: Meter | None = None) -> Tensor:
        _tick(meter, len(points), points.shape[0] * points.shape[1])
        return self._value(tokens, target, points).detach()

    def gradients(
        self, tokens: Tokens, target: Target, points: Tensor, meter: Meter | None = None
    ) -> tuple[Tensor, Tensor]:
        self.require({"gradients"})
        start = points.detach().clone().requires_grad_(True)
        outputs = self._value(tokens, target, start)
        (gradient,) = torch.autograd.grad(outputs.sum(), start)
        if meter is not None:
            meter.tick(forward=len(points), backward=len(points), positions=points.shape[0] * points.shape[1])
        return outputs.detach(), gradient

    def chunks(self, count: int, length: int) -> int:
        return 1

    def rows_read(self, tokens: Tokens, target: Target) -> npt.NDArray[np.float64]:
        return np.eye(len(tokens))[list(target.positions) or [0]].mean(axis=0)

    def _places(self, row: Row) -> tuple[int, ...]:
        """Return the places in a row that its target needs."""
        normalizers = self.task.normalizer_positions(row.tokens, row.target, self.head)
        return (*row.variant.places(row.target.positions), *row.variant.places_left(normalizers))

    def _value(self, tokens: Tokens, target: Target, points: Tensor) -> Tensor:
        read = self.places_read(tokens, target)
        places = torch.tensor([read] * len(points), dtype=torch.long).reshape(len(points), -1)
        segment = torch.from_numpy(tokens.segment.copy()).expand(len(points), -1)
        raw = self.raw(points, torch.ones(points.shape[:2], dtype=torch.bool), places, segment)
        return self.task.scalar(raw, target, places, self.head)

    def _run(self, tokens: Tokens, variants: Sequence[Variant], places: Sequence[tuple[int, ...]]) -> Raw:
        """Run variants of a text, of equal length, each read at its places."""
        points = self.embedding[torch.from_numpy(np.stack([variant.ids for variant in variants]))]
        zeroed = torch.from_numpy(np.stack([variant.zeroed for variant in variants]))
        attended = torch.from_numpy(np.stack([variant.attended for variant in variants]))
        segment = torch.from_numpy(np.stack([tokens.segment[variant.kept] for variant in variants]))
        return self.raw(points.masked_fill(zeroed[..., None], 0.0), attended, torch.tensor(places), segment)


def _alike(rows: Sequence[Row]) -> Iterator[list[int]]:
    """Yield numbers of rows of the same text, length and target, at most 64 at a time."""
    groups: dict[tuple[int, int, Target], list[int]] = {}
    for number, row in enumerate(rows):
        groups.setdefault((id(row.tokens), len(row.variant), row.target), []).append(number)
    for group in groups.values():
        yield from (group[start : start + 64] for start in range(0, len(group), 64))


def _pieces(text: str) -> Iterator[tuple[int, int, int]]:
    """Yield the start of each piece's word, and the piece's characters."""
    behind_mask = 0
    for start, stop in word_spans(text):
        if start < behind_mask:
            continue
        if text.startswith("[MASK]", start):
            behind_mask = start + len("[MASK]")
            yield start, start, behind_mask
        elif stop - start <= 4:
            yield start, start, stop
        else:
            yield start, start, start + 4
            yield start, start + 4, stop


def _tick(meter: Meter | None, forward: int, positions: int) -> None:
    if meter is not None:
        meter.tick(forward=forward, positions=positions)


class ToyClassifier(ToyModel):
    """A classifier of two labels. The negative logit is zero, so the log-odds of "positive" are the positive logit."""

    capabilities = ToyModel.capabilities | {"label"}
    task = TASKS["text_classification"]
    head = Head(("negative", "positive"))

    @abstractmethod
    def logit(self, points: Tensor, attended: Tensor) -> Tensor:
        """Return the positive logit (B,) of embeddings (B, T, D); attended (B, T) is False for hidden tokens."""

    def raw(self, points: Tensor, attended: Tensor, places: Tensor, segment: Tensor) -> Raw:
        positive = self.logit(points, attended)
        return {"logits": torch.stack([torch.zeros_like(positive), positive], dim=-1)}


class LinearModel(ToyClassifier):
    """A bag of embeddings: F = sum over tokens of w . x. The right additive scores are w . (x - b)."""

    def __init__(self, name: str = "linear") -> None:
        super().__init__(name)
        self.weight = torch.linspace(-1, 1, self.width)

    def logit(self, points: Tensor, attended: Tensor) -> Tensor:
        return ((points @ self.weight) * attended).sum(dim=-1)


class CurvedModel(ToyClassifier):
    """A smooth model that is not additive: F = 4 tanh(mean of w . x) + product terms of neighbours."""

    def __init__(self, name: str = "curved") -> None:
        super().__init__(name)
        self.weight = torch.linspace(1, -1, self.width)

    def logit(self, points: Tensor, attended: Tensor) -> Tensor:
        parts = torch.tanh(points @ self.weight) * attended
        together = (parts[:, 1:] * parts[:, :-1]).sum(dim=-1)
        return 4 * torch.tanh(parts.sum(dim=-1) / 3) + together


class PlantedModel(ToyClassifier):
    """A model that decides "positive" if and only if the text has the word "zebra": methods must rank it first."""

    def __init__(self, name: str = "planted", word: str = "zebra") -> None:
        super().__init__(name)
        first = self.encode(word).ids[1]
        self.embedding[:, 0] = 0.0
        self.embedding[first, 0] = 1.0
        self.word = word

    def logit(self, points: Tensor, attended: Tensor) -> Tensor:
        return 6 * torch.tanh((points[..., 0] * attended).sum(dim=-1)) - 2


class NoGradientModel(LinearModel):
    """A model that can't be run from embeddings."""

    capabilities = frozenset({"attention"})


class ToyVocabulary(Vocabulary):
    """A vocabulary in which each column is a word with its number, such as "word7", except special tokens."""

    mask, mask_id = "[MASK]", MASK
    no_words = (CLS, SEP, PAD, MASK, UNK)

    def word(self, index: int) -> str:
        return f"word{index}"

    def find(self, word: str) -> int:
        if not re.fullmatch(r"word\d{1,4}", word) or int(word[4:]) >= VOCABULARY:
            raise TargetError(f"{word!r} is not in the toy's vocabulary.")
        return int(word[4:])


class MaskedModel(ToyModel):
    """A model of masked words: z_w = e_w . (sum of x / 4 + the token before the mask). The word before counts most."""

    task = TASKS["fill_mask"]
    head = Head((), vocabulary=ToyVocabulary())

    def __init__(self, name: str = "masked") -> None:
        super().__init__(name)

    def raw(self, points: Tensor, attended: Tensor, places: Tensor, segment: Tensor) -> Raw:
        read = points * attended[..., None]
        before = read[torch.arange(len(points))[:, None], places - 1]  # (B, P, D)
        return {"rows": (read.sum(dim=1, keepdim=True) / 4 + before) @ self.embedding.T}


class SequelModel(CurvedModel):
    """A model of next sentences: the curved model's number for both texts; "is not next" has the logit zero."""

    task = TASKS["next_sentence_prediction"]
    head = Head(("is next", "is not next"))

    def __init__(self, name: str = "sequel") -> None:
        super().__init__(name)

    def raw(self, points: Tensor, attended: Tensor, places: Tensor, segment: Tensor) -> Raw:
        return {"logits": super().raw(points, attended, places, segment)["logits"].flip(-1)}


class JudgingModel(CurvedModel):
    """A model of entailment: the curved model's number against zero; "neutral" has no part in it."""

    capabilities = ToyModel.capabilities
    task = TASKS["zero_shot_classification"]
    head = Head(("contradiction", "neutral", "entailment"))

    def __init__(self, name: str = "judging") -> None:
        super().__init__(name)

    def encode(self, text: str, text_pair: str | None = None) -> Tokens:
        return self.windows(text, text_pair)[0]

    def windows(self, text: str, text_pair: str | None = None) -> tuple[Tokens, ...]:
        self.check_pair(text_pair)
        return tuple(super(JudgingModel, self).encode(text, second) for second in self.task.second_texts(text_pair))

    def raw(self, points: Tensor, attended: Tensor, places: Tensor, segment: Tensor) -> Raw:
        logits = super().raw(points, attended, places, segment)["logits"]
        return {"logits": torch.cat([logits[:, :1], logits[:, :1], logits[:, 1:]], dim=-1)}


class TaggingModel(ToyModel):
    """A model of labels of words: z_l = w_l . (x at the word + tanh of the sum of x), so that the context matters."""

    task = TASKS["token_classification"]
    head = Head(("O", "B-PER", "I-PER", "B-LOC", "I-LOC"))

    def __init__(self, name: str = "tagging") -> None:
        super().__init__(name)
        self.weight = torch.linspace(-1, 1, self.width * 5).view(self.width, 5).cos() * 2

    def raw(self, points: Tensor, attended: Tensor, places: Tensor, segment: Tensor) -> Raw:
        read = points * attended[..., None]
        here = read[torch.arange(len(points))[:, None], places]  # (B, P, D)
        return {"rows": (here + torch.tanh(read.sum(dim=1, keepdim=True))) @ self.weight}


class AnswerModel(ToyModel):
    """A model of answers: z_i = u . x_i (1 + tanh(w . sum of x)), with a vector u for the start and for the end."""

    task = TASKS["question_answering"]
    head = Head(("start", "end"))

    def __init__(self, name: str = "answer") -> None:
        super().__init__(name)
        self.weight = torch.linspace(-1, 1, self.width * 2).view(self.width, 2)
        self.common = torch.linspace(0.5, -0.5, self.width)

    def raw(self, points: Tensor, attended: Tensor, places: Tensor, segment: Tensor) -> Raw:
        read = points * attended[..., None]
        here = read[torch.arange(len(points))[:, None], places]  # (B, P, D)
        common = 1 + torch.tanh(read.sum(dim=1, keepdim=True) @ self.common)
        return {"rows": (here @ self.weight) * common[..., None]}


class NearModel(ToyModel):
    """A model of similarity: the cosine of the sums of tanh x over each text, plus a part that all texts share."""

    task = TASKS["sentence_similarity"]
    head = Head(("similarity",), value=True)

    def __init__(self, name: str = "near") -> None:
        super().__init__(name)

    def raw(self, points: Tensor, attended: Tensor, places: Tensor, segment: Tensor) -> Raw:
        read = torch.tanh(points) * attended[..., None]
        first, second = ((read * (segment == text)[..., None]).sum(dim=1) + 0.5 for text in (0, 1))
        return {"logits": torch.cosine_similarity(first, second, dim=-1)[:, None]}


class WritingModel(MaskedModel):
    """A model of the next word, like the masked toy: z_w = e_w . (sum of x / 4 + the token before the last)."""

    task = TASKS["text_generation"]

    def __init__(self, name: str = "writing") -> None:
        super().__init__(name)


TOY_MODELS: dict[str, ToyModel] = {
    "linear": LinearModel(),
    "curved": CurvedModel(),
    "planted": PlantedModel(),
    "masked": MaskedModel(),
    "sequel": SequelModel(),
    "judging": JudgingModel(),
    "tagging": TaggingModel(),
    "answer": AnswerModel(),
    "near": NearModel(),
    "writing": WritingModel(),
}
TEXTS = {
    "plain": "The film isn't good, but its top-notch cast saves the zebra!",
    "one token": "zebra",
    "emoji": "so 😍👍🏽 good 🇩🇪",
    "right to left": "הסרט הזה לא טוב",
    "over-long": "a very long film about nothing at all, " * 12,
    "same word": "good good good good",
}


def texts_for(model: TextModel) -> dict[str, tuple[str, ...]]:
    """Return `TEXTS` in the form of a model's task: with a mask, after a question, or with a protected word."""
    if model.head.vocabulary is not None:
        parts = {name: text.partition(" ") for name, text in TEXTS.items()}
        return {name: (f"{first} {model.head.vocabulary.mask} {rest}",) for name, (first, _, rest) in parts.items()}
    if model.pair == "always":
        return {name: ("Is it so?", text) for name, text in TEXTS.items()}
    if model.task.positions(model.encode("so"), model.head):
        return {name: (f"so {text}",) for name, text in TEXTS.items()}
    return {name: (text,) for name, text in TEXTS.items()}


def uniform_rollout(count: int, layers: int, residual: float) -> npt.NDArray[np.float64]:
    """Return the rollout of uniform attention, in closed form: r^L I + (1 - r^L) / T."""
    return residual**layers * np.eye(count) + (1 - residual**layers) / count


def default_item(model: TextModel, text: str, text_pair: str | None = None) -> tuple[Tokens, Target]:
    """Return a text's tokens and the default target."""
    tokens = model.encode(text, text_pair)
    return tokens, model.task.target(model.predict(tokens), model.head)
