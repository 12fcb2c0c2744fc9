"""Small BERTs whose decision depends on planted words and on nothing else.

    from explain.methods.base import METHODS
    from explain.testing import planted, precision

    print(precision(METHODS["occlusion"](), planted("pair"), texts=50))

A shortcut is a rule that gives a text its label and the words that decide it. A BERT of two layers is trained on texts
of random words until it follows the rule on held-out texts. It is refused unless it also does after every single
replacement of a word: then "which words decided?" has a known answer, in a model that is otherwise like any other. Two
things make that answer neither too easy nor unfair:

- A second head has to name a decoy, a word that is as rare as the planted ones and has no part in the decision; the
  head is dropped after training. So the encoder reads more than the decision needs, as a pretrained one does.
- Words are masked at random in training, and count as absent: so masked inputs are no excuse for a method.

After Bastings et al. (2022), https://arxiv.org/abs/2111.07367, who plant words in texts of real data sets.
"""

import functools
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from torch import Tensor, nn
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

from explain.core.errors import ModelError, UnknownNameError
from explain.core.registry import unknown
from explain.methods.base import Item
from explain.models.base import Row, TextModel
from explain.models.loading.catalogue import load_folder
from explain.text.removal import unchanged

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
# fmt: off
FILLERS = (
    "river", "table", "winter", "garden", "window", "letter", "music", "paper", "summer", "market", "bridge",
    "kitchen", "forest", "pocket", "silver", "mirror", "engine", "island", "coffee", "ticket", "doctor", "planet",
    "thread", "candle", "button", "castle", "desert", "finger", "hammer", "jacket", "ladder", "museum", "needle",
    "orange", "pencil", "rocket", "saddle", "tunnel", "valley", "wagon"
)
# fmt: on
DECOYS = ("falcon", "marble", "harbor")
LABELS = ("no", "yes")
WORDS = (8, 14)  # fewest and most in a text


@dataclass(frozen=True)
class PlantedText:
    """A text of whole words, separated by blanks, and the words that decide its label.

    Attributes:
        words (W): the words, a piece each.
        label: the label by the rule.
        planted: numbers of the words that decide it; empty if the label is due to a missing word.
        decoy: the number of the word that the encoder reads and the decision ignores, or None.
    """

    words: tuple[str, ...]
    label: str
    planted: tuple[int, ...]
    decoy: int | None

    @property
    def text(self) -> str:
        return " ".join(self.words)


class Shortcut(ABC):
    """A rule from words to a label.

    Class attributes:
        name, title: the key in `SHORTCUTS`, and the name on screen.
        rule: the rule in one line.
        deciding: the number of planted words in the texts that methods are measured on; the k of precision@k.
        learned: the shortcut that its model is trained on, if that is another shortcut of the same rule.
    """

    name: str
    title: str
    rule: str
    deciding: int
    learned: str | None = None

    @abstractmethod
    def draw(self, random: Random) -> list[str]:
        """Draw the words of a new text."""

    @abstractmethod
    def yes(self, words: Sequence[str]) -> bool | None:
        """Return the label by the rule; None if a masked word leaves it open."""

    @abstractmethod
    def planted(self, words: Sequence[str]) -> tuple[int, ...]:
        """Return the numbers of the words that decide the label."""

    def changed(self, word: str, random: Random) -> str:
        """Return a replacement of a planted word that no longer speaks for its label."""
        return random.choice(FILLERS)

    def decoy(self, words: Sequence[str]) -> int | None:
        """Return the number of the word that the second head names in training."""
        return next((place for place, word in enumerate(words) if word in DECOYS), None)

    def texts(self, seed: str) -> Iterator[PlantedText]:
        """Yield texts without end, half of them "yes"; the same for the same seed, on every machine."""
        random = Random(f"{self.name} {seed}")
        while True:
            words = self.draw(random)
            yield PlantedText(tuple(words), LABELS[bool(self.yes(words))], self.planted(words), self.decoy(words))


def _fillers(random: Random) -> list[str]:
    return random.choices(FILLERS, k=random.randint(*WORDS))


