"""`explain run`, `explain verify`, and `explain replay` of a run."""

from pathlib import Path

import pytest

import explain
from explain.cli.main import main
from explain.cli.run import summary_text

ROWS = "text,stars,site\nA mess.,negative,a\nA feast of a film.,positive,b\n,positive,a\nNot one laugh.,neutral,b\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "rows.csv").write_text(ROWS)
    return tmp_path / "rows.csv"


def test_a_run_is_made_verified_and_computed_again(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(place.parent / "RUN")
    command = ["run", str(place), "--label", "stars", "--group", "site", "--method", "decompx", "--out", out]
    assert main(command) == 0
    printed, progress = capsys.readouterr()
    assert printed == summary_text(explain.Run(out)) + "\n"
    assert "3 rows of 3 texts" in printed and "Rows without a text were left out: 1 (row 3)." in printed
    assert "Accuracy 1.000 (0.342 to 1.000, 95 %), 2 of 2." in printed
    assert "Rows with a label that the model does not have: 1. It has negative, positive." in printed
    assert "By the first" not in progress and "1 of 1 parts" in progress
    assert main(command) == 2 and "--resume" in capsys.readouterr().err
    assert main([*command, "--resume"]) == 0 and "0 parts to compute" in capsys.readouterr().err
    assert main(["verify", out]) == 0 and "The run is whole." in capsys.readouterr().out
    assert main(["verify", out, "--data", str(place), "--model"]) == 0
    shown = capsys.readouterr().out
    assert "The data are those of the run." in shown and "The model is that of the run" in shown
    place.write_text(place.read_text() + "More.,positive,a\n")
    assert main(["verify", out, "--data", str(place)]) == 2 and "not the data of this run" in capsys.readouterr().err
    assert main(["replay", out, "--sample", "2"]) == 0
    assert "2 texts" in (shown := capsys.readouterr().out) and "The run holds." in shown


def test_damage_and_wrong_options_are_told(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = place.parent / "RUN"
    assert main(["run", str(place), "--no-methods", "--out", str(out), "--shard-size", "1"]) == 0
    (out / "parts" / "000001.parquet").unlink()
    (out / "done" / "000002.json").unlink()
    assert main(["verify", str(out)]) == 1
    shown = capsys.readouterr().out
    assert "Damaged or lost: 1." in shown and "Not computed yet: 1." in shown and "The run is not whole." in shown
    for command, said in (
        (["verify", str(place.parent)], "manifest.json can't be read"),
        (["replay", str(place.parent)], "manifest.json can't be read"),
        (["run", str(place), "--no-methods", "--method", "occlusion", "--out", "A"], "not both"),
        (["run", str(place), "--label", "colour", "--out", "A"], "colour"),
        (["run", str(place.parent / "nothing.csv"), "--out", "A"], "nothing.csv"),
    ):
        assert main(command) == 2
        assert said in capsys.readouterr().err


def test_the_cost_is_said_before_it_is_paid(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place.write_text("text\n" + "A mess.\n" * 40)
    assert main(["run", str(place), "--method", "decompx", "--out", str(place.parent / "RUN")]) == 0
    first, second, *_ = capsys.readouterr().err.splitlines()
    assert first.startswith("By the first 32 of 40 rows: 80 passes; decompx 40; ") and " MB on disk." in first
    assert second == "1 parts to compute, of up to 256 rows each."
    made = explain.Run(place.parent / "RUN").summary()
    assert made.passes == (("decompx", 40),) and made.rows == 40


def test_a_sample_says_what_it_leaves_uncertain(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explain.run.sampled_run.TRIED", 8)
    words = ("good", "bad", "odd", "tender")
    lines = [f"The film is {words[number % 4]} {'.' * (number % 5)},{number % 2},{number % 3}" for number in range(22)]
    place.write_text("text,stars,site\n" + "\n".join(lines) + "\n")
    out = str(place.parent / "RUN")
    command = [
        "run",
        str(place),
        "--label",
        "stars",
        "--group",
        "site",
        "--method",
        "decompx",
        "--out",
        out,
    ]
    assert main([*command, "--sample", "18"]) == 0
    printed, progress = capsys.readouterr()
    assert "22 rows of 22 texts." in printed
    assert "Explained: 18 of 22 rows, drawn by prediction and site in 4 strata (seed 0).\n" in printed
    assert "Predictions and accuracy are those of all rows. Scores of words are estimates.\n" in printed
    assert "Mean scores of leading words by decompx, 95 %: " in printed and " \u00b1 " in printed
    assert "Predictions: 1 parts to compute, of up to 256 rows each." in progress
    assert "18 of 22 rows are drawn. By 8 rows: 36 passes; decompx 18; " in progress
    assert main(["verify", out]) == 0
    shown = capsys.readouterr().out
    assert "Predictions of all rows:\n1 of 1 parts" in shown and "Drawn rows:\n1 of 1 parts" in shown
    assert main(["replay", out, "--sample", "2"]) == 0 and "The run holds." in capsys.readouterr().out
    assert main([*command, "--sample", "19", "--resume"]) == 2
    assert "was begun with sample.rows 18, not 19." in capsys.readouterr().err
    assert main([*command, "--resume"]) == 2 and "was begun with sample" in capsys.readouterr().err
    (place.parent / "RUN" / "draw.json").unlink()
    assert main(["verify", out]) == 1 and "No rows are drawn yet." in capsys.readouterr().out
    only = [*command[:-1], str(place.parent / "ONLY"), "--until", "0.2", "--only-drawn", "--seed", "3"]
    assert main(only) == 0
    assert "Explained: 22 of 22 rows, drawn by label and site in 6 strata (seed 3).\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sample", "20", "--budget", "1m"], "not allowed with argument"),
        (["--until", "0.1", "--budget", "1m"], "not allowed with argument"),
        (["--sample", "1"], "at least 2"),
        (["--sample", "many"], "at least 2"),
        (["--until", "0"], "a number of at least"),
        (["--until", "wide"], "a number of at least"),
        (["--budget", "soon"], "such as 90s, 30m or 2h"),
        (["--budget", "500d"], "such as 90s, 30m or 2h"),
        (["--seed", "1"], "belong to --sample"),
        (["--only-drawn"], "belong to --sample"),
        (["--sample", "2", "--no-methods"], "nothing to explain"),
        (["--until", "0.1", "--no-texts"], "keep the texts"),
    ],
)
def test_samples_that_can_not_be_are_refused(
    options: list[str], message: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(place), "--out", str(place.parent / "RUN"), *options]) == 2
    assert message in capsys.readouterr().err and not (place.parent / "RUN").exists()
