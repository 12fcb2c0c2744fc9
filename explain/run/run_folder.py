"""The folder of a run, read: its rows, figures of them, words, and whether every part is as it was written."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from explain.core.errors import DataError, SettingError
from explain.datatypes import ModelRecord
from explain.numerics.statistics import wilson
from explain.numerics.stratified import Strata
from explain.run.dataset_run import PREDICTIONS, SCHEMA
from explain.run.draw import DRAW, Draw, read_draw
from explain.run.folder_store import MANIFEST, check_unedited, marked_parts, read_manifest, read_rows, whole_part
from explain.run.folders import DiskFolder, Folder, folder_at, folder_inside
from explain.run.run_plan import column_of
from explain.run.sampled_figures import Interval, ShareSums, share_of_all
from explain.run.shards import Row
from explain.run.word_figures import WordFigures, figures_of_sample, form_of, leading_words, sums_by_word
from explain.text.lemmas import ENGLISH


@dataclass(frozen=True)
class SampleSummary:
    """The sample of a run: its size, its strata, and how many of its texts are explained so far.

    Attributes:
        drawn: texts; of_texts: of how many; explained: drawn texts that are there.
        by: what the strata go by; strata: how many there are; seed: of the draw.
        all_predicted: whether the figures of predictions are those of all texts; else they are estimates.
        until: the half-width of 95 % intervals that set the size; bounds: of which figures; pilot: the texts of the
            pilot sample. None, "" and 0 where the size was set otherwise.
    """

    drawn: int
    of_texts: int
    explained: int
    by: tuple[str, ...]
    strata: int
    seed: int
    all_predicted: bool
    until: float | None = None
    bounds: str = ""
    pilot: int = 0


@dataclass(frozen=True)
class RunSummary:
    """Figures of the rows of a run.

    Attributes:
        rows: rows that are there; of_rows: texts of the data set, of which entities may leave several rows each.
        failed: rows that could not be explained.
        predictions: how many rows each label was predicted for, most frequent first.
        shares: the share of each label with its 95 % interval, whose ends are the share itself where all rows are
            predicted.
        unknown_labels: rows with a label that the model does not have.
        labelled: rows with a label that it has; correct: those of them where it was predicted.
        accuracy: correct / labelled with its 95 % interval (Wilson 1927), about texts like these; where only drawn rows
            are predicted, an estimate of that of all rows (see `Estimate.share_interval`). None without labels.
        truncated: rows whose text was cut off.
        passes: forward and backward passes of each method.
        sample: what was drawn; None where all rows are explained, and before the draw.
    """

    rows: int
    of_rows: int
    failed: int
    predictions: tuple[tuple[str, int], ...]
    shares: tuple[tuple[str, Interval], ...]
    unknown_labels: int
    labelled: int
    correct: int
    accuracy: Interval | None
    truncated: int
    passes: tuple[tuple[str, int], ...]
    sample: SampleSummary | None = None


@dataclass(frozen=True)
class Verification:
    """The state of a run's parts: whole, damaged or missing.

    Attributes:
        parts: finished parts; damaged: numbers of those that are missing or changed.
        missing: how many shards the run still lacks; None before its rows are drawn.
        rows: rows in the parts that are whole.
        predictions: of the predictions of all rows, of which some are drawn.
    """

    parts: int
    damaged: tuple[int, ...]
    missing: int | None
    rows: int
    predictions: "Verification | None" = None

    @property
    def whole(self) -> bool:
        return not self.damaged and self.missing == 0 and (self.predictions is None or self.predictions.whole)


class RunFolder:
    """A run that was begun, whole or in part; nothing is read before it is needed.

    Args:
        place: its folder: a path or an address.

    Raises:
        DataError: the folder holds no run, one of another version, or one whose manifest was edited.
    """

    def __init__(self, place: str | Path | Folder) -> None:
        self.folder = folder_at(place)
        self._draw: Draw | None = None
        self.manifest = read_manifest(self.folder)
        if self.manifest.get("schema") != SCHEMA:
            raise DataError(_schema_refusal(self.folder.name, self.manifest.get("schema")))
        check_unedited(self.manifest, self.folder.name)

    @property
    def path(self) -> Path:
        """The folder on disk.

        Raises:
            SettingError: it lies elsewhere.
        """
        if not isinstance(self.folder, DiskFolder):
            raise SettingError(f"{self.folder.name} is no folder on this disk.")
        return self.folder.path

    def has_model(self, record: ModelRecord) -> bool:
        """Return whether a model's weights, settings and other files are those of the run."""
        names = ("weight_sha256", "settings_sha256", "files_sha256")
        return all(getattr(record, name) == self.manifest["model"][name] for name in names)

    @property
    def methods(self) -> tuple[str, ...]:
        """The names of its methods."""
        return tuple(method["name"] for method in self.manifest["plan"]["methods"])

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of a row."""
        return tuple(self.manifest["columns"])

    @property
    def sampled(self) -> bool:
        """True where a sample of the rows is explained, not all."""
        return self.manifest.get("sample") is not None

    @property
    def draw(self) -> Draw | None:
        """The drawn rows; None where all rows are explained, and before the draw.

        Raises:
            DataError: the draw is damaged.
        """
        if self._draw is None and self.sampled:
            self._draw = read_draw(self.folder)
        return self._draw

    @property
    def predictions(self) -> "RunFolder | None":
        """The predictions of all rows, as a run without methods; None where only rows of this run are predicted."""
        if not self.sampled or self.manifest["sample"]["only_drawn"]:
            return None
        folder = folder_inside(self.folder, PREDICTIONS)
        return None if folder.read(MANIFEST) is None else RunFolder(folder)

    @property
    def shards(self) -> int | None:
        """The number of shards of the whole run; None before its rows are drawn."""
        if self.sampled:
            return None if self.draw is None else -(-len(self.draw.numbers) // int(self.manifest["shard_size"]))
        return -(-int(self.manifest["data"]["rows"]) // int(self.manifest["shard_size"]))

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[Row]:
        """Yield the rows that are there, in the order of the data set; a part at a time is in memory.

        Args:
            columns: the columns to read; None: all.

        Raises:
            SettingError: there is no such column; DataError: a part is damaged.
        """
        if unknown := [name for name in columns or () if name not in self.columns]:
            raise SettingError(f"The run has no column {', '.join(unknown)}. It has: {', '.join(self.columns)}.")
        for number, marker in sorted(marked_parts(self.folder).items()):
            content = whole_part(self.folder, marker)
            if content is None:
                raise DataError(f"Part {number} of {self.folder.name} is damaged. Run the same command with --resume.")
            yield from read_rows(content, columns)

    def verify(self) -> Verification:
        """Read every part, and compare it with the hash that was written behind it."""
        markers = marked_parts(self.folder)
        damaged = tuple(number for number, marker in markers.items() if whole_part(self.folder, marker) is None)
        rows = sum(marker["rows"] for number, marker in markers.items() if number not in damaged)
        predicted = self.predictions
        return Verification(
            len(markers),
            damaged,
            None if self.shards is None else self.shards - len(markers),
            rows,
            None if predicted is None else predicted.verify(),
        )

    def summary(self) -> RunSummary:
        """Count what the model decided.

        Where rows are drawn and all are predicted, the figures of predictions are those of all rows. Where only drawn
        rows are predicted, counts are those of drawn rows, and shares and accuracy are estimates of those of all rows.
        """
        predicted = self.predictions
        figures = self._counts() if predicted is None else predicted.summary()
        if self.draw is None:
            return figures
        sample = self._sample(self.draw)
        if predicted is not None:
            return replace(figures, passes=self._passes(), sample=sample)
        if self.draw.all_drawn:
            return replace(figures, sample=sample)
        sums = ShareSums(self.rows(["number", "prediction", "correct"]), self._stratum)
        strata = sums.strata(self.draw)
        shares = {label: share_of_all(parts, strata) for label, parts in sums.labels().items()}
        return replace(
            figures,
            shares=tuple((label, share) for label, _ in figures.predictions if (share := shares[label]) is not None),
            accuracy=share_of_all(sums.correct, strata),
            sample=sample,
        )

    def _sample(self, draw: Draw) -> SampleSummary:
        return SampleSummary(
            drawn=len(draw.numbers),
            of_texts=draw.rows,
            explained=len({row["number"] for row in self.rows(["number"])}),
            by=draw.by,
            strata=len(draw.strata),
            seed=draw.seed,
            all_predicted=not self.manifest["sample"]["only_drawn"],
            until=self.manifest["sample"].get("until"),
            bounds=draw.size_from.get("bounds", ""),
            pilot=len(draw.size_from.get("pilot", ())),
        )

    def _counts(self) -> RunSummary:
        """Count the rows that are there, each alike."""
        counts: dict[str, int] = {}
        rows = failed = unknown = labelled = correct = truncated = 0
        for row in self.rows(["prediction", "label", "error", "truncated", "correct"]):
            rows += 1
            failed += row["error"] is not None
            truncated += bool(row["truncated"])
            labelled += row["correct"] is not None
            unknown += bool(row["label"]) and row["correct"] is None and row["error"] is None
            correct += bool(row["correct"])
            if row["prediction"] is not None:
                counts[row["prediction"]] = counts.get(row["prediction"], 0) + 1
        accuracy = (correct / labelled, *wilson(correct, labelled)) if labelled else None
        predictions = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
        shares = [(label, count / sum(counts.values())) for label, count in predictions]
        return RunSummary(
            rows,
            int(self.manifest["data"]["rows"]),
            failed,
            tuple(predictions),
            tuple((label, (share, share, share)) for label, share in shares),
            unknown,
            labelled,
            correct,
            accuracy,
            truncated,
            self._passes(),
        )

    def _passes(self) -> tuple[tuple[str, int], ...]:
        columns = {column_of("passes", name): name for name in self.methods}
        passes = dict.fromkeys(self.methods, 0)
        for row in self.rows(list(columns)) if columns else ():
            for column, name in columns.items():
                passes[name] += row[column] or 0
        return tuple(passes.items())

    def _stratum(self, number: int) -> int:
        """Return the stratum of a row, by its number.

        Raises:
            DataError: the row was not drawn.
        """
        if self.draw is None or self.draw.all_drawn:
            return 0
        if number not in self.draw.stratum_of:
            raise DataError(
                f"Row {number} of {self.folder.name} is not among the drawn ones ({DRAW}). Begin a new run."
            )
        return self.draw.stratum_of[number]

    def words(
        self, method: str | None = None, *, by: str = "word", language: str = ENGLISH, least: int = 1
    ) -> tuple[WordFigures, ...]:
        """Return figures of every word, the most frequent first.

        Where rows are drawn, figures are estimates of those of all rows.

        Args:
            method: whose scores; None: the first method of the run. Key phrases have scores of their own.
            by: "word" as it is written, "folded": without regard to case, "lemma": as a dictionary lists it (needs the
                extra `lemma`), or "phrase": the key phrases of a run that searched for them.
            language: of lemmas, such as "de".
            least: leave out words in fewer texts.

        Raises:
            SettingError: the run has no such method, or kept no words; simplemma is not installed, or lacks the
                language.
        """
        form = form_of(by, language)
        if by == "phrase":
            return self._figures("phrases", "phrase_scores", form, least)
        name = method or next(iter(self.methods), None)
        if name not in self.methods:
            raise SettingError(f"The run has no scores of {name}. Its methods: {', '.join(self.methods) or 'none'}.")
        if not self.manifest["plan"]["texts"]:
            raise SettingError("The run kept no texts, so there are no words to list.")
        return self._figures("words", column_of("scores", name), form, least)

    def _figures(self, words: str, scores: str, form: Callable[[str], str], least: int) -> tuple[WordFigures, ...]:
        """Return figures of words by two columns; see `words`."""
        if missing := {words, scores} - set(self.columns):
            raise SettingError(f"The run has no {' and no '.join(sorted(missing))}. Begin one with --phrases.")
        sums = sums_by_word(self.rows(["number", words, scores]), scores, self._stratum, form, words)
        if self.draw is None or self.draw.all_drawn:
            figures = [parts[0].figures(word) for word, parts in sums.items()]
        else:
            strata = self._strata_there(self.draw)
            figures = [figures_of_sample(word, parts, strata) for word, parts in sums.items()]
        listed = [figure for figure in figures if figure.texts >= least]
        return tuple(sorted(listed, key=lambda figure: (-figure.all_texts, figure.word)))

    def leading_words(self, method: str | None = None) -> tuple[WordFigures, ...]:
        """Return the ten words that bear most: with the largest sums of scores, of either sign, in five texts or more.

        Of a sample whose size was set by an interval they are those of the pilot sample, whose intervals it was.

        Args:
            method: see `words`.

        Raises:
            SettingError: see `words`.
        """
        figures = self.words(method)
        name = method or self.methods[0]
        pilot = {} if self.draw is None else self.draw.size_from.get("leading", {})
        if name not in pilot:
            return leading_words(figures)
        by_word = {figure.word: figure for figure in figures}
        return tuple(by_word[word] for word in pilot[name] if word in by_word)

    def _strata_there(self, draw: Draw) -> Strata:
        """Return the strata of a draw, with the drawn rows that are there."""
        seen = [0] * len(draw.strata)
        for number in {row["number"] for row in self.rows(["number"])}:
            seen[self._stratum(number)] += 1
        return draw.sizes(seen)


def _schema_refusal(name: str, schema: object) -> str:
    """Return the sentence on a folder whose manifest has another schema."""
    kind, _, number = str(schema).rpartition("-")
    own_kind, _, own_number = SCHEMA.rpartition("-")
    if kind != own_kind or not number.isdecimal():
        return f"{name} holds no run ({SCHEMA}). Name a run's folder."
    if int(number) > int(own_number):
        return f"{name} holds a run of a newer version ({schema}; this one reads {SCHEMA}). Update this package."
    return f"{name} holds a run of an older version ({schema}; this one reads {SCHEMA}). Begin a new run."