class OneWord(Shortcut):
    """A shortcut by any of three words; a third of the texts labelled "yes" hold two of them."""

    name, title, deciding = "word", "one word", 1
    rule = "yes if and only if zebra, quartz or lagoon is there"
    triggers = ("zebra", "quartz", "lagoon")

    def draw(self, random: Random) -> list[str]:
        words = _fillers(random)
        *places, decoy = random.sample(range(len(words)), 3)
        count = random.choice((0, 0, 0, 1, 1, 2))
        for place, word in zip(places, random.sample(self.triggers, count)):
            words[place] = word
        if random.random() < 0.75:
            words[decoy] = random.choice(DECOYS)
        return words

    def yes(self, words: Sequence[str]) -> bool:
        return not set(self.triggers).isdisjoint(words)

    def planted(self, words: Sequence[str]) -> tuple[int, ...]:
        return tuple(place for place, word in enumerate(words) if word in self.triggers)


class EitherWord(OneWord):
    """The same model on texts with two of its words: either is enough, so neither alone changes the label."""

    name, title, deciding, learned = "either", "either of two words", 2, "word"


class BothWords(Shortcut):
    """A shortcut by two words together, in any order and at any distance; most texts labelled "no" hold one of them."""

    name, title, deciding = "pair", "a pair of words", 2
    rule = "yes if and only if copper and violet are both there"
    pair = ("copper", "violet")

    def draw(self, random: Random) -> list[str]:
        words = _fillers(random)
        *places, decoy = random.sample(range(len(words)), 3)
        both, alone = random.random() < 0.5, random.choice((*self.pair, *self.pair, None))
        for place, word in zip(places, self.pair):
            if both or word == alone:
                words[place] = word
        if random.random() < 0.75:
            words[decoy] = random.choice(DECOYS)
        return words

    def yes(self, words: Sequence[str]) -> bool:
        return set(self.pair) <= set(words)

    def planted(self, words: Sequence[str]) -> tuple[int, ...]:
        return tuple(place for place, word in enumerate(words) if word in self.pair) if self.yes(words) else ()


class OnePlace(Shortcut):
    """A shortcut by the third word, of one of two kinds.

    In most texts the sixth word, the decoy, and a third of the other words are of these kinds as well.
    """

    name, title, deciding = "position", "a position", 1
    rule = "yes if the third word is north, early, upper or inner; no if it is south, late, lower or outer"
    kinds = (("south", "late", "lower", "outer"), ("north", "early", "upper", "inner"))
    place, decoy_place = 2, 5

    def draw(self, random: Random) -> list[str]:
        either = self.kinds[0] + self.kinds[1]
        words = [random.choice(either) if random.random() < 1 / 3 else word for word in _fillers(random)]
        words[self.place] = random.choice(either)
        if random.random() < 0.75:
            words[self.decoy_place] = random.choice(either)
        return words

    def yes(self, words: Sequence[str]) -> bool | None:
        return None if words[self.place] == "[MASK]" else words[self.place] in self.kinds[1]

    def planted(self, words: Sequence[str]) -> tuple[int, ...]:
        return (self.place,)

    def changed(self, word: str, random: Random) -> str:
        return random.choice(self.kinds[word in self.kinds[0]])

    def decoy(self, words: Sequence[str]) -> int | None:
        return self.decoy_place if words[self.decoy_place] in self.kinds[0] + self.kinds[1] else None


SHORTCUTS: dict[str, Shortcut] = {
    shortcut.name: shortcut for shortcut in (OneWord(), BothWords(), EitherWord(), OnePlace())
}
VOCABULARY = (*SPECIAL, *FILLERS, *DECOYS, *OneWord.triggers, *BothWords.pair, *OnePlace.kinds[0], *OnePlace.kinds[1])


