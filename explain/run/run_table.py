"""The rows of a run as a table: filtered, sorted and read page by page, with DuckDB.

Parts are read and checked by this package and inserted; the database itself reads no file and loads no extension.
Values are bound, and column names come from the table, so no text of a visitor is ever part of a statement.
"""

import io
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from explain.core.errors import DataError, SettingError
from explain.numerics.stratified import RatioSums, Strata
from explain.run.draw import Draw
from explain.run.folder_store import marked_parts, whole_part
from explain.run.run_folder import RunFolder
from explain.run.run_plan import column_of, group_column
from explain.run.sampled_figures import RowShare, row_share
from explain.run.table_words import TableWords, WordsOf
from explain.run.word_figures import WordFigures, WordSums, figures_of_sample, form_of
from explain.text.lemmas import ENGLISH

MEMORY = "1GB"  # of one table; what is more lies in a temporary file
CORRECT = {"correct": True, "wrong": False}
MOST_LISTED = 16  # tables of words that are remembered


@dataclass(frozen=True)
class RowFilter:
    """Which rows of a run are meant; those that fulfil every condition.

    Attributes:
        prediction, label: the decided label, and the known one by the model's name for it.
        correct: "correct" or "wrong".
        confidence: from, to; length: from, to, in tokens.
        contains: what the text contains, without regard to case.
        word: a word of the text; by, language: its form, see `RunFolder.words`.
        groups: columns of groups, each with the cell.
        failed: only rows that could not be explained.
        places: places of rows, see `RunTable`; none: of all.
        forms: the words of the table that have that form; a table fills them in.
    """

    prediction: str | None = None
    label: str | None = None
    correct: str | None = None
    confidence: tuple[float, float] | None = None
    length: tuple[int, int] | None = None
    contains: str = ""
    word: str = ""
    by: str = "word"
    language: str = ENGLISH
    groups: tuple[tuple[str, str], ...] = ()
    failed: bool = False
    places: tuple[int, ...] = ()
    forms: tuple[str, ...] = ()

    @property
    def of_cells(self) -> bool:
        """True where nothing but predictions, labels and groups is asked about."""
        return replace(self, prediction=None, label=None, correct=None, groups=()) == ALL_ROWS

    def conditions(self) -> tuple[list[str], list[Any]]:
        """Return the conditions in SQL, with a question mark for each value, and the values."""
        conditions: list[str] = []
        values: list[Any] = []

        def add(condition: str, *bound: Any) -> None:
            conditions.append(condition)
            values.extend(bound)

        if self.prediction is not None:
            add("prediction = ?", self.prediction)
        if self.label is not None:
            add("known = ?", self.label)  # a column of the table, see `RunTable`
        if self.correct is not None:
            add("correct = ?", CORRECT[self.correct])
        if self.confidence is not None:
            add("confidence BETWEEN ? AND ?", *self.confidence)
        if self.length is not None:
            add("length BETWEEN ? AND ?", *self.length)
        if self.contains:
            add("contains(lower(concat_ws(' ', text, text_pair)), lower(?))", self.contains)
        if self.word:
            if self.by in ("word", "phrase"):
                add(f"list_contains({self.by}s, ?)", self.word)
            else:
                add("list_has_any(words, ?)", list(self.forms)) if self.forms else add("false")
        for name, cell in self.groups:
            add(f"{quoted(group_column(name))} = ?", cell)
        if self.failed:
            add("error IS NOT NULL")
        if self.places:
            add("list_contains(?, place)", list(self.places))
        return conditions, values


ALL_ROWS = RowFilter()


def quoted(name: str) -> str:
    """Return a name of a column as SQL writes it.

    >>> print(quoted('a "b" c'))
    "a ""b"" c"
    """
    return '"' + name.replace('"', '""') + '"'


def _literal(bound: Any) -> str:
    """Return a value as SQL writes it, for reading."""
    if isinstance(bound, list):
        return f"[{', '.join(map(_literal, bound))}]"
    return "'" + bound.replace("'", "''") + "'" if isinstance(bound, str) else str(bound).upper()


