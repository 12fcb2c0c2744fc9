"""Counterfactual edits on four data sets: do they flip, are they small and fluent, and do other judges agree?

    python -m benchmarks.counterfactuals --data DIR [--only sst,imdb,snli,topics] [--texts N] [--workers N]

DIR holds sst2_glue, cad_imdb, snli and dbpedia14 with train.jsonl.gz and dev.jsonl.gz each. For every text:

    fewest, fluent, robust   the three results of `explain.counterfactuals`
    hotflip                  the gradient over the same vocabulary, one word at a time, no model of masked words
                             (Ebrahimi et al. 2018, https://arxiv.org/abs/1712.06751), until the margin is reached
    named                    a label is named, the third likeliest (snli, topics): fewest edits
    people                   what people changed (imdb)

Every edited text is decided again from its rendered text by the served model. A flip counts at a margin of 1.0.
Printed: the share that flips; words changed; how much less likely the text becomes by `base` and by a trigram model of
other texts; transfer, the share of texts on which a judge changes its mind too, of those where it agreed with the model
at first (no flip is no transfer); passes; sets of at most five edits of which no smaller part flips, all run again.

Judges (`benchmarks.judges`) are learned from sst2_glue (sst) or cad_imdb (imdb) by a bag of words, and from cad_imdb by
a network; the served model was fine-tuned on sst2_glue. `--record DIR` keeps each text's rows at once; the same command
continues a stopped run. `--skip N` leaves out so many of the drawn texts, which settings were chosen on.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.judges import BagOfWords, Judge, Network, Trigrams, words_of
from explain.analyses.counterfactuals import Counterfactuals, wanted_answer
from explain.core.meter import Meter
from explain.data.dataset import Dataset
from explain.datatypes import TextEdit
from explain.models.analysis import ExplainedText
from explain.models.base import TextModel
from explain.models.cached_model import CachedModel
from explain.models.counterfactuals.edited_texts import BudgetMeter, EditedTexts, word_vectors
from explain.models.counterfactuals.masked_words import masked_words
from explain.models.loading.catalogue import load_model
from explain.numerics.statistics import wilson
from explain.run.backends import backend_of
from explain.run.folder_store import FolderStore
from explain.run.shards import MemoryStore, ModelWork, Row, ShardProgress, Store, run_shards, shards_of
from explain.text.edits import editable_places, replacement

MARGIN = 1.0
LONGEST = 256  # pieces of a text
COLUMNS = {
    **dict.fromkeys(("system", "before", "after"), str),
    **dict.fromkeys(("text", "decided", "edits", "passes"), int),
    **dict.fromkeys(("margin", "share", "ratio"), float),
    **dict.fromkeys(("flips", "minimal", "artefact"), bool),
}


@dataclass(frozen=True)
class Part:
    """One data set of the benchmark.

    Attributes:
        model: the served model; folder: the data; texts: how many are drawn.
        judged: whether judges of sentiment are asked, and named: whether a label is named.
    """

    model: str
    folder: str
    texts: int
    judged: bool = False
    named: bool = False


PARTS = {
    "sst": Part("sentiment", "sst2_glue", 872, judged=True),
    "imdb": Part("sentiment", "cad_imdb", 60, judged=True),
    "snli": Part("entailment", "snli", 60, named=True),
    "topics": Part("topics", "dbpedia14", 40, named=True),
}
Drawn = tuple[int, str, str | None, str | None]  # number, text, second text, what people made of it


def main() -> None:
    """Print a table for each data set."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.counterfactuals", description=(__doc__ or "")[:97])
    parser.add_argument("--data", required=True)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--texts", type=int, help="texts of each data set, instead of all that are owed")
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--record", metavar="DIR")
    options = parser.parse_args()
    for name in options.only.split(","):
        part = PARTS[name]
        model = load_model(part.model)
        drawn = _drawn(model, part, Path(options.data), options.texts or part.texts, options.skip)
        store: Store = MemoryStore()
        if options.record:
            about = {"model": model.record.weight_sha256, "texts": len(drawn), "skip": options.skip}
            store = FolderStore(Path(options.record) / name, about, COLUMNS)
        work = ModelWork.of(model, edited_named if part.named else edited)
        run_shards(work, list(shards_of(drawn, 1)), store, backend_of(options.workers), _report_progress)
        _print(name, part, list(store.rows()), Path(options.data))


