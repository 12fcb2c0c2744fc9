"""Runs: a data set explained row by row, the same bytes however it is computed, and nothing lost by a stop."""

import contextlib
import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

import explain
from explain.core.errors import Busy, DataError, FileError, ModelError, SettingError
from explain.data.columns import Columns
from explain.data.dataset import DataRow, Dataset
from explain.evaluation.verdict import verdict
from explain.methods.base import METHODS as METHODS_BY_NAME
from explain.methods.occlusion import Occlusion
from explain.metrics.base import TrialSettings
from explain.models.loading.catalogue import load_model
from explain.models.transformer import EncoderModel
from explain.report.dataset_run import compare_rows
from explain.run.run_plan import RunPlan, labels_of
from explain.run.run_rows import rows_of_run
from explain.run.shards import ShardProgress
from explain.run.word_figures import WordSums
from explain.testing import TOY_MODELS
from tests.full_disk import full_disk

TEXTS = (
    "A mess.",
    "The film isn't good, but its cast saves it.",
    "A feast of a film, and a good one.",
    "Not one laugh.",
    "It is so bad as to be good.",
    "An odd, slow, tender film.",
    "The plot is a mess, the cast is good.",
)
LABELS = ("negative", "positive", "positive", "neutral", "", "positive", "negative")
METHODS = ("decompx", "gradient_times_input", "occlusion", "raw_attention")
COLUMNS = Columns(label="stars", id="name", groups=("site",))


def rows(count: int = len(TEXTS)) -> list[dict[str, str]]:
    return [
        {"text": text, "stars": label, "name": f"row {number}", "site": "ab"[number % 2]}
        for number, (text, label) in enumerate(zip(TEXTS[:count], LABELS))
    ]


def of_rows(count: int = len(TEXTS)) -> Dataset:
    return Dataset.of_rows(rows(count), columns=COLUMNS)