class RunTable:
    """The rows of a run that are there, in a database of this process; `refresh` adds those that came since.

    Args:
        run: the run, whole or in part.

    Attributes:
        columns: the names of the columns that can be read and sorted by: those of the run, and `place`, the row's
            place among all; `known`, the model's name of the known label; of a run whose rows are drawn `stratum`,
            the place of the row's stratum.

    Raises:
        DataError: a part is damaged.
    """

    def __init__(self, run: RunFolder) -> None:
        self.run = run
        self._lock = threading.Lock()
        self._parts: set[int] = set()
        self._place = tempfile.TemporaryDirectory(prefix="explain-table-")
        self._database = duckdb.connect(
            str(Path(self._place.name) / "rows.duckdb"),
            config={
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "enable_external_access": "false",
                "memory_limit": MEMORY,
                "python_enable_replacements": "false",
                "threads": "2",
            },
        )
        self._database.execute("SET lock_configuration = true")
        self.columns: tuple[str, ...] = ()
        self._words = TableWords(self._database, (), ())
        self._one_row_a_text = True
        self._listed: OrderedDict[Hashable, list[WordFigures]] = OrderedDict()
        self.refresh()

    def close(self) -> None:
        """Forget the table."""
        with self._lock:
            self._database.close()
            self._place.cleanup()

    def refresh(self) -> int:
        """Add the rows of parts that were finished since, and return how many rows there are.

        Raises:
            DataError: a part is damaged.
        """
        with self._lock:
            for number, marker in sorted(marked_parts(self.run.folder).items()):
                if number in self._parts:
                    continue
                content = whole_part(self.run.folder, marker)
                if content is None:
                    raise DataError(
                        f"Part {number} of {self.run.folder.name} is damaged. Continue the run; it is computed again."
                    )
                self._insert(pq.read_table(io.BytesIO(content)))
                self._parts.add(number)
            if not self.columns:
                self._insert(None)
        return self.count()

    def _insert(self, rows: pa.Table | None) -> None:
        if rows is None:  # a table without rows, of a run that has just begun
            if not self.columns:
                self._database.execute("CREATE TABLE IF NOT EXISTS rows (place BIGINT, error VARCHAR)")
            return
        known = self.run.manifest["plan"]["labels"]
        more = {"known": pa.array([known.get(label) for label in _texts(rows, "label")], pa.string())}
        if (draw := self._draw()) is not None:
            more["stratum"] = pa.array([draw.stratum_of[number] for number in _texts(rows, "number")], pa.int32())
        for name, column in more.items():
            rows = rows.append_column(name, column)
        with self._view(rows):
            if not self.columns:
                self._database.execute("DROP TABLE IF EXISTS rows")
                self._database.execute("CREATE SEQUENCE places START 1")
                self._database.execute("CREATE TABLE rows AS SELECT nextval('places') AS place, * FROM part LIMIT 0")
                self.columns = ("place", *rows.column_names)
                self._words = self._table_words()
            self._one_row_a_text &= pc.count_distinct(rows["number"]).as_py() == len(rows)
            self._database.execute("INSERT INTO rows SELECT nextval('places'), * FROM part ORDER BY number")

    def _table_words(self) -> TableWords:
        groups = [group_column(name) for name in self.run.manifest["plan"]["roles"]["groups"]]
        cells = [quoted(name) for name in ("prediction", "known", "correct") if name in self.columns]
        return TableWords(self._database, cells, [quoted(name) for name in groups if name in self.columns])

    def _draw(self) -> Draw | None:
        """Return the drawn rows; None where all are."""
        return None if self.run.draw is None or self.run.draw.all_drawn else self.run.draw

    @contextmanager
    def _view(self, rows: pa.Table) -> Iterator[None]:
        self._database.register("part", rows)
        try:
            yield
        finally:
            self._database.unregister("part")

    def count(self, rows: RowFilter = ALL_ROWS) -> int:
        """Return how many rows fulfil the conditions."""
        return int(self._query("count(*)", rows)[0][0])

    def rows(
        self,
        rows: RowFilter = ALL_ROWS,
        *,
        columns: Sequence[str] | None = None,
        by: str | None = None,
        falling: bool = False,
        most: int | None = None,
        after: int = 0,
    ) -> list[dict[str, Any]]:
        """Return rows, or a page of them.

        Args:
            columns: None: all.
            by: the column to sort by; None: the order of the data set. Cells without a value come last.
            most: how many rows at most; after: how many are skipped.

        Raises:
            SettingError: there is no such column.
        """
        table = self.arrow(rows, columns=columns, by=by, falling=falling, most=most, after=after)
        made: list[dict[str, Any]] = table.to_pylist()
        return made

    def row(self, place: int) -> dict[str, Any] | None:
        """Return the row at a place, with all columns; None where there is none."""
        with self._lock:
            statement = "SELECT * FROM rows WHERE place = ?"
            made: list[dict[str, Any]] = self._database.sql(statement, params=[place]).to_arrow_table().to_pylist()
        return made[0] if made else None

    def arrow(
        self,
        rows: RowFilter = ALL_ROWS,
        *,
        columns: Sequence[str] | None = None,
        by: str | None = None,
        falling: bool = False,
        most: int | None = None,
        after: int = 0,
    ) -> pa.Table:
        """Return rows as a table of Arrow; see `rows`."""
        if not self.columns:
            return pa.table({})
        names = self.columns if columns is None else tuple(columns)
        order = self._order(by, falling)
        end, values = (" LIMIT ? OFFSET ?", [most, after]) if most is not None else ("", [])
        with self._lock:
            statement, bound = self._statement(", ".join(map(self._known, names)), rows)
            return self._database.sql(statement + order + end, params=[*bound, *values]).to_arrow_table()

    def even_sample(self, rows: RowFilter, most: int, columns: Sequence[str]) -> pa.Table:
        """Return rows, and of more than `most` so many, evenly spread in the order of the data set.

        Raises:
            SettingError: there is no such column.
        """
        count = self.count(rows)
        if not self.columns:
            return pa.table({})
        with self._lock:
            statement, values = self._statement("*, row_number() OVER (ORDER BY number, place) AS nth", rows)
            names = ", ".join(map(self._known, columns))
            # the n-th row begins a new one of `most` equal stretches
            begins = "(nth - 1) * ? // ? > (nth - 2) * ? // ? OR nth = 1"
            every = f"SELECT {names} FROM ({statement}) WHERE {begins} ORDER BY nth"
            most = min(most, count)
            return self._database.sql(every, params=[*values, most, count, most, count]).to_arrow_table()

    def sql(self, rows: RowFilter = ALL_ROWS, *, by: str | None = None, falling: bool = False) -> str:
        """Return the statement that selects rows from a run's parts, for reading and for use elsewhere."""
        if rows.places:  # which only this table knows
            numbers = self.arrow(RowFilter(places=rows.places), columns=["number"]).column(0).unique().to_pylist()
            rows = replace(rows, places=tuple(sorted(numbers)))
        with self._lock:
            conditions, values = self._resolved(rows).conditions()
        order = f"\nORDER BY {self._known(by)} {'DESC' if falling else 'ASC'} NULLS LAST, number" if by else ""
        written = "SELECT * FROM read_parquet('parts/*.parquet')"
        for number, condition in enumerate(conditions):
            beginning, *others = self._of_parts(condition).split("?")
            bound, values = values[: len(others)], values[len(others) :]
            written += ("\nWHERE " if number == 0 else "\n  AND ") + beginning
            written += "".join(_literal(each) + more for each, more in zip(bound, others, strict=True))
        return written + (order or "\nORDER BY number")

    def _of_parts(self, condition: str) -> str:
        """Return a condition without the columns that only this table has."""
        if condition.startswith("known"):
            labels = self.run.manifest["plan"]["labels"]
            cases = " ".join(f"WHEN {_literal(label)} THEN {_literal(name)}" for label, name in labels.items())
            return condition.replace("known", f"CASE label {cases} END", 1).replace("CASE label  END", "NULL")
        return condition.replace("?, place)", "?, number)")

    def _order(self, by: str | None, falling: bool) -> str:
        if by is None:
            return " ORDER BY number, place" if self.columns else ""
        return f" ORDER BY {self._known(by)} {'DESC' if falling else 'ASC'} NULLS LAST, number, place"

    def _known(self, name: str) -> str:
        if name not in self.columns:
            raise SettingError(f"The table has no column {name!r}. It has: {', '.join(self.columns)}.")
        return quoted(name)

    def _resolved(self, rows: RowFilter) -> RowFilter:
        """Return a filter with the words of the form that it asks for."""
        if not rows.word or rows.by in ("word", "phrase") or "words" not in self.columns:
            return rows
        return replace(rows, forms=self._words.forms(WordsOf("words", "", rows.by, rows.language), rows.word))

    def forms(self, rows: RowFilter) -> tuple[str, ...]:
        """Return the words of the table that a filter's word stands for."""
        with self._lock:
            return self._resolved(rows).forms

    def _where(self, rows: RowFilter) -> tuple[str, list[Any]]:
        """Return the conditions as the end of a statement, and their values."""
        conditions, values = self._resolved(rows).conditions()
        missing = [name for name, _ in rows.groups if group_column(name) not in self.columns]
        lacking = rows.word and ("phrases" if rows.by == "phrase" else "words") not in self.columns
        if missing or lacking or not self.columns:
            conditions, values = ["false"], []
        return f" WHERE {' AND '.join(conditions)}" if conditions else "", values

    def _statement(self, what: str, rows: RowFilter) -> tuple[str, list[Any]]:
        where, values = self._where(rows)
        return f"SELECT {what} FROM rows{where}", values

    def _query(self, what: str, rows: RowFilter, end: str = "") -> list[tuple[Any, ...]]:
        with self._lock:
            statement, values = self._statement(what, rows)
            return self._database.execute(statement + end, values).fetchall()

    def counts(self, column: str, rows: RowFilter = ALL_ROWS) -> list[tuple[str, int]]:
        """Return the values of a column with how many rows have each, most frequent first.

        Raises:
            SettingError: there is no such column.
        """
        if not self.columns:
            return []
        name = self._known(column)
        counted = self._query(f"{name}, count(*)", rows, f" GROUP BY {name} ORDER BY count(*) DESC, {name}")
        return [(cell, count) for cell, count in counted if cell is not None]

    def confusion(self, rows: RowFilter = ALL_ROWS) -> dict[tuple[str, str], int]:
        """Return how many rows have each known label and prediction."""
        if not self.columns:
            return {}
        counted = self._query("known, prediction, count(*)", rows, " GROUP BY known, prediction")
        return {(known, decided): count for known, decided, count in counted if None not in (known, decided)}

    def strata(self) -> Strata | None:
        """Return the strata of drawn rows, with those that are there; None where all rows are explained."""
        draw = self._draw()
        if draw is None or not self.columns:
            return None
        with self._lock:
            counted = "SELECT stratum, count(DISTINCT number) FROM rows GROUP BY stratum"
            there = dict(self._database.execute(counted).fetchall())
        return draw.sizes([there.get(place, 0) for place in range(len(draw.strata))])

    def shares(self, column: str, cell: str | bool, *, by: str | None = None) -> list[RowShare]:
        """Return the share of rows with a cell in a column, among those with any; of all, or by another column.

        Where rows are drawn, shares are estimates of those of all rows.

        Raises:
            SettingError: there is no such column.
        """
        if not self.columns:
            return []
        name, group = self._known(column), self._known(by) if by is not None else "''"
        strata = self.strata()
        if strata is None:
            of_rows = f"{group} AS part, 0 AS stratum, count({name}) AS n, count_if({name} = ?) AS s"
            inner = f"SELECT {of_rows} FROM rows WHERE {name} IS NOT NULL GROUP BY part"
        else:  # of a text's rows, such as of its entities, all or none are drawn
            of_rows = f"{group} AS part, stratum, count({name}) AS n, count_if({name} = ?) AS s"
            inner = f"SELECT {of_rows} FROM rows WHERE {name} IS NOT NULL GROUP BY part, stratum, number"
        statement = (
            "SELECT part, stratum, count(*), sum(n), sum(n * n), sum(s), sum(s * s), sum(s * n) "
            f"FROM ({inner}) WHERE part IS NOT NULL GROUP BY part, stratum ORDER BY part"
        )
        with self._lock:
            counted = self._database.execute(statement, [cell]).fetchall()
        parts: dict[str, dict[int, RatioSums]] = {}
        for part, place, *sums in counted:
            parts.setdefault(part, {})[place] = RatioSums.of(*map(int, sums))
        return [row_share(part, sums, strata) for part, sums in parts.items()]

    def bounds(self, column: str) -> tuple[float, float] | None:
        """Return the least and the largest value of a column; None where it has none."""
        if not self.columns:
            return None
        name = self._known(column)
        least, largest = self._query(f"min({name}), max({name})", ALL_ROWS)[0]
        return None if least is None else (least, largest)

    def words(
        self,
        method: str,
        rows: RowFilter = ALL_ROWS,
        *,
        by: str = "word",
        language: str = ENGLISH,
        least: int = 1,
        most: int | None = None,
        only: Sequence[str] = (),
    ) -> list[WordFigures]:
        """Return figures of every word of some rows, the most frequent first; see `RunFolder.words`.

        Where rows are drawn, figures are estimates of those of all rows that fulfil the conditions.

        Args:
            method: whose scores; key phrases have scores of their own.
            by, language: the form of words, see `RunFolder.words`.
            least: leave out words in fewer texts; most: how many words at most.
            only: these words alone, in the form that `by` says; none: all.

        Raises:
            SettingError: the run has no such method, or kept no words; simplemma is not installed, or lacks the
                language.
        """
        form_of(by, language)  # which refuses
        words, scores = ("phrases", "phrase_scores") if by == "phrase" else ("words", column_of("scores", method))
        if not {scores, words} <= set(self.columns):
            what = "key phrases" if by == "phrase" else f"scores of {method} by word"
            raise SettingError(f"The run keeps no {what}.")
        of = WordsOf(words, quoted(scores), by, language if by == "lemma" else "")
        asked_for = (of, rows, least, most, tuple(only), self.count())
        with self._lock:
            if asked_for in self._listed:
                self._listed.move_to_end(asked_for)
                return self._listed[asked_for]
        figures = self._word_figures(of, rows, least, most, only)
        with self._lock:
            self._listed[asked_for] = figures
            if len(self._listed) > MOST_LISTED:
                self._listed.popitem(last=False)
        return figures

    def _word_figures(
        self, of: WordsOf, rows: RowFilter, least: int, most: int | None, only: Sequence[str]
    ) -> list[WordFigures]:
        strata = self.strata()
        bound: list[Any] = [list(only)] if only else []
        end = " WHERE list_contains(?, word)" if only else ""
        if strata is None:
            end += f"{' AND' if only else ' WHERE'} texts >= ? ORDER BY texts DESC, word" + (" LIMIT ?" if most else "")
            bound += [least, *([most] if most else [])]
        with self._lock:
            where, values = self._where(rows)
            stratum = "0" if strata is None else "stratum"
            by_cell = rows.of_cells and self._one_row_a_text
            counted = self._words.sums(of, where, [*values, *bound], stratum, by_cell=by_cell, end=end)
        if strata is None:
            return [WordSums.of(*sums).figures(word) for word, _, *sums in counted]
        parts: dict[str, dict[int, WordSums]] = {}
        for word, place, *sums in counted:
            parts.setdefault(word, {})[place] = WordSums.of(*sums)
        figures = (figures_of_sample(word, sums, strata) for word, sums in parts.items())
        listed = [figure for figure in figures if figure.texts >= least]
        return sorted(listed, key=lambda figure: (-figure.all_texts, figure.word))[:most]


def _texts(rows: pa.Table, name: str) -> list[Any]:
    return rows.column(name).to_pylist() if name in rows.column_names else [None] * len(rows)