def _report_progress(progress: ShardProgress) -> None:
    if progress.done and progress.done % 10 == 0:
        print(f"{progress.done} of {progress.total} texts", file=sys.stderr, flush=True)


def _rows(data: Path, folder: str, split: str, columns: Sequence[str]) -> list[dict[str, Any]]:
    return [dict(row) for _, row in Dataset.open(str(data / folder), split=split).cells(tuple(columns))]


def _drawn(model: TextModel, part: Part, data: Path, count: int, skip: int) -> list[Drawn]:
    """Return texts in random order: of reviews those that people edited, with what they made of them."""
    if part.folder == "cad_imdb":
        rows = _rows(data, part.folder, "dev", ("text", "group", "kind"))
        revised = {row["group"]: row["text"] for row in rows if row["kind"] == "revised"}
        texts = [(row["text"], None, revised.get(row["group"])) for row in rows if row["kind"] == "original"]
    elif part.folder == "snli":
        texts = [(row["text"], row["text_b"], None) for row in _rows(data, part.folder, "dev", ("text", "text_b"))]
    else:
        texts = [(row["text"], None, None) for row in _rows(data, part.folder, "dev", ("text",))]
    np.random.default_rng(0).shuffle(texts)
    short: list[tuple[str, str | None, str | None]] = []
    for text, pair, people in texts:
        if len(short) < skip + count and len(model.encode(text, pair)) <= LONGEST:
            short.append((text, pair, people))
    return [(number, *text) for number, text in enumerate(short)][skip:]


def edited(model: TextModel, drawn: Drawn) -> list[Row]:
    """Return a row for each system's edited text."""
    return _edited(model, drawn, named=False)


def edited_named(model: TextModel, drawn: Drawn) -> list[Row]:
    """Return the same, and rows for a named label."""
    return _edited(model, drawn, named=True)


def _edited(model: TextModel, drawn: Drawn, *, named: bool) -> list[Row]:
    number, text, pair, people = drawn
    tokens = model.encode(text, pair)
    prediction = model.predict(tokens)
    subject = ExplainedText(tokens, model.task.target(prediction, model.head))
    segment = 0 if pair is None else 1
    scale = _Scale(model, tokens.texts, subject, segment, number)
    meter = Meter()
    search = Counterfactuals(budget=300).run(CachedModel(model), subject, meter)
    rows = []
    for name, kind in (("fewest", "fewest_edits"), ("fluent", "most_fluent"), ("robust", "most_robust")):
        best = search.best(kind)
        after = None if best is None else best.texts[segment]
        rows.append(
            scale.row(name, after, best.edits if best else (), _passes(meter), best.artefact if best else False)
        )
    if named and len(model.head.labels) > 2:
        third = model.head.labels[int(prediction.output.logits[0].argsort()[-3])]
        own_meter = Meter()
        best = Counterfactuals(budget=300, to=third).run(CachedModel(model), subject, own_meter).best("fewest_edits")
        other = _Scale(model, tokens.texts, subject, segment, number, third)
        after = None if best is None else best.texts[segment]
        rows.append(other.row("named", after, best.edits if best else (), _passes(own_meter), False))
    after, edits, spent = hotflip(model, subject, segment)
    rows.append(scale.row("hotflip", after, edits, spent, False))
    if people is not None:
        rows.append(scale.row("people", people, None, 0, False))
    return rows


def _passes(meter: Meter) -> int:
    return meter.spent.forward + meter.spent.backward


