"""The rows of a run as a table, and figures of its decisions, against counts in Python and scikit-learn."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn import metrics

import explain
from explain.analyses.pca_map import PCAMap
from explain.cli.main import main
from explain.core.errors import DataError, ModelError, SettingError
from explain.core.meter import Meter
from explain.data.columns import Columns
from explain.data.dataset import Dataset
from explain.methods.base import METHODS
from explain.models.base import TextModel
from explain.models.loading.catalogue import load_model
from explain.numerics import classifier_figures
from explain.report.dataset_run import Run
from explain.run import engine
from explain.run.kept_scores import KeptRow
from explain.run.plan import Plan, TargetChoice
from explain.run.run_export import csv_of, parquet_of_rows
from explain.run.run_figures import RunFigures, label_rows
from explain.run.run_map import map_rows
from explain.run.run_plan import RunPlan
from explain.run.run_table import RowFilter, RunTable, quoted
from explain.run.shipped import REVIEWS
from explain.run.word_figures import form_of, sums_by_word
from explain.testing import TOY_MODELS
from explain.text import lemmas
from explain.text.lemmas import languages, lemma_of
from explain.training.measure.classification import calibration_error
from explain.views.row_words import row_words

HOSTILE = '=HYPERLINK("x"); DROP TABLE rows; -- \' ? %'
COLUMN = 'a "b"; DROP TABLE rows'


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Run:
    rows = [{"say": row.text, "label": row.label, COLUMN: row.groups[0]} for row in shipped()][:48]
    rows += [{"say": f"{HOSTILE} A mess.", "label": "neutral", COLUMN: HOSTILE}, {"say": "x" * 30_000, "label": ""}]
    columns = Columns(text="say", label="label", groups=(COLUMN,))
    folder = tmp_path_factory.mktemp("runs") / "run"
    return explain.run(
        Dataset.of_rows(rows),
        out=folder,
        columns=columns,
        methods=["gradient_times_input"],
        shard_size=20,
        embeddings=True,
    )


def shipped() -> list[explain.data.dataset.DataRow]:
    columns = Columns(text="text", label="label", id="id", groups=("form",))
    return list(Dataset.open(REVIEWS.path, columns=columns))


@pytest.fixture(scope="module")
def table(made: Run) -> Iterator[RunTable]:
    opened = RunTable(made)
    yield opened
    opened.close()


def test_shipped_rows_are_what_is_said_of_them() -> None:
    rows = shipped()
    assert len(rows) == 192 == len({row.text for row in rows}) and REVIEWS.about.startswith("192 ")
    assert {row.label for row in rows} == {"positive", "negative"}
    assert {row.groups[0] for row in rows} == {"plain", "negated", "contrast", "expected"}


WANTED: list[tuple[RowFilter, Callable[[Any], bool]]] = [
    (RowFilter(), lambda row: True),
    (RowFilter(prediction="negative"), lambda row: row["prediction"] == "negative"),
    (RowFilter(label="positive"), lambda row: row["label"] == "positive"),
    (RowFilter(correct="wrong"), lambda row: row["correct"] is False),
    (RowFilter(confidence=(0.5, 0.9)), lambda row: 0.5 <= row["confidence"] <= 0.9),
    (RowFilter(length=(0, 9)), lambda row: row["length"] <= 9),
    (RowFilter(contains="THE s"), lambda row: "the s" in row["text"].lower()),
    (RowFilter(word="The"), lambda row: "The" in row["words"]),
    (RowFilter(word="tHe", by="folded"), lambda row: "the" in map(str.lower, row["words"])),
    (RowFilter(groups=((COLUMN, HOSTILE),)), lambda row: row["text"].startswith(HOSTILE)),
    (RowFilter(contains=HOSTILE), lambda row: row["text"].startswith(HOSTILE)),
    (RowFilter(failed=True), lambda row: row["error"] is not None),
    (RowFilter(prediction="' OR 1=1 --"), lambda row: False),
    (RowFilter(groups=(("nowhere", "x"),)), lambda row: False),
    (RowFilter(places=(3, 5, 99)), lambda row: row["number"] in (3, 5)),
]


@pytest.mark.parametrize(("wanted", "kept"), WANTED)
def test_a_filter_keeps_what_python_keeps(made: Run, table: RunTable, wanted: RowFilter, kept: object) -> None:
    expected = [row["number"] for row in made.rows() if kept(row)]  # type: ignore[operator]
    assert [row["number"] for row in table.rows(wanted, columns=["number"])] == expected
    assert table.count(wanted) == len(expected)


def test_pages_are_parts_of_the_sorted_rows(made: Run, table: RunTable) -> None:
    rows = sorted(made.rows(), key=lambda row: (-row["confidence"], row["number"]))
    page = table.rows(columns=["number"], by="confidence", falling=True, most=7, after=14)
    assert [row["number"] for row in page] == [row["number"] for row in rows[14:21]]
    with pytest.raises(SettingError, match="no column"):
        table.rows(by="confidence; DROP TABLE rows")


def test_the_statement_that_is_shown_selects_the_same_rows(made: Run, table: RunTable) -> None:
    import duckdb

    for wanted in (
        RowFilter(contains=HOSTILE),
        RowFilter(places=(2, 7), word="The"),
        RowFilter(word="the", by="folded"),
        RowFilter(label="positive", correct="wrong", groups=((COLUMN, "plain"),)),
    ):
        statement = table.sql(wanted, by="confidence", falling=True)
        shown = duckdb.sql(statement.replace("parts/", f"{made.path}/parts/")).fetchall()
        assert [row[0] for row in shown] == [row["id"] for row in table.rows(wanted, by="confidence", falling=True)]


def test_the_database_reads_no_file_and_can_not_be_opened_up(table: RunTable, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    for statement in (
        f"SELECT * FROM read_csv('{tmp_path}/secret.csv')",
        f"COPY rows TO '{tmp_path}/out.csv'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        f"ATTACH '{tmp_path}/other.duckdb'",
    ):
        with pytest.raises(Exception, match=r"(?i)permission|disabled|locked|lock|not allowed|cannot"):
            table._database.execute(statement)
    assert not (tmp_path / "out.csv").exists()
    assert quoted(COLUMN) == '"a ""b""; DROP TABLE rows"'


@pytest.mark.parametrize("by", ["word", "folded", "lemma"])
def test_words_are_those_of_the_run(made: Run, table: RunTable, by: str) -> None:
    expected, listed = made.words(by=by, least=2), table.words("gradient_times_input", by=by, least=2)
    assert len(listed) > 5
    assert [(figure.word, figure.texts, figure.occurrences) for figure in listed] == [
        (figure.word, figure.texts, figure.occurrences) for figure in expected
    ]
    for mine, theirs in zip(listed, expected):
        assert mine.mean == pytest.approx(theirs.mean) and mine.positive == theirs.positive
        assert mine.half_width == pytest.approx(theirs.half_width, abs=1e-9)
    with pytest.raises(SettingError, match="no scores of lime"):
        table.words("lime")


@pytest.mark.parametrize("wanted", WANTED)
@pytest.mark.parametrize("by", ["word", "lemma"])
def test_words_of_some_rows_are_those_of_a_run_of_these_rows(made: Run, table: RunTable, by: str, wanted: Any) -> None:
    """Whether sums that are kept by cell are added up, or the words of the rows are counted anew."""
    rows_filter, kept = wanted
    rows = [row for row in made.rows() if kept(row)]
    sums = sums_by_word(rows, "scores_gradient_times_input", lambda number: 0, form_of(by))
    expected = {word: parts[0].figures(word) for word, parts in sums.items()}
    listed = table.words("gradient_times_input", rows_filter, by=by)
    assert [figure.word for figure in listed] == sorted(expected, key=lambda word: (-expected[word].texts, word))
    for figure in listed:
        other = expected[figure.word]
        assert (figure.texts, figure.occurrences) == (other.texts, other.occurrences)
        assert (figure.mean, figure.positive) == pytest.approx((other.mean, other.positive))
        assert figure.half_width == pytest.approx(other.half_width, abs=1e-9)
    if listed:
        assert table.words("gradient_times_input", rows_filter, by=by, only=[listed[-1].word]) == [listed[-1]]


def test_lemmas_are_those_of_a_dictionary(
    made: Run, table: RunTable, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lemma = lemma_of("en")
    assert [lemma(word) for word in ("Movies", "was", "The", "zzyx")] == ["movie", "be", "the", "zzyx"]
    assert lemma_of("de")("Häuser") == "haus" and {"en", "de", "fr"} <= set(languages())
    rows = [row["number"] for row in made.rows() if "be" in map(lemma, row["words"])]
    wanted = RowFilter(word="be", by="lemma")
    assert [row["number"] for row in table.rows(wanted, columns=["number"])] == rows
    assert {"is", "was"} <= set(table.forms(wanted)) and table.forms(RowFilter(word="be")) == ()
    assert table.count(RowFilter(word="nowhere to be", by="lemma")) == 0
    assert main(["words", str(made.path), "--by", "lemma", "--most", "3", "--format", "csv"]) == 0
    first = made.words(by="lemma")[0]
    cells = (first.word, first.texts, first.occurrences, first.mean, first.half_width, first.positive, first.texts)
    assert capsys.readouterr().out.splitlines()[1] == ",".join(map(str, cells))
    assert main(["words", str(made.path)]) == 0 and "+- 95 %" in capsys.readouterr().out
    assert main(["words", str(made.path), "--by", "phrase"]) == 2 and "--phrases" in capsys.readouterr().err
    with pytest.raises(SettingError, match="no lemmas of 'tlh'"):
        made.words(by="lemma", language="tlh")
    with pytest.raises(SettingError, match="by word, folded, lemma, phrase, not by 'stem'"):
        table.words("gradient_times_input", by="stem")
    monkeypatch.setattr(lemmas, "find_spec", lambda name: None)
    assert languages() == ()
    lemma_of.cache_clear()
    for act in (made.words, lambda **by: table.words("gradient_times_input", **by)):
        with pytest.raises(SettingError, match=r"pip install 'explain-transformers\[lemma\]'"):
            act(by="lemma")


def test_rows_come_as_parts_are_finished(made: Run, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(made.path, tmp_path / "run")
    late = tmp_path / "run" / "done" / "000001.json"
    marker = late.read_text()
    late.unlink()
    table = RunTable(Run(tmp_path / "run"))
    assert table.count() == 30
    late.write_text(marker)
    assert table.refresh() == 50 == table.count()
    assert [row["number"] for row in table.rows(columns=["number"])] == list(range(1, 51))
    part = tmp_path / "run" / "parts" / "000002.parquet"
    part.write_bytes(part.read_bytes()[:-1])
    with pytest.raises(DataError, match="damaged"):
        RunTable(Run(tmp_path / "run"))


def test_a_run_without_rows_has_an_empty_table(made: Run, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes((made.path / "manifest.json").read_bytes())
    table = RunTable(Run(tmp_path))
    assert table.count() == 0 and not table.counts("prediction") and not table.confusion() and table.rows() == []
    assert RunFigures.of(table) is None


def test_figures_are_those_of_scikit_learn(made: Run, table: RunTable) -> None:
    figures = RunFigures.of(table)
    assert figures is not None and figures.exclusive and figures.probabilities is not None
    rows = [row for row in made.rows() if row["correct"] is not None]
    known, decided = [row["label"] for row in rows], [row["prediction"] for row in rows]
    shares = np.array([row["probabilities"] for row in rows])
    assert figures.count == len(rows) == 48
    assert figures.accuracy is not None and figures.accuracy[0] == metrics.accuracy_score(known, decided)
    assert figures.confusion().counts.tolist() == metrics.confusion_matrix(known, decided).tolist()  # type: ignore[union-attr]
    precision, recall, f1, count = metrics.precision_recall_fscore_support(known, decided)
    for column, label in enumerate(figures.by_label):
        right = np.array([name == label.label for name in known])
        expected = (precision[column], recall[column], f1[column], metrics.roc_auc_score(right, shares[:, column]))
        mine = (label.precision, label.recall, label.f1, label.roc_area)
        for (figure, low, high), value in zip(mine, expected, strict=True):  # type: ignore[misc]
            assert figure == pytest.approx(value) and low <= figure <= high
        assert label.average_precision is not None
        assert label.average_precision[0] == pytest.approx(metrics.average_precision_score(right, shares[:, column]))
        assert label.count == count[column]
    at = figures.at_threshold("positive", 0.3)
    assert at is not None and at.predicted == (shares[:, 1] >= 0.3).sum()
    assert len(figures.charts("positive", "run").charts) == 3  # type: ignore[union-attr]
    assert [row["label"] for row in label_rows(figures)] == ["negative", "positive"]
    assert sorted(table.confusion().values()) == sorted(n for n in figures.confusion().counts.ravel().tolist() if n)  # type: ignore[union-attr]


def test_an_even_sample_is_spread_over_the_rows(made: Run, table: RunTable) -> None:
    numbers = [row["number"] for row in made.rows() if row["prediction"] == "negative"]
    wanted = RowFilter(prediction="negative")
    assert table.even_sample(wanted, 100, ["number"])["number"].to_pylist() == numbers
    stretches = [place * 9 // len(numbers) for place in range(-1, len(numbers))]
    every = [number for number, before, mine in zip(numbers, stretches, stretches[1:]) if mine > before]
    assert table.even_sample(wanted, 9, ["number"])["number"].to_pylist() == every and len(every) == 9


def test_vectors_are_those_of_embed_and_the_map_reads_no_text_again(
    made: Run, table: RunTable, sentiment: TextModel
) -> None:
    rows = list(made.rows())
    expected = explain.embed([row["text"] for row in rows], sentiment)
    assert np.allclose([row["embedding"] for row in rows], expected.vectors, atol=1e-5)
    kind = pq.read_schema(made.path / "parts" / "000000.parquet").field("embedding").type
    assert str(kind) == "list<element: float>"
    drawn = map_rows(table, RowFilter(correct="correct"), "confidence", 9, sentiment, of_run=True)
    meter = Meter()
    results = engine.results(Plan(drawn.subject, (PCAMap(),)), sentiment, meter)
    places = drawn.subject.texts.rows
    assert len(drawn) == 9 and drawn.kept and meter.spent.forward == 0
    assert engine.cost(Plan(drawn.subject, (PCAMap(),)), sentiment) == 0
    assert drawn.cells == tuple(rows[place - 1]["confidence"] for place in places)
    again = PCAMap().run(sentiment, explain.embed([rows[place - 1]["text"] for place in places], sentiment))
    assert np.allclose(results.required(PCAMap()).points, again.points, atol=1e-4)
    for model, of_run in ((sentiment, False), (load_model("base"), True)):  # another model's, or files that changed
        assert not map_rows(table, RowFilter(), "prediction", 9, model, of_run=of_run).kept
    with pytest.raises(SettingError, match="give it away"):
        RunPlan(texts=False, embeddings="mean")
    with pytest.raises(ModelError, match="gives no vectors"):
        explain.run(Dataset.of_rows([{"text": "a"}]), TOY_MODELS["linear"], out="nowhere", embeddings=True)


def test_groups_are_counted(made: Run, table: RunTable) -> None:
    rows = [row for row in made.rows() if row["correct"] is not None]
    shares = table.shares("correct", True, by=f"group_{COLUMN}")
    assert [share.cell for share in shares] == sorted({row[f"group_{COLUMN}"] for row in rows})
    for share in shares:
        mine = [row["correct"] for row in rows if row[f"group_{COLUMN}"] == share.cell]
        assert (share.count, share.hits) == (len(mine), sum(mine))
        assert share.share == classifier_figures.share(sum(mine), len(mine))


def test_files_hold_every_row_and_no_formula(table: RunTable) -> None:
    rows = table.arrow(columns=["id", "text", "words", "confidence", "correct"])
    cells = list(csv.reader(io.StringIO(csv_of(rows).decode(), newline="")))
    assert len(cells) == 51 and cells[49][1].startswith("'=HYPERLINK") and float(cells[1][3]) <= 1
    assert pq.read_table(io.BytesIO(parquet_of_rows(rows))).to_pylist() == rows.to_pylist()


def test_a_row_is_drawn_from_what_the_run_keeps(table: RunTable) -> None:
    row = table.row(1)
    assert row is not None
    drawn = row_words(row, "gradient_times_input", "Gradient x input", marked=row["words"][0])
    assert drawn is not None and [unit["text"] for unit in drawn["texts"][0]["units"]] == row["words"]
    assert [unit["score"] for unit in drawn["texts"][0]["units"]] == [
        s or 0.0 for s in row["scores_gradient_times_input"]
    ]
    assert (
        "".join(unit["gap"] + unit["text"] for unit in drawn["texts"][0]["units"]) + drawn["texts"][0]["tail"]
        == row["text"]
    )
    assert drawn["texts"][0]["units"][0]["asked"] and row_words(row, "lime", "LIME") is None
    assert table.row(10**6) is None


def test_a_row_that_a_run_kept_is_shown_by_its_own_numbers(made: Run, table: RunTable, sentiment: TextModel) -> None:
    row, method = table.row(2), METHODS["gradient_times_input"]()
    assert row is not None
    kept = KeptRow(made, "a run", row)
    assert kept.covers(sentiment, row["text"], None, [method]) and kept.created
    for text, methods in (("Another.", [method]), (row["text"], [METHODS["occlusion"]()]), (row["text"], [])):
        assert not kept.covers(sentiment, text, None, methods)
    assert not kept.covers(load_model("base"), row["text"], None, [method])
    plan = Plan.for_text(row["text"], methods=[method])
    meter = Meter()
    predicted = engine.results(Plan.for_text(row["text"]), sentiment, meter)
    shown = kept.results(predicted, plan, sentiment)
    assert shown is not None and shown.complete and meter.spent.forward == 1
    mine = shown.required(method)
    computed = engine.results(plan, sentiment).required(method).per_word()
    by_token = {unit[0]: score for unit, score in zip(mine.units, mine.scores.tolist())}
    assert [by_token[unit[0]] for unit in mine.tokens.word_units()] == row["scores_gradient_times_input"]
    assert mine.scores.sum() == pytest.approx(computed.scores.sum(), abs=1e-4)  # with what lies outside words
    assert (mine.output, mine.baseline_output) == (row["output"], row["baseline_gradient_times_input"])
    assert mine.completeness_gap == pytest.approx(row["gap_gradient_times_input"], abs=1e-9)
    assert (mine.granularity, mine.signed, mine.params) == ("word", True, computed.params)
    other = replace(plan, target=TargetChoice(label="positive" if row["target"] == "negative" else "negative"))
    assert kept.results(engine.results(replace(other, analyses=()), sentiment), plan, sentiment) is None
    assert KeptRow(made, "", row | {"words": ["x"]}).results(predicted, plan, sentiment) is None


def test_intervals_hold_the_truth() -> None:
    """Of 95 % intervals at least 93 % hold the figure of the population; areas, F1 and the calibration error."""
    random = np.random.default_rng(0)

    def drawn(count: int) -> tuple[np.ndarray, np.ndarray]:
        right = random.random(count) < 0.3
        scores = 1 / (1 + np.exp(1 - 1.5 * right - 1.2 * random.normal(size=count)))
        return right, np.round(scores, 2)

    right, scores = drawn(400_000)
    truth = metrics.roc_auc_score(right, scores), metrics.average_precision_score(right, scores)
    f1 = metrics.f1_score(right, scores >= 0.5)
    held = np.zeros(3)
    for _ in range(300):
        right, scores = drawn(250)
        decided = scores >= 0.5
        figures = (
            classifier_figures.roc_area(right, scores),
            classifier_figures.average_precision(right, scores),
            classifier_figures.f1(int((right & decided).sum()), int(right.sum()), int(decided.sum()), len(right)),
        )
        held += [figure[1] <= value <= figure[2] for figure, value in zip(figures, (*truth, f1))]  # type: ignore[index]
    assert (held / 300 >= 0.93).all()


def test_the_calibration_error_is_that_of_training() -> None:
    random = np.random.default_rng(1)
    shares = random.dirichlet([1, 1, 1], 500)
    labels = random.integers(0, 3, 500)
    confidence, right = shares.max(axis=1), shares.argmax(axis=1) == labels
    figure, low, high = classifier_figures.calibration_error(confidence, right)
    assert figure == pytest.approx(calibration_error(shares, labels)) and low <= high
    groups = classifier_figures.calibration_groups(confidence, right)
    assert sum(group[-1] for group in groups) == 500
    assert sum(group[1] * group[-1] for group in groups) == pytest.approx(right.sum())


def test_undefined_figures_are_none() -> None:
    everything, scores = np.ones(3, dtype=bool), np.array([0.1, 0.5, 0.9])
    assert classifier_figures.roc_area(everything, scores) is None
    assert classifier_figures.average_precision(everything, scores) is None
    assert classifier_figures.share(0, 0) is None and classifier_figures.f1(0, 0, 0, 5) is None
    area = classifier_figures.roc_area(np.array([True, False, True]), np.array([0.9, 0.1, 0.8]))
    assert area is not None and area[0] == 1 and area[1] < 1