def table(path: Path, lines: Sequence[dict[str, str]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(lines[0]))
        writer.writeheader()
        writer.writerows(lines)
    return path


def parts(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted((folder / "parts").iterdir())}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> explain.Run:
    folder = tmp_path_factory.mktemp("run")
    return explain.run(of_rows(), out=folder / "RUN", methods=METHODS, shard_size=3, phrases=True)


def test_rows_are_what_one_text_gives(made: explain.Run) -> None:
    kept = list(made.rows())
    assert [row["id"] for row in kept] == [row["name"] for row in rows()]
    for row in kept[:3]:
        report = explain.explain(row["text"], methods=METHODS)
        assert row["prediction"] == report.prediction.label
        assert row["confidence"] == pytest.approx(report.prediction.confidence, abs=1e-5)
        assert row["words"] == [
            report.prediction.tokens.unit_text(unit) for unit in report.prediction.tokens.word_units()
        ]
        assert [row["text"][start:stop] for start, stop in zip(row["starts"], row["stops"])] == row["words"]
        assert row["phrases"] == [phrase.text for phrase in report.phrases]
        for name in METHODS:
            attribution = report.attribution(name).per_word()
            score_of = dict(zip((unit[0] for unit in attribution.units), attribution.scores.tolist()))
            expected = [score_of[unit[0]] for unit in report.prediction.tokens.word_units()]
            assert row[f"scores_{name}"] == pytest.approx(expected, abs=1e-4)
            total = sum(row[f"scores_{name}"]) + row[f"rest_{name}"]
            assert total == pytest.approx(attribution.scores.sum(), abs=1e-4)
            if row[f"gap_{name}"] is not None:
                assert total + row[f"gap_{name}"] == pytest.approx(row["output"] - row[f"baseline_{name}"], abs=1e-4)


def test_labels_are_compared_where_the_model_has_them(made: explain.Run) -> None:
    kept = list(made.rows(["label", "prediction", "correct", "group_site"]))
    assert [row["correct"] for row in kept][3:5] == [None, None]  # neutral, and none
    assert all(row["correct"] == (row["label"] == row["prediction"]) for row in kept if row["correct"] is not None)
    assert {row["group_site"] for row in kept} == {"a", "b"}
    figures = made.summary()
    assert (figures.rows, figures.of_rows, figures.failed) == (7, 7, 0)
    assert (figures.labelled, figures.unknown_labels) == (5, 1)
    assert figures.accuracy is not None and figures.accuracy[0] == figures.correct / 5
    assert sum(count for _, count in figures.predictions) == 7


def test_several_labels_are_right_together(tmp_path: Path) -> None:
    given = ("gratitude", "gratitude|joy", "joy, gratitude", "delight", "")
    texts = [{"text": "Thank you so much, that helped!", "label": label} for label in given]
    data = Dataset.of_rows(texts, columns=Columns(label="label"))
    run = explain.run(data, "emotions", out=tmp_path / "RUN", methods=())
    kept = list(run.rows(["prediction", "correct"]))
    assert {row["prediction"] for row in kept} == {"gratitude"}
    assert [row["correct"] for row in kept] == [True, False, False, None, None]


def test_numbers_stand_for_labels_only_where_all_do() -> None:
    served = ["negative", "positive"]
    assert labels_of(["0", "1"], served) == {"0": "negative", "1": "positive"}
    assert labels_of(["0", "2"], served) == {} == labels_of([], served)
    assert labels_of(["Negative", "1"], served) == {"Negative": "negative"}


@pytest.mark.parametrize(("backend", "workers"), [("threads", 2), ("processes", 2)])
def test_every_backend_writes_the_same_bytes(backend: str, workers: int, made: explain.Run, tmp_path: Path) -> None:
    again = explain.run(
        of_rows(), out=tmp_path / "RUN", methods=METHODS, shard_size=3, phrases=True, backend=backend, workers=workers
    )
    assert parts(again.path) == parts(made.path) and again.verify().whole


def test_another_size_of_shards_changes_no_decision(made: explain.Run, tmp_path: Path) -> None:
    again = explain.run(of_rows(), out=tmp_path / "RUN", methods=METHODS, shard_size=7, phrases=True)
    compared = compare_rows(list(made.rows()), list(again.rows()))
    assert compared.rows == 7 and compared.within(1e-5), compared


def test_methods_share_passes_and_a_row_that_fails_leaves_its_reason_alone(
    tiny_bert: EncoderModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prediction, maps and flow take one forward pass of each text together; ALTI and DecompX one; gradients one."""
    texts = ("A mess.", "Not one laugh, not one.", "Bad.")
    data = [DataRow(number, text, None, "", str(number), ()) for number, text in enumerate(texts, 1)]
    most = max(len(tiny_bert.encode(text)) for text in texts) - 1
    names = ("raw_attention", "attention_flow", "alti", "decompx", "smoothgrad", "gradient_times_input")
    settings = {"attention_flow": {"most_tokens": most}, "smoothgrad": {"samples": 2}}
    plan = RunPlan(tuple(METHODS_BY_NAME[name](**settings.get(name, {})) for name in names))
    sequences: list[int] = []
    forward = tiny_bert._module.bert.embeddings.forward
    monkeypatch.setattr(
        tiny_bert._module.bert.embeddings,
        "forward",
        lambda *args, **inputs: sequences.append(1) or forward(*args, **inputs),
    )
    together = rows_of_run(tiny_bert, data, plan)
    assert len(sequences) == 3 + 2 * len(texts)  # batches of three texts, and SmoothGrad's two of each text
    failed = [row.get("failed_attention_flow") for row in together]
    assert failed[0] is failed[2] is None and f"attention_flow.most_tokens is {most}" in failed[1]
    for row, kept in zip(data, together):
        (alone,) = rows_of_run(tiny_bert, [row], plan)
        assert compare_rows([kept], [alone]).within(1e-5) and kept.keys() == alone.keys()
        expected = dict(zip(names, (1, 1, 1, 1, 5, 2)))
        for name in names:
            assert f"failed_{name}" in kept or kept[f"passes_{name}"] == alone[f"passes_{name}"] == expected[name]


def test_a_text_that_can_not_be_predicted_leaves_its_reason_alone() -> None:
    texts = ("A [MASK] film.", "A film without a gap.", "So [MASK]!")
    data = [DataRow(number, text, None, "", str(number), ()) for number, text in enumerate(texts, 1)]
    rows = rows_of_run(load_model("base"), data, RunPlan((METHODS_BY_NAME["gradient_times_input"](),)))
    assert [row["number"] for row in rows] == [1, 2, 3] and "[MASK]" in rows[1]["error"]
    assert all(row["scores_gradient_times_input"] for row in (rows[0], rows[2]))


def test_a_stopped_run_goes_on(made: explain.Run, tmp_path: Path) -> None:
    def stop(progress: ShardProgress) -> None:
        if progress.done == 1:
            raise KeyboardInterrupt

    options = {"out": tmp_path / "RUN", "methods": METHODS, "shard_size": 3, "phrases": True}
    with pytest.raises(KeyboardInterrupt):
        explain.run(of_rows(), on_progress=stop, **options)
    begun = explain.Run(tmp_path / "RUN")
    assert (begun.verify().parts, begun.verify().missing, len(list(begun.rows()))) == (1, 2, 3)
    with pytest.raises(DataError, match="holds a run already"):
        explain.run(of_rows(), **options)
    seen: list[int] = []
    ended = explain.run(of_rows(), resume=True, on_progress=lambda progress: seen.append(progress.total), **options)
    assert seen[0] == 2 and parts(ended.path) == parts(made.path)


def test_a_killed_driver_loses_no_finished_part(tmp_path: Path) -> None:
    place = table(tmp_path / "rows.csv", rows() * 3)
    command = [sys.executable, "-m", "explain", "run", str(place), "--method", "occlusion", "--shard-size", "2"]
    process = subprocess.Popen(
        [*command, "--out", str(tmp_path / "RUN")],
        stderr=subprocess.DEVNULL,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    done = tmp_path / "RUN" / "done"
    while process.poll() is None and not (done.is_dir() and len(list(done.iterdir())) >= 2):
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = {marker.name: marker.stat().st_mtime_ns for marker in done.glob("*.json")}  # not one half written
    assert kept
    dataset = Dataset.open(place, keep_going=True)
    ended = explain.run(dataset, out=tmp_path / "RUN", methods=["occlusion"], shard_size=2, resume=True)
    undisturbed = explain.run(dataset, out=tmp_path / "OTHER", methods=["occlusion"], shard_size=2)
    assert parts(ended.path) == parts(undisturbed.path)
    assert {name: (done / name).stat().st_mtime_ns for name in kept} == kept, "no finished part was computed again"


def test_a_full_disk_keeps_what_is_finished(tmp_path: Path) -> None:
    options = {"out": tmp_path / "RUN", "methods": ["gradient_times_input"], "shard_size": 2}

    def keep(progress: ShardProgress) -> None:
        if progress.done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        explain.run(of_rows(), on_progress=keep, **options)
    before = parts(tmp_path / "RUN")
    with full_disk(600), pytest.raises(FileError, match="can't be written"):
        explain.run(of_rows(), resume=True, **options)
    begun = explain.Run(tmp_path / "RUN")
    assert parts(begun.path) == before and begun.verify().parts == 2 and len(list(begun.rows())) == 4
    ended = explain.run(of_rows(), resume=True, **options)
    whole = explain.run(of_rows(), **{**options, "out": tmp_path / "WHOLE"})
    assert parts(ended.path) == parts(whole.path)


def test_two_runs_into_one_folder_are_refused(tmp_path: Path) -> None:
    options = {"out": tmp_path / "RUN", "methods": (), "shard_size": 3}

    def second(_: ShardProgress) -> None:
        with pytest.raises(
            Busy, match=rf"Another process writes into .*RUN \(process {os.getpid()} on .*, since 2\d\d\d-.* UTC\)"
        ):
            explain.run(of_rows(), resume=True, **options)

    assert explain.run(of_rows(), on_progress=second, **options).verify().whole


def test_a_damaged_part_is_told_and_only_that_is_computed_again(tmp_path: Path) -> None:
    options = {"out": tmp_path / "RUN", "methods": ["gradient_times_input"], "shard_size": 2}
    run = explain.run(of_rows(), **options)
    before = parts(run.path)
    part = run.path / "parts" / "000001.parquet"
    part.write_bytes(part.read_bytes()[:-9] + bytes(9))
    found = run.verify()
    assert (found.damaged, found.whole, found.rows) == ((1,), False, 5)
    with pytest.raises(DataError, match="Part 1 of"):
        list(run.rows())
    seen: list[int] = []
    explain.run(of_rows(), resume=True, on_progress=lambda progress: seen.append(progress.total), **options)
    assert seen[0] == 1 and parts(run.path) == before and run.verify().whole


def test_a_folder_of_another_run_is_refused(made: explain.Run, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="was begun with"):
        explain.run(of_rows(), out=made.path, methods=["decompx"], resume=True)
    with pytest.raises(DataError, match="was begun with"):
        explain.run(of_rows(5), out=made.path, methods=METHODS, shard_size=3, phrases=True, resume=True)
    with pytest.raises(DataError, match="was begun with"):
        explain.run(of_rows(), "emotions", out=made.path, methods=METHODS, shard_size=3, phrases=True, resume=True)
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match="holds other files"):
        explain.run(of_rows(), out=tmp_path, methods=())
    with pytest.raises(DataError, match=r"manifest\.json can't be read"):
        explain.Run(tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine" and made.verify().whole


@pytest.mark.parametrize(
    ("content", "columns", "said"),
    [
        (b"", Columns(), "empty"),
        (b"stars,note\n1,a\n", Columns(text="text"), "no column"),
        (b"text\n \n\n", Columns(), "no row"),
        (b"text,id\na,1\nb,1\n", Columns(id="id"), "twice in the column id: 1 \\(row 2\\)"),
        (b"text,id\na,1\nb,\n", Columns(id="id"), "row 2 has no id"),
    ],
)
def test_data_that_can_not_be_run_is_told_before_anything_is_written(
    content: bytes, columns: Columns, said: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=said):
        explain.run(Dataset.of_bytes("a.csv", content, columns=columns), out=tmp_path / "RUN", methods=())
    assert not (tmp_path / "RUN").exists()


def test_rows_that_can_not_be_read_are_counted_and_rows_that_fail_leave_their_reason(tmp_path: Path) -> None:
    data = Dataset.of_bytes(
        "a.csv", "text\nA mess.\n\ud83d".encode("utf-8", "surrogatepass") + b"\xff\n\n", keep_going=True
    )
    run = explain.run(data, out=tmp_path / "RUN", methods=())
    assert any("can't be read were left out" in sentence for sentence in run.manifest["left_out"])
    texts = Dataset.of_rows([{"text": "A mess."}, {"text": "\ufffd"}, {"text": "A feast."}])
    failing = explain.run(texts, out=tmp_path / "OTHER", methods=["decompx"])
    reasons = [row["error"] for row in failing.rows()]
    assert reasons[0] is reasons[2] is None and reasons[1] and failing.summary().failed == 1


def test_a_file_that_changes_while_it_is_read_is_told(tmp_path: Path) -> None:
    place = table(tmp_path / "rows.csv", rows())

    def change(_: ShardProgress) -> None:
        table(place, [{**row, "text": row["text"] + " Yes."} for row in rows()])

    with pytest.raises(DataError, match="has changed while it was explained"):
        explain.run(Dataset.open(place, keep_going=True), out=tmp_path / "RUN", methods=(), on_progress=change)


@pytest.mark.parametrize(
    ("model", "given", "targets"),
    [
        ("entities", [{"text": "Anna lives in Rome."}, {"text": "It rains."}], [2, 1]),
        ("entailment", [{"text": "A man sleeps.", "other": "A man is awake."}], [1]),
        ("emotions", [{"text": "Thank you so much!"}], [1]),
        ("similarity", [{"text": "A cat sleeps.", "other": "A dog barks.", "label": "0"}], [1]),
        ("base", [{"text": "A [MASK] and a [MASK]."}], [2]),
        ("answers", [{"text": "Who sleeps?", "other": "Anna sleeps in Rome."}], [1]),
    ],
)
def test_any_task_leaves_rows(model: str, given: list[dict[str, str]], targets: list[int], tmp_path: Path) -> None:
    named = {"text_pair": "other", "label": "label"}
    columns = Columns(text="text", **{role: name for role, name in named.items() if name in given[0]})
    run = explain.run(
        Dataset.of_rows(given, columns=columns), model, out=tmp_path / "RUN", methods=["occlusion"], phrases=False
    )
    kept = list(run.rows())
    assert [sum(row["number"] == number for row in kept) for number in range(1, len(given) + 1)] == targets
    for row in kept:
        assert row["error"] is row["failed_occlusion"] is row["correct"] is None
        assert len(row["scores_occlusion"]) == len(row["words"]) == len(row["segments"])
    assert run.replay(5).within(1e-5)
    first = run.open("1", target=targets[0] - 1)
    assert first.attribution("occlusion").output == pytest.approx(kept[targets[0] - 1]["output"], abs=1e-5)


def test_a_run_without_texts_holds_none(tmp_path: Path) -> None:
    run = explain.run(of_rows(), out=tmp_path / "RUN", methods=["gradient_times_input"], texts=False, phrases=True)
    content = b"".join(parts(run.path).values()) + (run.path / "manifest.json").read_bytes()
    assert b"mess" not in content and b"feast" not in content
    row = next(run.rows())
    assert row["text"] is row["words"] is row["phrases"] is None and len(row["text_sha256"]) == 64
    assert row["scores_gradient_times_input"] and row["phrase_scores"]
    with pytest.raises(SettingError, match="kept no texts"):
        run.words()
    for act in (run.replay, lambda: run.open("row 0")):
        with pytest.raises(DataError, match="kept no texts"):
            act()


def test_words_have_their_figures(made: explain.Run) -> None:
    figures = {figure.word: figure for figure in made.words("decompx")}
    good = figures["good"]
    scores = [
        [score for word, score in zip(row["words"], row["scores_decompx"]) if word == "good"] for row in made.rows()
    ]
    mine = [part for part in scores if part]
    assert (good.texts, good.occurrences) == (len(mine), sum(map(len, mine)))
    assert good.mean == pytest.approx(np.mean(np.concatenate(mine)))
    assert good.half_width is not None and 0 <= good.positive <= 1
    folded = {figure.word: figure.texts for figure in made.words(by="folded")}
    assert folded["a"] >= figures["A"].texts and "A" not in folded
    assert all(figure.texts >= 2 for figure in made.words(least=2))
    with pytest.raises(SettingError, match="no scores of lime"):
        made.words("lime")


def test_intervals_of_words_know_texts_from_occurrences() -> None:
    """Occurrences in one text are alike. The interval covers the mean in 95 % of draws; one that forgets does not."""
    random, covered, naive = np.random.default_rng(0), 0, 0
    for _ in range(600):
        sums, every = WordSums(), []
        for _ in range(30):
            level = random.normal(0.3, 1.0)
            given = (level + random.normal(0.0, 0.2, random.integers(1, 6))).tolist()
            sums.add(given)
            every += given
        figures = sums.figures("good")
        assert figures.mean == pytest.approx(np.mean(every)) and figures.half_width is not None
        covered += abs(figures.mean - 0.3) <= figures.half_width
        naive += abs(figures.mean - 0.3) <= 1.96 * np.std(every) / len(every) ** 0.5
    assert covered / 600 >= 0.93 and naive / 600 < 0.8
    alone = WordSums()
    alone.add([1.0])
    assert alone.figures("good").half_width is None


def test_rows_are_computed_again(made: explain.Run) -> None:
    again = made.replay(4, seed=1)
    assert again.rows == 4 and again.numbers > 50 and again.within(1e-5)
    other = TOY_MODELS["planted"]
    with pytest.raises(ModelError, match="not the model of this run"):
        made.replay(2, model=other)


def test_a_row_is_opened_as_a_report(made: explain.Run) -> None:
    report = made.open("row 2")
    kept = next(row for row in made.rows() if row["id"] == "row 2")
    assert report.text == kept["text"] and report.prediction.label == kept["prediction"]
    assert [part.method for part in report.attributions] == list(METHODS)
    with pytest.raises(DataError, match="no row 'row 99'"):
        made.open("row 99")


def test_another_model_of_the_same_name_is_refused(made: explain.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(made.manifest["model"], "weight_sha256", "0" * 64)
    with pytest.raises(ModelError, match="not the model of this run"):
        made.replay(1)


def test_settings_that_do_not_fit_say_so(made: explain.Run, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="twice"):
        explain.run(of_rows(), out=tmp_path / "A", methods=[Occlusion(), Occlusion(operator="delete")])
    with pytest.raises(SettingError, match="no backend 'dask'"):
        explain.run(of_rows(), out=tmp_path / "A", methods=(), backend="dask")
    with pytest.raises(SettingError, match="give the backend ray"):
        explain.run(of_rows(), out=tmp_path / "A", methods=(), address="ray://localhost:10001")
    with pytest.raises(ModelError):
        explain.run(of_rows(), TOY_MODELS["linear"], out=tmp_path / "A", methods=["decompx"])
    with pytest.raises(SettingError, match="no column colour"):
        next(made.rows(["colour"]))
    with contextlib.suppress(StopIteration):
        next(made.rows(["id"]))
    assert not (tmp_path / "A").exists()


def test_rows_have_the_verdict_that_the_text_alone_gets(tmp_path: Path) -> None:
    rows = [{"text": "Thin, but well played and moving."}, {"text": "Bad."}]
    methods = ["gradient_times_input", "occlusion"]
    tests = TrialSettings.from_names(orders=20)
    made = explain.run(Dataset.of_rows(rows), out=tmp_path / "run", methods=methods, tests=tests)
    longer, short = made.rows()
    report = explain.explain(rows[0]["text"], methods=methods, phrases=False, tests=tests)
    for name in methods:
        results = [metric for metric in report.metrics if metric.method == name]
        others = [other for other in report.attributions if other.method != name]
        expected = verdict(report.attribution(name), others, results)
        assert longer[f"verdict_{name}"] == expected.color and longer[f"reason_{name}"] == expected.sentence
        assert json.loads(longer[f"facts_{name}"]) == pytest.approx(dict(expected.facts), abs=1e-5)
        assert short[f"verdict_{name}"] == "grey"
    assert made.manifest["plan"]["tests"]["orders"] == 20
    assert made.replay().within(0.0)  # judged again, too
    with pytest.raises(DataError, match=r"plan\.tests"):
        explain.run(Dataset.of_rows(rows), out=tmp_path / "run", methods=methods, resume=True)
