"""Runs of which some rows are drawn: the same draw and the same bytes whatever happens, and figures by weights."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest

import explain
from explain.core.errors import DataError, SettingError
from explain.data.columns import Columns
from explain.data.dataset import Dataset
from explain.run.draw import Frame, read_draw
from explain.run.folders import folder_at
from explain.run.run_figures import RunFigures
from explain.run.run_table import RowFilter, RunTable
from explain.run.sample import seconds_of
from explain.run.sampled_figures import ShareSums, share_of_all
from explain.run.sampled_run import PILOT
from explain.run.shards import ShardProgress
from explain.testing import TOY_MODELS
from tests.run.test_dataset_run import parts

SUBJECTS = ("film", "plot", "cast", "score", "set")
WORDS = ("good", "bad", "odd", "tender", "a mess", "a feast", "slow")
METHOD = "occlusion"
MODEL = TOY_MODELS["curved"]
COLUMNS = Columns(label="stars", id="name", groups=("site",))


def rows(count: int) -> list[dict[str, str]]:
    return [
        {
            "text": f"The {SUBJECTS[number % 5]} is {WORDS[number % 7]}{'.' * (1 + number // 35)}",
            "stars": ("negative", "positive")[number % 3 > 0],
            "name": f"row {number}",
            "site": "ab"[number % 4 == 0],
        }
        for number in range(count)
    ]


def of_rows(count: int = 70, order: int = 1) -> Dataset:
    return Dataset.of_rows(rows(count)[::order], columns=COLUMNS)


def made_in(folder: Path | str, sample: Any, count: int = 70, **options: Any) -> explain.Run:
    options = {"methods": [METHOD], "shard_size": 8, **options}
    return explain.run(of_rows(count), MODEL, out=folder, sample=sample, **options)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> explain.Run:
    return made_in(tmp_path_factory.mktemp("run") / "RUN", 20)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> explain.Run:
    return made_in(tmp_path_factory.mktemp("whole") / "RUN", None)


def test_all_rows_are_predicted_and_drawn_rows_explained(made: explain.Run, whole: explain.Run) -> None:
    assert made.predictions is not None and made.draw is not None
    predicted, drawn = list(made.predictions.rows()), list(made.rows())
    assert [row["name"] for row in rows(70)] == [row["id"] for row in predicted]
    assert len(drawn) == 20 == len(made.draw.numbers) and made.verify().whole and made.shards == 3
    strata = Counter((row["prediction"], row["group_site"]) for row in predicted)
    of_sample = Counter((row["prediction"], row["group_site"]) for row in drawn)
    assert of_sample.keys() == strata.keys() and all(of_sample[cells] >= 2 for cells in strata)
    by_id = {row["id"]: row for row in whole.rows()}
    for row in drawn:
        cells = row["prediction"], row["group_site"]
        assert row["weight"] == pytest.approx(strata[cells] / of_sample[cells])
        assert row[f"scores_{METHOD}"] == pytest.approx(by_id[row["id"]][f"scores_{METHOD}"], abs=1e-5)
    assert sum(row["weight"] for row in drawn) == pytest.approx(70)


def test_figures_of_predictions_are_those_of_all_rows(made: explain.Run, whole: explain.Run) -> None:
    figures, all_figures = made.summary(), whole.summary()
    assert figures.predictions == all_figures.predictions and figures.accuracy == all_figures.accuracy
    assert (figures.rows, figures.labelled) == (70, 70) and figures.passes[0][1] == sum(
        row[f"passes_{METHOD}"] for row in made.rows()
    )
    assert all(low == share == high for _, (share, low, high) in figures.shares)
    assert figures.sample is not None and all_figures.sample is None
    assert (figures.sample.drawn, figures.sample.of_texts, figures.sample.explained) == (20, 70, 20)
    assert figures.sample.by == ("prediction", "site") and figures.sample.all_predicted


def test_figures_of_words_use_weights(made: explain.Run) -> None:
    kept = list(made.rows())
    for figure in made.words():
        texts = [
            (row["weight"], [s for w, s in zip(row["words"], row[f"scores_{METHOD}"]) if w == figure.word])
            for row in kept
        ]
        standing = [(weight, scores) for weight, scores in texts if scores]
        occurrences = sum(weight * len(scores) for weight, scores in standing)
        assert figure.mean == pytest.approx(sum(weight * sum(scores) for weight, scores in standing) / occurrences)
        above = sum(weight * sum(score > 0 for score in scores) for weight, scores in standing)
        assert figure.positive == pytest.approx(above / occurrences)
        assert figure.all_texts == pytest.approx(sum(weight for weight, _ in standing))
        assert (figure.texts, figure.occurrences) == (len(standing), sum(len(scores) for _, scores in standing))
        assert (figure.half_width is None) == (figure.texts == 1)
    assert [figure.word for figure in made.leading_words()][:1] != []


def test_the_table_weighs_words_too(made: explain.Run) -> None:
    table = RunTable(made)
    for mine, other in zip(table.words(METHOD), made.words(), strict=True):
        assert (mine.word, mine.texts, mine.occurrences) == (other.word, other.texts, other.occurrences)
        for name in ("mean", "positive", "all_texts"):
            assert getattr(mine, name) == pytest.approx(getattr(other, name))
        assert mine.half_width == pytest.approx(other.half_width, abs=1e-6)
    negative = RowFilter(prediction="negative")
    weights = [row["weight"] for row in made.rows() if row["prediction"] == "negative" and "film" in row["words"]]
    assert {figure.word: figure.all_texts for figure in table.words(METHOD, negative)}["film"] == pytest.approx(
        sum(weights)
    )
    assert len(table.words(METHOD, least=3, most=2)) == 2
    table.close()


def test_means_of_samples_lie_around_those_of_all_rows(whole: explain.Run, tmp_path: Path) -> None:
    every = {figure.word: figure for figure in whole.words()}
    held = [
        abs(figure.mean - every[figure.word].mean) <= figure.half_width
        for seed in range(3)
        for figure in made_in(tmp_path / str(seed), explain.Sample(rows=35, seed=seed)).words(least=5)
        if figure.half_width is not None
    ]
    assert len(held) > 20 and np.mean(held) > 0.8


def test_a_sample_of_all_rows_is_a_run_of_all_rows(whole: explain.Run, tmp_path: Path) -> None:
    run = made_in(tmp_path / "RUN", 500)
    assert run.draw is not None and run.draw.all_drawn
    assert run.summary().accuracy == whole.summary().accuracy
    for mine, other in zip(run.words(), whole.words(), strict=True):
        assert (mine.word, mine.texts, mine.all_texts) == (other.word, other.texts, other.texts)
        assert (mine.mean, mine.half_width) == (pytest.approx(other.mean), pytest.approx(other.half_width, abs=1e-6))


def test_a_draw_depends_on_seed_and_ids_only(made: explain.Run, tmp_path: Path) -> None:
    backwards = explain.run(
        of_rows(order=-1),
        MODEL,
        out=tmp_path / "BACK",
        sample=20,
        methods=[METHOD],
        shard_size=5,
        backend="threads",
        workers=2,
    )
    assert {row["id"] for row in backwards.rows(["id"])} == {row["id"] for row in made.rows(["id"])}
    other = made_in(tmp_path / "OTHER", explain.Sample(rows=20, seed=1))
    assert {row["id"] for row in other.rows(["id"])} != {row["id"] for row in made.rows(["id"])}


def test_every_row_is_drawn_alike() -> None:
    times = Counter[int]()
    for seed in range(300):
        frame = Frame(("prediction",), seed)
        for number in range(60):
            frame.add(number, f"row {number}", ("a" if number < 40 else "b",))
        draw = frame.strata(12).draw(12, {})
        assert [len(stratum.numbers) for stratum in draw.strata] == [8, 4]
        times.update(draw.numbers)
    share = np.array([times[number] for number in range(60)]) / 300
    assert abs(share - 0.2).max() < 4 * (0.2 * 0.8 / 300) ** 0.5


def test_strata_do_not_go_by_what_no_row_has() -> None:
    frame = Frame(("prediction", "site"), 0)
    for number in range(20):
        frame.add(number, str(number), ("", "ab"[number % 2]))
    draw = frame.without_empty("prediction").strata(10).draw(10, {})
    assert draw.by == ("site",) and [stratum.cells for stratum in draw.strata] == [("a",), ("b",)]


def test_small_strata_are_drawn_together() -> None:
    frame = Frame(("prediction", "site"), 0)
    for number in range(1000):
        frame.add(number, str(number), ("a" if number < 900 else f"b{number}",))
    draw = frame.strata(40).draw(40, {})
    assert len(draw.numbers) == 40 and draw.rows == 1000 and draw.strata[-1].cells is None
    assert sum(len(stratum.numbers) for stratum in draw.strata if stratum.cells != ("a",)) < 24
    assert sum(draw.weight(number) for number in draw.numbers) == pytest.approx(1000)


@pytest.mark.parametrize(
    "sample", [explain.Sample(rows=20), explain.Sample(until=0.3), explain.Sample(rows=20, only_drawn=True)]
)
@pytest.mark.parametrize("stage", ["predictions", "pilot", ""])
def test_a_stopped_run_goes_on_with_the_same_draw(
    sample: explain.Sample, stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (stage == "pilot" and sample.until is None) or (stage == "predictions" and sample.only_drawn):
        pytest.skip("the run has no such stage")
    monkeypatch.setattr("explain.run.sampled_run.PILOT", 20)
    monkeypatch.setattr("explain.run.sampled_run._PILOT_SHARD", 5)

    def stop(progress: ShardProgress) -> None:
        if progress.stage == stage and progress.done == 1:
            raise KeyboardInterrupt

    every: list[tuple[str, int]] = []
    undisturbed = made_in(tmp_path / "WHOLE", sample, on_progress=lambda now: every.append((now.stage, now.total)))
    with pytest.raises(KeyboardInterrupt):
        made_in(tmp_path / "RUN", sample, on_progress=stop)
    begun = explain.Run(tmp_path / "RUN")
    assert not begun.verify().whole and (begun.draw is None) == bool(stage)
    begun.summary(), begun.words()
    with pytest.raises(DataError, match="was begun with sample"):
        made_in(tmp_path / "RUN", explain.Sample(rows=21), resume=True)
    computed: list[tuple[str, int]] = []
    ended = made_in(
        tmp_path / "RUN",
        sample,
        resume=True,
        on_progress=lambda now: computed.append((now.stage, now.total - now.done)),
    )
    assert parts(ended.path) == parts(undisturbed.path) and ended.verify().whole
    assert (ended.path / "draw.json").read_bytes() == (undisturbed.path / "draw.json").read_bytes()
    if not sample.only_drawn:
        assert parts(ended.path / "predictions") == parts(undisturbed.path / "predictions")
    assert dict(reversed(computed))[stage] == dict(every)[stage] - 1, "what is finished is not computed again"


def test_a_sample_at_an_address_is_that_on_disk(tmp_path: Path) -> None:
    sample = explain.Sample(until=0.3)
    local, remote = (
        made_in(place, sample, count=30, shard_size=16) for place in (tmp_path / "RUN", "memory://sampled/RUN")
    )
    assert local.draw == remote.draw and list(local.rows()) == list(remote.rows()) and remote.verify().whole
    assert remote.words() == local.words() and remote.summary() == local.summary()
    fsspec.filesystem("memory").rm("/sampled", recursive=True)


def test_two_workers_write_the_same_bytes(made: explain.Run, tmp_path: Path) -> None:
    again = made_in(tmp_path / "RUN", 20, backend="threads", workers=2)
    assert parts(again.path) == parts(made.path)
    assert parts(again.path / "predictions") == parts(made.path / "predictions")


def test_a_budget_sets_a_size_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = made_in(tmp_path / "RUN", explain.Sample(budget="1h"))
    assert run.draw is not None and run.draw.all_drawn and run.draw.size_from["seconds_of_a_row"] > 0
    with monkeypatch.context() as slow:
        slow.setattr("explain.run.sampled_run.cost_of_run", _takes(130.0))
        some = made_in(tmp_path / "SOME", explain.Sample(budget="1h", seed=3))
    assert some.draw is not None and 23 <= len(some.draw.numbers) <= 24  # 0.9 x 3600 / 130 s, less the predictions
    resumed = made_in(tmp_path / "SOME", explain.Sample(budget="60m", seed=3), resume=True)
    assert resumed.draw == some.draw
    with monkeypatch.context() as slow:
        slow.setattr("explain.run.dataset_run.cost_of_run", _takes(60.0))
        with pytest.raises(SettingError, match="To predict all 70 rows before some are drawn takes about 4,200 s"):
            made_in(tmp_path / "NONE", explain.Sample(budget="1h"))
        assert not (tmp_path / "NONE").exists()


def _takes(seconds: float) -> Any:
    """A measure of the cost by which each row takes so many seconds."""

    def cost_of_run(model: Any, tried: Any, count: int, plan: Any, of_rows: int | None = None) -> Any:
        return explain.run.dataset_run.RunCost(count, len(tried), count, {}, count * seconds, 0, of_rows)

    return cost_of_run


def test_only_drawn_rows_are_predicted_where_that_is_asked_for(tmp_path: Path, whole: explain.Run) -> None:
    run = made_in(tmp_path / "RUN", explain.Sample(rows=30, only_drawn=True))
    assert run.predictions is None and run.draw is not None and run.draw.by == ("label", "site")
    figures, true = run.summary(), whole.summary().accuracy
    kept = list(run.rows())
    assert figures.rows == len(kept) == figures.labelled == 30
    accuracy = sum(row["weight"] * row["correct"] for row in kept) / 70
    assert figures.accuracy is not None and true is not None
    assert figures.accuracy[0] == pytest.approx(accuracy) and figures.accuracy[1] < true[0] < figures.accuracy[2]
    for label, (share, low, high) in figures.shares:
        assert share == pytest.approx(sum(row["weight"] for row in kept if row["prediction"] == label) / 70)
        assert 0 <= low < share < high <= 1
    assert run.replay(5, model=MODEL).within(1e-5)


def test_an_interval_sets_a_size(tmp_path: Path) -> None:
    run = made_in(tmp_path / "RUN", explain.Sample(until=0.04, only_drawn=True), count=400, methods=())
    assert run.draw is not None and run.draw.size_from["bounds"] == "accuracy"
    assert len(run.draw.size_from["pilot"]) == PILOT < len(run.draw.numbers) < 400
    figures = run.summary()
    assert figures.accuracy is not None and figures.accuracy[2] - figures.accuracy[1] < 2 * 0.045
    assert figures.sample is not None and (figures.sample.until, figures.sample.pilot) == (0.04, 200)
    assert set(run.draw.size_from["pilot"]) <= set(run.draw.numbers), "the pilot sample is the beginning of the sample"


def test_figures_of_the_table_are_those_of_the_summary(tmp_path: Path) -> None:
    """By drawn rows alone, every figure that the page shows is the estimate that the command line prints."""
    only = explain.Sample(rows=40, only_drawn=True)
    run = made_in(tmp_path / "RUN", only, count=200, methods=["gradient_times_input"])
    table, summary = RunTable(run), run.summary()
    figures = RunFigures.of(table)
    assert figures is not None and figures.sampled and figures.count == 40 and summary.accuracy is not None
    assert figures.accuracy == pytest.approx(summary.accuracy, abs=1e-12)
    assert summary.accuracy[0] != pytest.approx(summary.correct / summary.labelled), "weights make no difference"
    for label, share in summary.shares:
        (mine,) = table.shares("prediction", label)
        assert mine.share == pytest.approx(share, abs=1e-12) and mine.hits == dict(summary.predictions)[label]
    strata, stratum_of = table.strata(), run.draw.stratum_of  # type: ignore[union-attr]
    assert strata == run.draw.sizes()  # type: ignore[union-attr]
    for mine in table.shares("correct", True, by="group_site"):
        rows_there = [row for row in run.rows() if row["group_site"] == mine.cell]
        sums = ShareSums(rows_there, stratum_of.__getitem__)
        assert mine.share == pytest.approx(share_of_all(sums.correct, strata), abs=1e-12)  # type: ignore[arg-type]
    weights = np.array([row["weight"] for row in run.rows()])
    for label in figures.by_label:
        column = figures.labels.index(label.label)
        hits = weights[figures.right[:, column] & figures.decided[:, column]].sum()
        for figure, of in ((label.precision, figures.decided), (label.recall, figures.right)):
            assert figure is None or figure[0] == pytest.approx(hits / weights[of[:, column]].sum())
    for by in ("word", "folded"):
        listed = {figure.word: figure for figure in table.words("gradient_times_input", by=by)}
        for figure in run.words(by=by):
            mine_of_word = listed.pop(figure.word)
            assert (mine_of_word.texts, mine_of_word.occurrences) == (figure.texts, figure.occurrences)
            for name in ("mean", "positive", "half_width", "all_texts"):
                assert getattr(mine_of_word, name) == pytest.approx(getattr(figure, name), abs=1e-9)
        assert not listed


def test_key_phrases_are_listed_as_words_are(tmp_path: Path) -> None:
    run = made_in(tmp_path / "RUN", explain.Sample(rows=8, only_drawn=True), count=20, methods=(), phrases=True)
    table = RunTable(run)
    listed = table.words("", by="phrase")
    assert [figure.word for figure in listed] == [figure.word for figure in run.words(by="phrase")] != []
    assert [figure.mean for figure in listed] == pytest.approx([figure.mean for figure in run.words(by="phrase")])
    for figure in listed[:2]:
        assert table.count(RowFilter(word=figure.word, by="phrase")) == figure.texts
    with pytest.raises(SettingError, match="keeps no scores of lime"):
        table.words("lime")


def test_a_row_that_was_not_drawn_is_opened_too(tmp_path: Path) -> None:
    run = explain.run(of_rows(5), out=tmp_path / "RUN", methods=["gradient_times_input"], sample=2)
    drawn = {row["id"] for row in run.rows(["id"])}
    other = next(row["name"] for row in rows(5) if row["name"] not in drawn)
    report = run.open(other)
    assert report.text == next(row["text"] for row in rows(5) if row["name"] == other)
    assert [part.method for part in report.attributions] == ["gradient_times_input"]
    assert run.replay(2).within(1e-5)


def test_texts_with_several_targets_are_drawn_whole(tmp_path: Path) -> None:
    run = explain.run(of_rows(30), TOY_MODELS["tagging"], out=tmp_path / "RUN", methods=["occlusion"], sample=12)
    kept = list(run.rows(["number", "weight"]))
    numbers = {row["number"] for row in kept}
    assert run.draw is not None and numbers == set(run.draw.numbers) and len(kept) > len(numbers) == 12
    assert max(figure.texts for figure in run.words()) <= 12
    only = explain.Sample(rows=12, only_drawn=True)
    estimated = explain.run(
        of_rows(30), TOY_MODELS["tagging"], out=tmp_path / "ONLY", methods=(), sample=only
    ).summary()
    assert sum(share for _, (share, _, _) in estimated.shares) == pytest.approx(1)
    assert all(0 <= low <= share <= high <= 1 for _, (share, low, high) in estimated.shares)


def test_damage_is_told(made: explain.Run, tmp_path: Path) -> None:
    folder = tmp_path / "RUN"
    shutil.copytree(made.path, folder)
    (folder / "predictions" / "parts" / "000001.parquet").unlink()
    verification = explain.Run(folder).verify()
    assert not verification.whole and verification.predictions is not None and not verification.damaged
    made_in(folder, 20, resume=True)
    assert explain.Run(folder).verify().whole and parts(folder / "predictions") == parts(made.path / "predictions")
    about = json.loads((folder / "draw.json").read_text())
    about["strata"][0]["rows"] += 1
    (folder / "draw.json").write_text(json.dumps(about))
    for act in (explain.Run(folder).verify, explain.Run(folder).words, lambda: made_in(folder, 20, resume=True)):
        with pytest.raises(DataError, match=r"draw\.json of .* is damaged or was changed"):
            act()
    (folder / "draw.json").unlink()
    assert read_draw(folder_at(folder)) is None
    with pytest.raises(DataError, match=r"draw\.json of .* is lost"):
        made_in(folder, 20, resume=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "none of them"),
        ({"rows": 20, "until": 0.1}, "rows and until"),
        ({"rows": 20, "budget": "1m", "until": 0.1}, "rows and budget and until"),
        ({"rows": 1}, "at least 2 rows"),
        ({"until": 0.0}, "above 0"),
        ({"until": float("nan")}, "above 0"),
        ({"budget": "soon"}, "such as 90s"),
        ({"budget": "0.5s"}, "from 1 second"),
        ({"budget": float("inf")}, "from 1 second"),
        ({"rows": 2, "seed": -1}, "A seed is"),
    ],
)
def test_settings_out_of_range_say_so(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        explain.Sample(**options)


def test_a_sample_needs_something_to_draw_for(tmp_path: Path) -> None:
    assert [seconds_of(text) for text in ("30m", "2 h", "45", 3.5)] == [1800, 7200, 45, 3.5]
    with pytest.raises(SettingError, match="nothing to explain"):
        made_in(tmp_path / "A", 20, methods=())
    with pytest.raises(SettingError, match="keep the texts"):
        made_in(tmp_path / "A", explain.Sample(until=0.1), texts=False)
    assert not (tmp_path / "A").exists()
