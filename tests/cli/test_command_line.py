import io
import json
import re
import socket
import sys
from pathlib import Path

import numpy as np
import pytest

import explain
from explain.cli.main import main
from explain.core.installation import weights_folder
from explain.report.record import read
from tests.full_disk import full_disk

TEXT = "The film isn't good, but its top-notch cast saves it!"


def test_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["text", TEXT]) == 0
    out = capsys.readouterr().out
    assert "sure (" in out and "integrated_gradients  [log-odds]" in out and "key phrases" in out


def test_json_with_settings_and_replay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "report.json"
    arguments = ["text", TEXT, "--model", "sentiment", "--method", "integrated_gradients", "--method", "occlusion"]
    arguments += ["--set", "integrated_gradients.baseline=pad", "--set", "phrases.top=3", "--target", "positive"]
    assert main([*arguments, "--format", "json", "--out", str(path)]) == 0
    report = read(path)
    assert [one.method for one in report.attributions] == ["integrated_gradients", "occlusion"]
    assert report.attributions[0].params["baseline"] == "pad" and report.target.label == "positive"
    assert len(report.phrases) <= 3
    assert main(["replay", str(path)]) == 0
    assert "The report holds." in capsys.readouterr().out
    record = json.loads(path.read_text())
    record["attributions"][0]["scores"][3] += 0.5
    path.write_text(json.dumps(record))
    assert main(["replay", str(path), "--tolerance", "0.1"]) == 1
    assert "does not hold" in capsys.readouterr().out
    assert main(["replay", str(path), "--tolerance", "1.0"]) == 0


