"""Sums over the words of a table's rows, in the table's own database: made once, then added up for each question.

A text's sums are of one form of its words, so each form has sums of its own. They are kept by cell: by prediction,
known label, decision and groups. So a table of words for such conditions reads some thousand sums in place of all rows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from explain.run.word_figures import form_of

MOST_CELLS = 1000  # with more of them, groups are left out
CHUNK = 100_000  # rows whose words are counted at once
_SUMS = ("texts", "counts", "counts_squared", "scores", "scores_squared", "products", "above")


@dataclass(frozen=True)
class WordsOf:
    """The words that are summed.

    Attributes:
        words, scores: the columns, lists of one length, as SQL writes their names.
        by, language: the form of words, see `form_of`.
    """

    words: str
    scores: str
    by: str
    language: str


class TableWords:
    """Sums over words, by form and cell. The caller holds the lock of the database.

    Args:
        database: with the table `rows`.
        cells: columns by which sums are kept, as SQL writes their names.
        groups: further ones, unless there are too many cells then.
    """

    def __init__(self, database: duckdb.DuckDBPyConnection, cells: Sequence[str], groups: Sequence[str]) -> None:
        self._database = database
        self._cells = tuple(cells)
        self._groups = tuple(groups)
        self._kept: dict[WordsOf, tuple[str, tuple[str, ...], int]] = {}  # table, its cells, the last place in it
        self._forms: dict[tuple[str, str, str], tuple[str, int]] = {}

    def sums(
        self, of: WordsOf, conditions: str, bound: Sequence[Any], stratum: str, *, by_cell: bool, end: str = ""
    ) -> list[tuple[Any, ...]]:
        """Return words with their stratum and sums; see `WordSums.of`.

        Args:
            conditions: in SQL, with a question mark for each of the bound values, those of `end` among them.
            by_cell: the conditions are about cells alone, and each text has one row.
            end: of the statement.
        """
        if by_cell:
            name, cells = self._refreshed(of, stratum)
            if all(group in cells or group not in conditions for group in self._groups):
                added = ", ".join(f"sum({column}) AS {column}" for column in _SUMS)
                inner = f"SELECT word, stratum, {added} FROM {name}{conditions} GROUP BY word, stratum"
                return self._database.execute(f"SELECT * FROM ({inner}){end}", bound).fetchall()
        inner = self._counted(of, stratum, (), conditions)
        return self._database.execute(f"SELECT * FROM ({inner}){end}", bound).fetchall()

    def _counted(self, of: WordsOf, stratum: str, cells: Sequence[str], conditions: str) -> str:
        """Return the statement that sums over the words of rows."""
        more = "".join(f", {cell}" for cell in cells)
        each = f"SELECT number, {stratum} AS stratum{more}, unnest({of.words}) AS word, unnest({of.scores}) AS score"
        forms = self._refreshed_forms(of)
        word, joined = ("word", "") if forms is None else ("form", f" JOIN {forms} USING (word)")
        of_text = (
            f"SELECT number, stratum{more}, {word} AS word, count(score) AS n, sum(score) AS s, "
            f"count_if(score > 0) AS above FROM ({each} FROM rows{conditions}){joined} "
            "WHERE score IS NOT NULL GROUP BY ALL"
        )
        return (
            f"SELECT word, stratum{more}, count(*) AS texts, sum(n) AS counts, sum(n * n) AS counts_squared, "
            "sum(s) AS scores, sum(s * s) AS scores_squared, sum(s * n) AS products, sum(above) AS above "
            f"FROM ({of_text}) GROUP BY ALL"
        )

    def _refreshed(self, of: WordsOf, stratum: str) -> tuple[str, tuple[str, ...]]:
        """Add the rows that came since to the sums, and return the name of their table and its cells."""
        last = self._last_place()
        name, cells, before = self._kept.get(of, (f"sums_{len(self._kept)}", (), 0))
        if before == 0:
            cells = self._cells_within()
            self._database.execute(
                f"CREATE OR REPLACE TABLE {name} AS {self._counted(of, stratum, cells, ' WHERE false')}"
            )
        for begin in range(before, last, CHUNK):
            place = f" WHERE place > {begin} AND place <= {min(begin + CHUNK, last)}"
            self._database.execute(f"INSERT INTO {name} {self._counted(of, stratum, cells, place)}")
        if last > before:  # what several chunks say of a word is one sum
            keys = ", ".join(("word", "stratum", *cells))
            added = ", ".join(f"sum({column}) AS {column}" for column in _SUMS)
            merged = f"SELECT {keys}, {added} FROM {name} GROUP BY ALL"
            self._database.execute(f"CREATE OR REPLACE TABLE {name} AS {merged}")
        self._kept[of] = (name, cells, last)
        return name, cells

    def _cells_within(self) -> tuple[str, ...]:
        every = (*self._cells, *self._groups)
        if not self._groups:
            return every
        counted = f"SELECT count(*) FROM (SELECT DISTINCT {', '.join(every)} FROM rows)"
        (count,) = self._database.execute(counted).fetchall()[0]
        return every if count <= MOST_CELLS else self._cells

    def _last_place(self) -> int:
        (last,) = self._database.execute("SELECT max(place) FROM rows").fetchall()[0]
        return int(last or 0)

    def forms(self, of: WordsOf, word: str) -> tuple[str, ...]:
        """Return the words of the table that have the form of a word."""
        table = self._refreshed_forms(of)
        if table is None:
            return (word,)
        form = form_of(of.by, of.language)(word)
        listed = self._database.execute(f"SELECT word FROM {table} WHERE form = ? ORDER BY word", [form]).fetchall()
        return tuple(word for (word,) in listed)

    def _refreshed_forms(self, of: WordsOf) -> str | None:
        """Add the words that came since to the table of forms, and return its name; None where a word is its form."""
        if of.by not in ("folded", "lemma"):
            return None
        key, last = (of.words, of.by, of.language), self._last_place()
        name, before = self._forms.get(key, (f"forms_{len(self._forms)}", -1))
        if before < 0:
            self._database.execute(f"CREATE OR REPLACE TABLE {name} (word VARCHAR, form VARCHAR)")
        if before < last:
            fresh = f"SELECT DISTINCT unnest({of.words}) AS word FROM rows WHERE place > {max(before, 0)}"
            new = self._database.execute(f"{fresh} EXCEPT SELECT word FROM {name}").fetchall()
            form = form_of(of.by, of.language)
            words = [word for (word,) in new]
            table = pa.table({"word": pa.array(words, pa.string()), "form": pa.array(map(form, words), pa.string())})
            self._database.register("fresh_forms", table)
            try:
                self._database.execute(f"INSERT INTO {name} SELECT * FROM fresh_forms")
            finally:
                self._database.unregister("fresh_forms")
        self._forms[key] = (name, last)
        return name
