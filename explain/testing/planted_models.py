"""Small BERTs whose decision depends on planted words and on nothing else.

    from explain.methods.base import METHODS
    from explain.testing import planted, precision

    print(precision(METHODS["occlusion"](), planted("pair"), texts=50))

A shortcut is a rule that says which label a text has and which of its words decide that. A BERT of two layers is
trained on texts of random words until it follows the rule on texts held out, and is refused unless it does so after
every single replacement of a word as well: then "which words decided?" has a known answer, in a model that is otherwise
like any other. Two things keep that answer from being too easy, or unfair, to find:

- A second head has to name a decoy, a word that is as rare as the planted ones and has no part in the decision; the
  head is thrown away after training. So the encoder reads more than the decision needs, as a pretrained one does.
- Words are masked at random in training, and count as absent: no method can be excused by inputs the model never saw.

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
WORDS = (8, 14)  # fewest and most of a text


@dataclass(frozen=True)
class PlantedText:
    """A text of whole words, with blanks between, and the answer to "which of them decided its label?".

    Attributes:
        words (W): each of them is one piece.
        label: what the rule says.
        planted: numbers of the words that decide it; empty where it says that something is missing: then no word that
            is there is the answer.
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
        name, title: as it is asked for, and for readers.
        rule: in one line.
        asked: how many planted words a text has that is asked about; the k of precision@k.
        learned: the shortcut that its model is trained on, where that is another one of the same rule.
    """

    name: str
    title: str
    rule: str
    asked: int
    learned: str | None = None

    @abstractmethod
    def draw(self, random: Random) -> list[str]:
        """Words of a new text."""

    @abstractmethod
    def yes(self, words: Sequence[str]) -> bool | None:
        """The rule; None where it says nothing, because the word it asks for is masked."""

    @abstractmethod
    def planted(self, words: Sequence[str]) -> tuple[int, ...]:
        """Numbers of the words that decide the label."""

    def changed(self, word: str, random: Random) -> str:
        """What to put in place of a planted word, so that it speaks for its label no more."""
        return random.choice(FILLERS)

    def decoy(self, words: Sequence[str]) -> int | None:
        """The number of the word that the second head names in training."""
        return next((place for place, word in enumerate(words) if word in DECOYS), None)

    def texts(self, seed: str) -> Iterator[PlantedText]:
        """Texts without end, half of them "yes"; the same for the same seed, on every machine."""
        random = Random(f"{self.name} {seed}")
        while True:
            words = self.draw(random)
            yield PlantedText(tuple(words), LABELS[bool(self.yes(words))], self.planted(words), self.decoy(words))


def _fillers(random: Random) -> list[str]:
    return random.choices(FILLERS, k=random.randint(*WORDS))


class OneWord(Shortcut):
    """One of three words is there, or none is; in a third of the texts labelled "yes" there are two of them."""

    name, title, asked = "word", "one word", 1
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
    """The same model, asked about texts with two of its words: either is enough, so neither alone changes the label."""

    name, title, asked, learned = "either", "either of two words", 2, "word"


class BothWords(Shortcut):
    """Two words are both there, in any order and at any distance; most texts labelled "no" hold one of them."""

    name, title, asked = "pair", "a pair of words", 2
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
    """The third word is of one kind or of the other; so are, in most texts, the sixth, which is the decoy, and a third
    of the rest."""

    name, title, asked = "position", "a position", 1
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


SHORTCUTS: dict[str, Shortcut] = {one.name: one for one in (OneWord(), BothWords(), EitherWord(), OnePlace())}
VOCABULARY = (*SPECIAL, *FILLERS, *DECOYS, *OneWord.triggers, *BothWords.pair, *OnePlace.kinds[0], *OnePlace.kinds[1])


@dataclass(frozen=True, eq=False)
class Effects:
    """How far replacements moved the log-odds of the decided label, in nats; positive: the word spoke for it.

    Attributes:
        planted (N,): of planted words, by a word that speaks for the label no more.
        others (M,): of all other words, the decoy among them, by a random filler.
        together (texts,): of all planted words of a text at once; 0 where it has none.
    """

    planted: npt.NDArray[np.float64]
    others: npt.NDArray[np.float64]
    together: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Planted:
    """A model that was seen to follow a shortcut's rule."""

    shortcut: Shortcut
    model: TextModel

    def questions(self, count: int, seed: int = 0) -> list[PlantedText]:
        """Texts in which "why this label?" has a known answer: those with as many planted words as the shortcut asks
        about. Of words these are labelled "yes"; what a "no" is owed to is not there. Of the position all are."""
        texts = self.shortcut.texts(f"questions {seed}")
        return list(islice((one for one in texts if len(one.planted) == self.shortcut.asked), count))

    def item(self, text: PlantedText) -> Item:
        """A text's tokens and, as target, the log-odds of the label that the model decided.

        Raises:
            ModelError: it did not decide as the rule does.
        """
        tokens = self.model.encode(text.text)
        prediction = self.model.predict(tokens)
        if prediction.label != text.label:
            raise self._refusal(text.text, prediction.label)
        return tokens, self.model.task.target(prediction, self.model.head)

    def check(self, texts: Sequence[PlantedText], seed: int = 0) -> Effects:
        """Replace every word of some texts, one at a time, and all planted ones together, and see that the model goes
        on to decide as the rule does.

        Raises:
            ModelError: it does not, for a text or for a replacement.
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
        found = self.model.scores(rows)
        for row, decision, label in zip(rows, found.decisions.tolist(), labels):
            if self.model.head.labels[decision] != label:
                raise self._refusal(row.tokens.text, self.model.head.labels[decision])
        effects, of = np.array(outputs) - found.values, np.array(groups)
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
    """Train a model on a shortcut and make sure that it follows it; the same one when asked again in this process.

    Args:
        name: a key of `SHORTCUTS`: "word", "pair", "either" or "position".
        seed: of its first weights and of the texts it is trained on.

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
    with tempfile.TemporaryDirectory() as folder:  # by way of the catalogue, as any other model
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
    """Texts to train on: ids (N, T), the probability of "yes" to be answered (N,), the decoy's id or [MASK]'s (N,)."""

    ids: Tensor
    yes: Tensor
    decoys: Tensor

    @classmethod
    def drawn(cls, shortcut: Shortcut, seed: str, count: int) -> "_Lesson":
        """New texts; of every other one some words are masked, from none to all."""
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
    """Train until all texts held out, masked or not, are decided by a margin, and nearly all decoys are named.

    Raises:
        ModelError: that does not happen.
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
        initializer_range=0.1,  # the 0.02 of wide models is slow to leave here
        id2label=dict(enumerate(LABELS)),
        label2id={label: number for number, label in enumerate(LABELS)},
    )
    with torch.random.fork_rng(devices=[]):  # the caller's random numbers are left alone
        torch.manual_seed(seed)
        module = BertForSequenceClassification(config)
        naming = nn.Linear(config.hidden_size, len(VOCABULARY))

    def heads(ids: Tensor) -> tuple[Tensor, Tensor]:
        """Log-odds of "yes" (B,), and the decoy's name (B, V)."""
        pooled = module.bert(input_ids=ids, attention_mask=(ids != config.pad_token_id).long()).pooler_output
        logits = module.classifier(pooled)
        return logits[:, 1] - logits[:, 0], naming(pooled)

    draw = torch.Generator().manual_seed(seed)
    lesson, held = (
        _Lesson.drawn(shortcut, f"training {seed}", _TEXTS),
        _Lesson.drawn(shortcut, f"stopping {seed}", 1024),
    )
    decided = held.yes != 0.5
    optimizer = torch.optim.AdamW([*module.parameters(), *naming.parameters()], lr=3e-3)
    warm = torch.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.02, total_iters=50)
    for step in range(1, _STEPS + 1):
        chosen = torch.randint(_TEXTS, (_BATCH,), generator=draw)
        log_odds, names = heads(lesson.ids[chosen])
        loss = nn.functional.binary_cross_entropy_with_logits(log_odds, lesson.yes[chosen])
        loss = loss + nn.functional.cross_entropy(names, lesson.decoys[chosen])
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(module.parameters(), 1.0)
        optimizer.step()
        warm.step()
        if step % 25 == 0:
            with torch.inference_mode():
                log_odds, names = heads(held.ids)
            margin = (log_odds * (held.yes - 0.5).sign())[decided].min()
            named = (names.argmax(dim=1) == held.decoys).float().mean()
            if margin > _MARGIN and named > _NAMED:
                return module.eval()
    raise ModelError(
        f"A model did not learn the rule of {shortcut.name!r} in {_STEPS} steps from the seed {seed}; take another one."
    )