def test_html_and_csv(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "page.html"
    assert main(["text", "=1+1 good </script><script>x", "--format", "html", "--out", str(path)]) == 0
    page = path.read_text()
    assert page.startswith("<!doctype html>") and "</script><script>x" not in page
    assert page.count('<p class="verdict"><b class="') == 3
    assert main(["text", "Ada met Bob.", "--model", "entities", "--format", "html", "--out", str(path)]) == 0
    page = path.read_text()
    assert (
        re.search(r"<h1>B-PER for (Ada|Bob) \(word \d\), 9\d%", page)
        and '<div class="view" data-view="predicted_spans">' in page
    )
    capsys.readouterr()
    assert main(["text", "=1+1 good", "--format", "csv"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("method,granularity,text") and any(",'=," in line for line in lines)


def test_masked_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "report.json"
    arguments = ["text", "[MASK] is the capital of [MASK].", "--model", "base", "--position", "6"]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    assert re.match(r"leans \S+, \d+% \(as the model gives it\)\nlikeliest: \S+ \d+%, \S+ \d\.\d%, ", out)
    assert "occlusion  [log-odds]" in out and "key phrases" in out
    question = ["--target", "France", "--against", "england", "--format", "json", "--out", str(path)]
    assert main([*arguments, *question]) == 0
    report = read(path)
    assert (report.target.label, report.target.against, report.target.positions) == ("france", "england", (6,))
    assert path.stat().st_size < 60_000
    assert main(["replay", str(path)]) == 0
    assert "The report holds." in capsys.readouterr().out


def test_text_from_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a good film")))
    assert main(["text", "-", "--method", "occlusion", "--no-phrases"]) == 0
    assert "key phrases" not in capsys.readouterr().out


def test_standard_input_that_is_no_utf8(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("caf\u00e9".encode("latin-1"))))
    assert main(["text", "-"]) == 2
    assert "not UTF-8 (byte 4)" in capsys.readouterr().err


def test_a_method_given_twice_is_one_with_its_settings(capsys: pytest.CaptureFixture[str]) -> None:
    twice = ["text", "a good film", "--method", "occlusion", "--method", "occlusion"]
    assert main([*twice, "--set", "occlusion.operator=delete", "--format", "json", "--no-phrases"]) == 0
    (one,) = json.loads(capsys.readouterr().out)["attributions"]
    assert one["params"]["operator"] == "delete"


def test_lists(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    out = capsys.readouterr().out
    assert "sentiment" in out and "text-classification" in out and "accuracy 0." in out
    assert re.search(r"^base +fill-mask, next-sentence-prediction +45\.8 MB +accuracy 0\.377 ", out, re.MULTILINE)
    assert main(["methods"]) == 0
    assert "--set integrated_gradients.baseline=" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["text", ""], "the text is empty"),
        (["text", "a", "--model", "nope"], "There is no model or folder 'nope'"),
        (["text", "a", "--method", "nope"], "There is no method 'nope'"),
        (["text", "a", "--set", "occlusion"], "expected METHOD.SETTING=VALUE"),
        (["text", "a", "--set", "occlusion.window=many"], "expected 2 to 20"),
        (["text", "a", "--target", "neutral"], "There is no label 'neutral'"),
        (["text", "a", "--out", "/no/such/place"], "can't be written"),
        (["text", "a", "--model", "base"], "Put [MASK] where a word is to be guessed"),
        (["text", "a [MASK]", "--model", "base", "--target", "unforgettable"], "is 4 pieces for this model"),
        (
            ["text", "a [MASK]", "--model", "base", "--position", "5"],
            "Nothing is read at token 5. This model is read at: 2",
        ),
        (["text", "a", "--position", "1"], "decides on the whole text"),
        (["replay", "/no/such/file"], "can't be read"),
    ],
)
def test_errors_are_one_line_and_status_two(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert err.startswith("explain: ") and message in err and "Traceback" not in err


def test_attention_as_json_npz_svg_and_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    maps = explain.attention(TEXT)
    assert main(["attention", TEXT, "--model", "sentiment", "--layer", "3", "--head", "5", "--format", "json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert np.allclose(record["weights"], maps.weights[3, 5], atol=1e-6)
    assert (record["layer"], record["head"]) == (3, 5)
    path = tmp_path / "all.json"
    assert main(["attention", TEXT, "--format", "json", "--out", str(path)]) == 0
    assert np.array(json.loads(path.read_text())["weights"]).shape == maps.weights.shape
    for kind, start in (("npz", b"PK"), ("svg", b"<svg")):
        path = tmp_path / f"attention.{kind}"
        assert main(["attention", TEXT, "--pair", "It is.", "--format", kind, "--out", str(path)]) == 0
        assert path.read_bytes().startswith(start)
    capsys.readouterr()
    assert main(["attention", TEXT, "--layer", "0"]) == 0
    assert "entropy" in capsys.readouterr().out


@pytest.mark.parametrize("form", ["json", "npz", "svg"])
def test_a_full_disk_leaves_the_earlier_file(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / f"attention.{form}"
    path.write_text("earlier")
    with full_disk(2048):
        assert main(["attention", TEXT, "--format", form, "--out", str(path)]) == 2
    err = capsys.readouterr().err
    assert "The earlier file is unchanged" in err and err.count("\n") == 1
    assert path.read_text() == "earlier" and list(tmp_path.iterdir()) == [path]


def test_a_table_may_go_to_standard_output_by_name(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["attention", "so good", "--format", "json", "--out", "/dev/stdout"]) == 0
    assert json.loads(capfd.readouterr().out)["model"] == "sentiment"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--head", "12"], "heads 0 to 11"),
        (["--layer", "-1"], "argument --layer: expected a whole number of at least 0, not '-1'"),
        (["--layer", "6"], "layers 0 to 5"),
        (["--format", "npz"], "Name a file with --out"),
        (["--model", "nothing"], "no model or folder"),
    ],
)
def test_attention_refuses_what_is_not_there(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["attention", TEXT, *arguments]) == 2
    assert said in capsys.readouterr().err


def test_neurons(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = tmp_path / "lines.txt"
    lines.write_text("a bad film\nI saved it\n", encoding="utf-8")
    asked = ["neurons", TEXT, "--word", "saves", "--top", "2", "--target", "positive"]
    assert main([*asked, "--zero", "0.571", "--zero", "1.all", "--lines", str(lines)]) == 0
    out = capsys.readouterr().out
    assert "neurons at \u201csaves\u201d, all layers" in out and "highest in 2 texts" in out
    assert re.search(r"^ +0\.571 +[+-]\d\.\d+  gradient forecasts", out, re.MULTILINE) and "draws" not in out
    assert main([*asked, "--layer", "3", "--by", "activation", "--zero", "0.571", "--format", "json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert [row["neuron"][:2] for row in record["neurons"]["rows"]] == ["3."] * 2
    assert len(record["effects"]["controls"]["random"]) == 20
    path = tmp_path / "neurons.csv"
    assert main([*asked, "--word", "[CLS]", "--format", "csv", "--out", str(path)]) == 0
    assert len(path.read_text().splitlines()) == 1 + 6 * 1536


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--layer", "6"], "layers 0 to 5"),
        (["--zero", "first"], "Name one by layer and number"),
        (["--zero", "0.1536"], "neurons 0 to 1535"),
        (["--top", "0"], "argument --top: expected a whole number of at least 1, not '0'"),
        (["--lines", "/no/such/file"], "can't be read"),
        (["--word", "zebra"], "There is no word 'zebra'"),
    ],
)
def test_neurons_that_are_not_there(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["neurons", "so good", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_verdict_stands_under_the_scores(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["text", "The film isn't good, but I left smiling.", "--method", "occlusion", "--no-phrases"]
    assert main(asked) == 0
    said = capsys.readouterr().out
    assert "occlusion: untested. Not yet compared with measured effects; its scores " in said
    assert main([*asked, "--metric", "reference_robustness"]) == 0
    said = capsys.readouterr().out
    assert (
        "agreement with measured effects is" in said.lower()
        and "Robustness to the reference" in said
        and "Deletion  beats" in said
    )
    assert main([*asked, "--metric", "luck"]) == 2
    assert "There is no metric 'luck'" in capsys.readouterr().err


def test_texts_become_vectors_and_a_ranking(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "reviews.csv", tmp_path / "vectors.npz"
    path.write_text("id,text\nb,a bad film\n2,\na,two dogs \x1b[31m run\nb,a terrible film\n")
    asked = ["embed", str(path), "--model", "base", "--pooling", "mean", "--label", "id"]
    assert main([*asked, "--out", str(out), "--query", "an awful movie", "--top", "2"]) == 0
    said = capsys.readouterr()
    header, first, second = said.out.splitlines()
    assert header.split() == ["cosine", "row", "text"] and {first.split()[1], second.split()[1]} == {"1", "4"}
    assert "3 texts, 384 numbers each (base, mean)." in said.err and "left out: 1 (row 2)." in said.err
    with np.load(out, allow_pickle=False) as arrays:
        assert np.allclose(arrays["vectors"][0], explain.embed(["a bad film"], "base").vectors[0], atol=1e-5)
        assert arrays["vectors"].shape == (3, 384) and arrays["rows"].tolist() == [1, 3, 4]
        names = json.loads(str(arrays["about"]))["labels"]
        assert [names[str(label)] for label in arrays["labels"]] == ["b", "a", "b"]
    assert main([*asked, "--query", "dogs", "--top", "1"]) == 0
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["a.csv"], "--out FILE for the vectors, --query TEXT"),
        (["a.csv", "--out", "v.txt"], "ends in none of .npz, .csv, .parquet"),
        (["nothing.csv", "--query", "a"], "nothing.csv can't be read"),
        (["a.csv", "--query", "a", "--column", "body"], "no column 'body'; it has text"),
        (["a.csv", "--query", "a", "--pooling", "layer:9"], "layer:0 to layer:5"),
        (["a.csv", "--query", " "], "There is nothing"),
        (["a.csv", "--query", "a", "--top", "0"], "argument --top: expected a whole number of at least 1, not '0'"),
        (["a.csv", "--query", "a", "--rows", "0"], "argument --rows: expected a whole number of at least 1, not '0'"),
        (["a.csv", "--query", "a", "--pooling", "layer:" + "9" * 5000], "layer:0 to layer:5"),
        (["a.csv", "--out", "nowhere/v.npz"], "there is no folder nowhere"),
        (["a.csv", "--out", "~nosuchuser/v.npz"], "there is no user of that name"),
        (["~nosuchuser/a.csv", "--query", "a"], "there is no user of that name"),
        (["-", "--query", "a", "--label", "kind"], "have no columns. Leave out --column and --label"),
    ],
)
def test_embed_refuses(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("text\na film\n")
    assert main(["embed", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_embed_writes_before_it_ranks_and_says_what_was_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a film\na dog\nthe sea\n")))
    out = tmp_path / "v.npz"
    monkeypatch.setattr("explain.views.scores_table.ranking_to_text", lambda *_: 1 / 0)  # whoever reads is gone
    asked = ["embed", "-", "--model", "similarity", "--rows", "2", "--query", "film " * 600, "--out", str(out)]
    with pytest.raises(ZeroDivisionError):
        main(asked)
    with np.load(out) as arrays:
        assert arrays["rows"].tolist() == [1, 2]
    assert "The query is longer than 512 pieces" in capsys.readouterr().err


def test_a_report_is_replayed_on_another_copy_for_the_task_it_was_made_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(tmp_path / "report.json")
    asked = ["--pair", "sport, cooking", "--model", "entailment", "--task", "zero-shot-classification"]
    assert main(["text", "A late goal.", *asked, "--method", "occlusion", "--format", "json", "--out", path]) == 0
    assert main(["replay", path, "--model", str(weights_folder() / "entailment")]) == 0
    assert "The report holds." in capsys.readouterr().out


def test_the_terminal_says_what_was_said_and_read(capsys: pytest.CaptureFixture[str]) -> None:
    def said(*arguments: str) -> str:
        assert main(["text", *arguments, "--method", "attention_rollout", "--no-phrases"]) == 0
        return capsys.readouterr().out

    assert re.search(r"^similarity: \+0\.\d{4}$", said("so good", "--pair", "good", "--model", "similarity"), re.M)
    assert "explained: B-PER for Bob (word 2), log odds" in said("Ada met Bob in Rome.", "--model", "entities")
    assert "at mask 1, log odds" in said("[MASK] met [MASK].", "--model", "base")
    assert "read of the text: characters 0 to 2,0" in said("A really good film. " * 200)
    context = f"{'A really good film. ' * 150} Ada met Bob in Rome. {'A really good film. ' * 150}"
    answered = said("Who met Bob?", "--pair", context, "--model", "answers", "--target", "Ada")
    assert re.search(r"read of the Context: characters .*, window \d of \d; the rest", answered)
    assert answered.startswith("leans Ada, ")
    assert main(["text", "Who met Bob?", "--pair", context, "--model", "answers", "--word", "Ada"]) == 2
    assert "Name the answer itself: --target" in capsys.readouterr().err
    assert re.search(r"^labels: gratitude 9\d%$", said("Thank you so much!", "--model", "emotions"), re.M)
    assert main(["text", "Фильм оказался скучным.", "--method", "attention_rollout", "--no-phrases"]) == 0
    assert "Most letters are Cyrillic" in capsys.readouterr().err
    short = said("Who died?", "--pair", "Bob died", "--model", "answers", "--target", "Bob died")
    assert short.startswith("Bob, 9")  # what is decided, whatever is asked about


def test_a_port_that_is_taken_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["serve", "--port", str(port)]) == 2
    assert f"Port {port} is in use." in capsys.readouterr().err
    assert main(["serve", "--port", "70000"]) == 2
    assert "argument --port: expected a whole number from 1 to 65535, not '70000'" in capsys.readouterr().err


@pytest.mark.parametrize("host", ["no such host", "a" * 300, "8.8.8.8", "::::", "unix:///tmp/x", "\udcff"])
def test_an_address_that_is_not_ours_is_told(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert main(["serve", "--host", host, "--port", str(port)]) == 2
    assert "No server can listen on" in capsys.readouterr().err