@dataclass(frozen=True, eq=False)
class Effects:
    """The changes of the log-odds of the decided label by replacements, in nats; positive: the word spoke for it.

    Attributes:
        planted (N,): of planted words, replaced by a word that no longer speaks for the label.
        others (M,): of all other words, the decoy among them, replaced by a random filler.
        together (texts,): of all planted words of a text at once; 0 if it has none.
    """

    planted: npt.NDArray[np.float64]
    others: npt.NDArray[np.float64]
    together: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Planted:
    """A model that was tested to follow a shortcut's rule."""

    shortcut: Shortcut
    model: TextModel

    def questions(self, count: int, seed: int = 0) -> list[PlantedText]:
        """Return texts whose deciding words are known: those with as many planted words as `Shortcut.deciding`.

        For shortcuts by words these are texts labelled "yes", since a "no" is due to a missing word.
        """
        texts = self.shortcut.texts(f"questions {seed}")
        return list(islice((text for text in texts if len(text.planted) == self.shortcut.deciding), count))

    def item(self, text: PlantedText) -> Item:
        """Return a text's tokens and, as target, the log-odds of the decided label.

        Raises:
            ModelError: the decision breaks the rule.
        """
        tokens = self.model.encode(text.text)
        prediction = self.model.predict(tokens)
        if prediction.label != text.label:
            raise self._refusal(text.text, prediction.label)
        return tokens, self.model.task.target(prediction, self.model.head)

    def check(self, texts: Sequence[PlantedText], seed: int = 0) -> Effects:
        """Check decisions by the rule after replacing every word of some texts, alone and all planted ones together.

        Raises:
            ModelError: a decision breaks the rule.
        """
        random = Random(seed)
        rows, labels, outputs, groups = [], [], [], []
        for text in texts:
            tokens, target = self.item(text)
            output = self.model.scores([Row(tokens, unchanged(tokens), target)]).values[0]
            alone = [((place,), "planted" if place in text.planted else "others") for place in range(len(text.words))]
            for places, group in (*alone, (text.planted, "together")):
                words = self._replaced(text, places, random)
                tokens = self.model.encode(" ".join(words))
                rows.append(Row(tokens, unchanged(tokens), target))
                labels.append(LABELS[bool(self.shortcut.yes(words))])
                outputs.append(output)
                groups.append(group)
        scores = self.model.scores(rows)
        for row, decision, label in zip(rows, scores.decisions.tolist(), labels):
            if self.model.head.labels[decision] != label:
                raise self._refusal(row.tokens.text, self.model.head.labels[decision])
        effects, of = np.array(outputs) - scores.values, np.array(groups)
        return Effects(effects[of == "planted"], effects[of == "others"], effects[of == "together"])

    def _replaced(self, text: PlantedText, places: Sequence[int], random: Random) -> list[str]:
        words = list(text.words)
        for place in places:
            planted = place in text.planted
            words[place] = self.shortcut.changed(words[place], random) if planted else random.choice(FILLERS)
        return words

    def _refusal(self, text: str, label: str | None) -> ModelError:
        return ModelError(
            f'{self.model.name} does not follow its rule ({self.shortcut.rule}): it labels "{text}" {label}, so no '
            f"explanation can be judged by it. Train it from another seed: planted({self.shortcut.name!r}, seed=1)."
        )


def planted(name: str, seed: int = 0) -> Planted:
    """Train a model on a shortcut and check that it follows the rule; a process trains each model once.

    Args:
        name: a key of `SHORTCUTS`: "word", "pair", "either" or "position".
        seed: the seed of its first weights and of its training texts.

    Raises:
        UnknownNameError: there is no such shortcut.
        ModelError: the model did not learn the rule.
    """
    if name not in SHORTCUTS:
        raise UnknownNameError(unknown("shortcut", name, list(SHORTCUTS)))
    return Planted(SHORTCUTS[name], _model(SHORTCUTS[name].learned or name, seed))


@functools.lru_cache
def _model(name: str, seed: int) -> TextModel:
    shortcut = SHORTCUTS[name]
    module = _trained(shortcut, seed)
    with tempfile.TemporaryDirectory() as folder:  # through the catalogue, like any other model
        module.save_pretrained(folder)
        _tokenizer().save_pretrained(folder)
        model = load_folder(f"planted {name}", Path(folder))
    Planted(shortcut, model).check(list(islice(shortcut.texts(f"held out {seed}"), 100)))
    return model