class _Scale:
    """The figures of edited texts, each decided again from its rendered text."""

    def __init__(
        self,
        model: TextModel,
        texts: tuple[str, ...],
        subject: ExplainedText,
        segment: int,
        number: int,
        to: str | None = None,
    ) -> None:
        before = model.predict(subject.tokens)
        target, wanted = wanted_answer(model, before, subject.target, to)
        self._texts = EditedTexts(model, subject.tokens, target, wanted, BudgetMeter(None), 10**9)
        self._decided = int(before.output.logits[0].argmax())
        self._segment, self._number = segment, number
        self._before = texts[segment]
        self._likelihoods: dict[str, float] = {}

    def row(self, system: str, after: str | None, edits: Sequence[TextEdit] | None, passes: int, artefact: bool) -> Row:
        """Return the row of one edited text; None: none was found."""
        margin = -99.0 if after is None else self._margin(after)
        count = _changed(self._before, after) if edits is None and after is not None else len(edits or ())
        found = after is not None
        return {
            "system": system,
            "before": self._before,
            "after": after or "",
            "text": self._number,
            "decided": self._decided,
            "edits": count,
            "passes": passes,
            "margin": margin,
            "share": count / max(1, len(words_of(self._before))),
            "ratio": 0.0 if after is None else float(np.exp(self._likelihood(self._before) - self._likelihood(after))),
            "flips": margin >= MARGIN,
            "minimal": found and edits is not None and self._is_minimal(tuple(edits)),
            "artefact": artefact,
        }

    def _likelihood(self, text: str) -> float:
        """Return the mean log-probability of a text's pieces by the shipped model of masked words."""
        if text not in self._likelihoods:
            self._likelihoods[text] = masked_words().pseudo_log_likelihood(text)
        return self._likelihoods[text]

    def _margin(self, after: str) -> float:
        """Return the margin of a text that is encoded and predicted as a stranger would do it."""
        texts = self._texts
        prediction = texts.model.predict(texts.model.encode(*texts.with_segment(self._segment, after)))
        return float(texts.margin(np.array([texts.model.value(prediction, texts.target)]))[0])

    def _is_minimal(self, edits: tuple[TextEdit, ...]) -> bool:
        """Whether no smaller set of the edits flips; of more than five, no set without one of them."""
        sizes = range(1, len(edits)) if len(edits) <= 5 else (len(edits) - 1,)
        smaller = [part for size in sizes for part in combinations(edits, size)]
        return not smaller or bool(self._texts.margins(smaller).max() < MARGIN)


def _changed(before: str, after: str) -> int:
    """Return the number of words that differ, of the longer side."""
    codes = SequenceMatcher(None, words_of(before), words_of(after), autojunk=False).get_opcodes()
    return sum(max(stop - start, end - begin) for code, start, stop, begin, end in codes if code != "equal")


def hotflip(model: TextModel, subject: ExplainedText, segment: int) -> tuple[str | None, tuple[TextEdit, ...], int]:
    """Return the text, edits and passes of a plain HotFlip: at each step the ten best words by the gradient are run."""
    target, wanted = wanted_answer(model, model.predict(subject.tokens), subject.target, None)
    meter = BudgetMeter(None)
    texts = EditedTexts(model, subject.tokens, target, wanted, meter, 10**9)
    places = editable_places(subject.tokens, (segment,))
    words = masked_words().words
    vectors = word_vectors(model.record.weight_sha256, model.record.settings_sha256).rows(model, words)
    edits: tuple[TextEdit, ...] = ()
    for _ in range(max(1, int(0.34 * len(places)))):
        tokens = model.encode(*texts.texts(edits))
        gradient, embedded = texts.gradient(tokens)
        free = [place for place in editable_places(tokens, (segment,)) if not _touched(place.span, edits)]
        if not free:
            break
        units = [list(tokens.word_units()[place.number]) for place in free]
        slopes = np.stack([gradient[unit].mean(axis=0) for unit in units], axis=1)  # (D, P)
        own = np.array([embedded[unit].mean(axis=0) for unit in units])
        gain = (vectors @ slopes - (own * slopes.T).sum(axis=1)).T
        gains = [
            (float(row[at]), place, words[at])
            for row, place in zip(gain, free)
            for at in np.argpartition(-row, 3)[:3].tolist()
        ]
        gains.sort(key=lambda row: -row[0])
        sets = [(*edits, _moved_back(replacement(place, word), edits)) for _, place, word in gains[:10]]
        margins = texts.margins(sets)
        edits = tuple(sorted(sets[int(margins.argmax())], key=lambda edit: edit.span))
        if margins.max() >= MARGIN:
            return texts.texts(edits)[segment], edits, _passes(meter) + 1
    return None, (), _passes(meter) + 1


def _touched(span: tuple[int, int], edits: Sequence[TextEdit]) -> bool:
    moved = 0
    for edit in sorted(edits, key=lambda edit: edit.span):
        start = edit.span[0] + moved
        if start < span[1] and span[0] < start + len(edit.after):
            return True
        moved += len(edit.after) - (edit.span[1] - edit.span[0])
    return False


