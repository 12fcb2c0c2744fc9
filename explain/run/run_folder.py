"""The folder of a run, read: its rows, figures of them, words, and whether every part is as it was written."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from explain.core.errors import DataError, SettingError
from explain.numerics.statistics import wilson
from explain.run.dataset_run import SCHEMA
from explain.run.folder_store import check_unedited, marked_parts, read_manifest, read_rows, whole_part
from explain.run.folders import DiskFolder, Folder, folder_at
from explain.run.run_plan import column_of
from explain.run.shards import Row
from explain.run.word_figures import WordFigures, WordSums


@dataclass(frozen=True)
class RunSummary:
    """Figures of the rows of a run.

    Attributes:
        rows: rows that are there; of_rows: texts of the data set, of which entities may leave several rows each.
        failed: rows that could not be explained.
        predictions: how many rows each label was predicted for, most frequent first.
        unknown_labels: rows with a label that the model does not have.
        labelled: rows with a label that it has; correct: those of them where it was predicted.
        accuracy: correct / labelled with its 95 % interval (Wilson 1927); None without labels.
        truncated: rows whose text was cut off.
        passes: forward and backward passes of each method.
    """

    rows: int
    of_rows: int
    failed: int
    predictions: tuple[tuple[str, int], ...]
    unknown_labels: int
    labelled: int
    correct: int
    accuracy: tuple[float, float, float] | None
    truncated: int
    passes: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Verification:
    """The state of a run's parts: whole, damaged or missing.

    Attributes:
        parts: finished parts; damaged: numbers of those that are missing or changed.
        missing: how many shards the run still lacks.
        rows: rows in the parts that are whole.
    """

    parts: int
    damaged: tuple[int, ...]
    missing: int
    rows: int

    @property
    def whole(self) -> bool:
        return not self.damaged and not self.missing


class RunFolder:
    """A run that was begun, whole or in part; nothing is read before it is needed.

    Args:
        place: its folder: a path or an address.

    Raises:
        DataError: the folder holds no run, one of another version, or one whose manifest was edited.
    """

    def __init__(self, place: str | Path | Folder) -> None:
        self.folder = folder_at(place)
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

    @property
    def methods(self) -> tuple[str, ...]:
        """The names of its methods."""
        return tuple(method["name"] for method in self.manifest["plan"]["methods"])

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns of a row."""
        return tuple(self.manifest["columns"])

    @property
    def shards(self) -> int:
        """The number of shards of the whole run."""
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
        return Verification(len(markers), damaged, self.shards - len(markers), rows)

    def summary(self) -> RunSummary:
        """Count what the model decided."""
        counts: dict[str, int] = {}
        rows = failed = unknown = labelled = correct = truncated = 0
        passes = dict.fromkeys(self.methods, 0)
        columns = ["prediction", "label", "error", "truncated"] + [column_of("passes", name) for name in self.methods]
        for row in self.rows([*columns, "correct"]):
            rows += 1
            failed += row["error"] is not None
            truncated += bool(row["truncated"])
            labelled += row["correct"] is not None
            unknown += bool(row["label"]) and row["correct"] is None and row["error"] is None
            correct += bool(row["correct"])
            if row["prediction"] is not None:
                counts[row["prediction"]] = counts.get(row["prediction"], 0) + 1
            for name in passes:
                passes[name] += row[column_of("passes", name)] or 0
        accuracy = (correct / labelled, *wilson(correct, labelled)) if labelled else None
        return RunSummary(
            rows,
            int(self.manifest["data"]["rows"]),
            failed,
            tuple(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))),
            unknown,
            labelled,
            correct,
            accuracy,
            truncated,
            tuple(passes.items()),
        )

    def words(self, method: str | None = None, *, by: str = "word", least: int = 1) -> tuple[WordFigures, ...]:
        """Return figures of every word, the most frequent first.

        Args:
            method: whose scores; None: the first method of the run.
            by: "word" as it is written, or "folded": without regard to case.
            least: leave out words in fewer texts.

        Raises:
            SettingError: the run has no such method, or kept no words.
        """
        name = method or next(iter(self.methods), None)
        if name not in self.methods:
            raise SettingError(f"The run has no scores of {name}. Its methods: {', '.join(self.methods) or 'none'}.")
        if not self.manifest["plan"]["texts"]:
            raise SettingError("The run kept no texts, so there are no words to list.")
        if by not in ("word", "folded"):
            raise SettingError(f"by is {by!r}; expected word or folded.")
        sums: dict[str, WordSums] = {}
        scores = column_of("scores", name)
        for row in self.rows(["words", scores]):
            mine: dict[str, list[float]] = {}
            for word, score in zip(row["words"] or (), row[scores] or ()):
                if score is not None:
                    mine.setdefault(word.casefold() if by == "folded" else word, []).append(score)
            for word, given in mine.items():
                sums.setdefault(word, WordSums()).add(given)
        figures = [sums[word].figures(word) for word in sums if sums[word].texts >= least]
        return tuple(sorted(figures, key=lambda figure: (-figure.texts, figure.word)))


def _schema_refusal(name: str, schema: object) -> str:
    """Return the sentence on a folder whose manifest has another schema."""
    kind, _, number = str(schema).rpartition("-")
    own_kind, _, own_number = SCHEMA.rpartition("-")
    if kind != own_kind or not number.isdecimal():
        return f"{name} holds no run ({SCHEMA}). Name a run's folder."
    if int(number) > int(own_number):
        return f"{name} holds a run of a newer version ({schema}; this one reads {SCHEMA}). Update this package."
    return f"{name} holds a run of an older version ({schema}; this one reads {SCHEMA}). Begin a new run."