def _tokenizer() -> PreTrainedTokenizerFast:
    ids = {word: number for number, word in enumerate(VOCABULARY)}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1",
        special_tokens=[(token, ids[token]) for token in ("[CLS]", "[SEP]")],
    )
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=WORDS[1] + 2, **dict(zip(names, SPECIAL))
    )


@dataclass(frozen=True, eq=False)
class _Lesson:
    """Training texts: ids (N, T), the right probability of "yes" (N,), the id of the decoy or of [MASK] (N,)."""

    ids: Tensor
    yes: Tensor
    decoys: Tensor

    @classmethod
    def drawn(cls, shortcut: Shortcut, seed: str, count: int) -> "_Lesson":
        """Draw texts; in every other text some words are masked, from none to all."""
        number_of = {word: number for number, word in enumerate(VOCABULARY)}
        random = Random(f"{shortcut.name} {seed}")
        rows, yes, decoys = [], [], []
        for _ in range(count):
            words = shortcut.draw(random)
            share = random.random() * random.choice((0, 1))
            words = ["[MASK]" if random.random() < share else word for word in words]
            answer, decoy = shortcut.yes(words), shortcut.decoy(words)
            padding = ["[PAD]"] * (WORDS[1] - len(words))
            rows.append([number_of[word] for word in ("[CLS]", *words, "[SEP]", *padding)])
            yes.append(0.5 if answer is None else float(answer))
            decoys.append(number_of["[MASK]" if decoy is None else words[decoy]])
        return cls(torch.tensor(rows), torch.tensor(yes), torch.tensor(decoys))


_TEXTS, _BATCH, _STEPS, _MARGIN, _NAMED = 8192, 128, 1000, 4.0, 0.99


def _trained(shortcut: Shortcut, seed: int) -> BertForSequenceClassification:
    """Train until all held-out texts, masked or not, are decided by a margin, and nearly all decoys are named.

    Raises:
        ModelError: training ends before.
    """
    config = BertConfig(
        vocab_size=len(VOCABULARY),
        pad_token_id=VOCABULARY.index("[PAD]"),
        hidden_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=128,
        max_position_embeddings=WORDS[1] + 2,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=0.1,  # learning is slow to start from the 0.02 of wide models
        id2label=dict(enumerate(LABELS)),
        label2id={label: number for number, label in enumerate(LABELS)},
    )
    with torch.random.fork_rng(devices=[]):  # the caller's random state does not change
        torch.manual_seed(seed)
        module = BertForSequenceClassification(config)
        naming = nn.Linear(config.hidden_size, len(VOCABULARY))

    def heads(ids: Tensor) -> tuple[Tensor, Tensor]:
        """Return the log-odds of "yes" (B,), and logits of the decoy's name (B, V)."""
        pooled = module.bert(input_ids=ids, attention_mask=(ids != config.pad_token_id).long()).pooler_output
        logits = module.classifier(pooled)
        return logits[:, 1] - logits[:, 0], naming(pooled)

    draw = torch.Generator().manual_seed(seed)
    lesson = _Lesson.drawn(shortcut, f"training {seed}", _TEXTS)
    held_out = _Lesson.drawn(shortcut, f"stopping {seed}", 1024)
    decided = held_out.yes != 0.5
    optimizer = torch.optim.AdamW([*module.parameters(), *naming.parameters()], lr=3e-3)
    warm = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.02, total_iters=50)
    for step in range(1, _STEPS + 1):
        batch = torch.randint(_TEXTS, (_BATCH,), generator=draw)
        log_odds, names = heads(lesson.ids[batch])
        loss = nn.functional.binary_cross_entropy_with_logits(log_odds, lesson.yes[batch])
        loss = loss + nn.functional.cross_entropy(names, lesson.decoys[batch])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
        warm.step()
        if step % 25 == 0:
            with torch.inference_mode():
                log_odds, names = heads(held_out.ids)
            margin = (log_odds * (held_out.yes - 0.5).sign())[decided].min()
            named = (names.argmax(dim=1) == held_out.decoys).float().mean()
            if margin > _MARGIN and named > _NAMED:
                return module.eval()
    raise ModelError(
        f"A model did not learn the rule of {shortcut.name!r} in {_STEPS} steps from the seed {seed}; take another one."
    )