def _moved_back(edit: TextEdit, edits: Sequence[TextEdit]) -> TextEdit:
    """Return an edit of the edited text as one of the original."""
    moved = 0
    for other in sorted(edits, key=lambda edit: edit.span):
        if other.span[0] + moved < edit.span[0]:
            moved += len(other.after) - (other.span[1] - other.span[0])
    span = (edit.span[0] - moved, edit.span[1] - moved)
    return TextEdit(edit.operation, edit.segment, span, edit.before, edit.after)


# Tables


def _print(name: str, part: Part, rows: Sequence[Row], data: Path) -> None:
    trigrams = Trigrams(
        [row["text"] for folder in ("sst2_glue", "cad_imdb", "snli") for row in _rows(data, folder, "train", ("text",))]
    )
    judges: dict[str, Judge] = {}
    if part.judged:
        pairs = {
            folder: [(row["text"], int(row["label"])) for row in _rows(data, folder, "train", ("text", "label"))]
            for folder in {part.folder, "cad_imdb"}
        }
        judges = {"bag of words": BagOfWords(pairs[part.folder]), "network": Network(pairs["cad_imdb"])}
        dev = _rows(data, part.folder, "dev", ("text", "label"))
        for judge, model in judges.items():
            right = [label == int(row["label"]) for label, row in zip(model.labels([r["text"] for r in dev]), dev)]
            print(f"{judge}: accuracy {np.mean(right):.3f} on the dev split of {part.folder}")
    print(f"\n{name}: {len({row['text'] for row in rows})} texts, model {part.model}")
    print(
        f"{'system':8}{'flips (95 %)':>26}{'edits':>6}{'words changed':>22}{'base':>14}{'trigram p90':>12}"
        f"{'passes':>12}{'minimal':>12}{'artefacts':>10}" + "".join(f"   {judge + ' (95 %)':>34}" for judge in judges)
    )
    for system in dict.fromkeys(row["system"] for row in rows):
        print(_line(system, [row for row in rows if row["system"] == system], trigrams, judges.values()))


def _line(system: str, rows: Sequence[Row], trigrams: Trigrams, judges: Iterable[Judge]) -> str:
    flips = [row for row in rows if row["flips"]]
    if not flips:
        return f"{system:8}{_share(0, len(rows)):>26}"
    shares = [row["share"] for row in flips]
    ratios = [row["ratio"] for row in flips]
    other = [np.exp(trigrams.log_perplexity(row["after"]) - trigrams.log_perplexity(row["before"])) for row in flips]
    passes = [row["passes"] for row in rows]
    few = [row for row in flips if row["edits"] <= 5]
    minimal = f"{sum(row['minimal'] for row in few)}/{len(few)}" if system != "people" else "-"
    changed = f"{np.median(shares):.3f}, {np.mean(np.array(shares) <= 0.15):.2f} to 15 %"
    return (
        f"{system:8}{_share(len(flips), len(rows)):>26}{np.median([row['edits'] for row in flips]):6.0f}{changed:>22}"
        f"{np.median(ratios):7.2f}{np.percentile(ratios, 90):7.2f}{np.percentile(other, 90):12.2f}"
        f"{np.median(passes):6.0f}{np.percentile(passes, 90):6.0f}{minimal:>12}"
        f"{np.mean([row['artefact'] for row in flips]):10.2f}"
        + "".join(f"   {_transfer(rows, judge):>34}" for judge in judges)
    )


def _transfer(rows: Sequence[Row], judge: Judge) -> str:
    before = judge.labels([row["before"] for row in rows])
    agreed = [row for row, label in zip(rows, before) if label == row["decided"]]
    after = judge.labels([row["after"] for row in agreed])
    moved = sum(label != row["decided"] and row["flips"] for row, label in zip(agreed, after))
    if agreed and rows[0]["system"] == "people":  # people's texts count whether or not the served model flips
        moved = sum(label != row["decided"] for row, label in zip(agreed, after))
    return _share(moved, len(agreed))


def _share(hits: int, count: int) -> str:
    if not count:
        return "-"
    low, high = wilson(hits, count)
    return f"{hits}/{count} {hits / count:.2f} ({low:.2f}-{high:.2f})"


if __name__ == "__main__":
    main()
