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
    assert "Rows with a label that the model does not have: 1." in printed
    assert "By the first" not in progress and "1 of 1 parts" in progress
    assert main(command) == 2 and "--resume" in capsys.readouterr().err
    assert main([*command, "--resume"]) == 0 and "0 parts to compute" in capsys.readouterr().err
    assert main(["verify", out]) == 0 and "The run is whole." in capsys.readouterr().out
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
