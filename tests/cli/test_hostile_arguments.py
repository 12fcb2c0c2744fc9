"""Every option of every command, with values out of its range: one line and status 2, never a traceback."""

import argparse
import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from explain.cli.main import main, parser
from explain.core.arguments import finite_number, host_name, not_empty, output_file, whole_number
from explain.core.errors import ExplainError, SettingError
from explain.core.installation import environment_number
from explain.training import finetune, pretrain

ROOT = Path(__file__).parent.parent.parent
DIGITS = "9" * 4400  # more than Python reads
VALUES = (
    *("", " ", "0", "-1", "-0.5", "1.5", "nan", "inf", "-inf", "1e400", "9" * 400, DIGITS, "many", "٣" * 50, "0x10"),
    *("a\0b", "\udcff\udcfe", "\ud800", "\n", "\x1b[31m", "a" * 5000, "/proc/x/y", "/", "~nosuchuser/x", "../" * 2000),
    *("=", ".", "a.b", "occlusion.window=", f"occlusion.window={DIGITS}", "occlusion.window=nan", "phrases.top=-1"),
    *("integrated_gradients.tolerance=1e400", "shapley_values.budget=-1", "occlusion.operator=\0", "x=1", "seed=-1"),
    *("minutes=nan", f"seed={DIGITS}", "9.9", f"{DIGITS}.1", "1.all.all", "layer:" + DIGITS, "*", "https://a", "a/b"),
)
WHOLE_DISK = ("/", "../" * 2000)  # a folder whose texts a run would explain, all of them
REQUIRED = {  # of each command, so that nothing is asked of a model before the option that is tested
    "text": ["a good film", "--method", "attention_rollout", "--no-phrases"],
    "compare": ["--text", "a good film", "--text", "a bad film", "--method", "attention_rollout"],
    "attention": ["a good film"],
    "neurons": ["a good film"],
    "embed": ["FILE", "--query", "a"],
    "evaluate": ["--data", "FOLDER", "--record", "RECORD", "--method", "occlusion", "--orders", "1"],
    "run": ["FILE", "--out", "OUT", "--method", "attention_rollout"],
    "verify": ["FOLDER"],
    "words": ["FOLDER"],
    "library keep": ["FILE"],
    "library note": ["nothing", "A note."],
    "library name": ["nothing", "A name"],
    "library export": ["nothing", "--out", "OUT"],
    **{f"library {verb}": ["nothing"] for verb in ("search", "show", "delete")},
    **{f"library {verb}": [] for verb in ("list", "rebuild")},
    "train": ["FILE", "--out", "OUT", "--minutes", "0.1", "--epochs", "0.1"],
    "replay": ["FILE"],
    "serve": ["--port", "1"],  # which nobody may take, or everything is refused before
    "ask": ["hidden_states", "a good film"],
    "counterfactual": ["a good film", "--budget", "60"],
    **{name: [] for name in ("models", "methods", "metrics", "analyses", "extensions")},
}
NUMBERS = {"position", "layer", "head", "rows", "top", "texts", "most", "orders", "workers", "port", "tolerance"}
NUMBERS |= {"minutes", "epochs", "seed", "sample", "shard_size", "days", "remove"}


PARSER = parser()  # which takes longer to make than most of these commands take to end


def commands(whole: argparse.ArgumentParser = PARSER, before: str = "") -> dict[str, argparse.ArgumentParser]:
    """Each command by its name; of one with verbs, each verb."""
    (action,) = [one for one in whole._actions if isinstance(one, argparse._SubParsersAction)]
    named: dict[str, argparse.ArgumentParser] = {}
    for name, command in action.choices.items():
        verbs = any(isinstance(one, argparse._SubParsersAction) for one in command._actions)
        named |= commands(command, f"{before}{name} ") if verbs else {before + name: command}
    return named


def options() -> Iterator[tuple[str, str]]:
    """Each command with each of its options that take a value, and with its positional arguments."""
    for command, arguments in commands().items():
        for action in arguments._actions:
            if action.nargs != 0 and not isinstance(action, argparse._HelpAction):
                yield command, (action.option_strings or [action.dest])[0]


@pytest.fixture
def places(
    tmp_path: Path, tiny_folder_of: Callable[..., Path], tiny_fillers: None, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """What is needed beside the option that is tested: a model that loads at once, a file, a folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("explain.cli.main.parser", lambda: PARSER)
    monkeypatch.setattr("explain.cli.serve.os.execve", lambda *_: sys.exit(0))  # a server would start here
    monkeypatch.setenv("EXPLAIN_LIBRARY", str(tmp_path / "library"))
    (tmp_path / "rows.csv").write_text("text,label\ngood,a\nbad,b\n")
    (tmp_path / "dev.jsonl").write_text('{"text": "a good film"}\n')
    names = {"FILE": "rows.csv", "FOLDER": ".", "RECORD": "record.jsonl", "OUT": "out"}
    return names | {"MODEL": str(tiny_folder_of("bert"))}


def with_value(command: str, option: str, value: str, places: dict[str, str]) -> list[str]:
    given = [places.get(part, part) for part in REQUIRED[command]]
    if "model" in {action.dest for action in commands()[command]._actions} and option != "--model":
        given += ["--model", places["MODEL"]]
    if option.startswith("--"):
        return [*command.split(), *given, f"{option}={value}"]
    return [*command.split(), value, *given[1:]]


def ends_in_words(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> int:
    try:
        status = main(arguments)
    except SystemExit as ended:
        status = int(ended.code or 0)
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    if status == 2:
        lines = captured.err.splitlines()
        said = [line for line in lines if line.startswith("explain: ")]
        assert len(said) == 1 and said[0] == lines[-1] and said[0].isprintable() and len(said[0]) < 1500, captured.err
    return status


@pytest.mark.parametrize(("command", "option"), list(options()))
def test_no_value_ends_in_a_traceback(
    command: str,
    option: str,
    places: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    values = [value for value in VALUES if (command, option) != ("run", "data") or value not in WHOLE_DISK]
    statuses = [ends_in_words(with_value(command, option, value, places), capsys) for value in values]
    assert set(statuses) <= {0, 1, 2}
    if option.lstrip("-") in NUMBERS:
        assert statuses.count(2) >= len(VALUES) - 3  # all but 0 and the like


def test_every_command_is_tested() -> None:
    assert set(commands()) == set(REQUIRED)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND. See explain --help."),
        (["nothing"], "invalid choice: 'nothing'"),
        (["text"], "the following arguments are required: text. See explain text --help."),
        (["text", "a", "--nothing"], "unrecognized arguments: --nothing"),
        (["text", "a", "\x1b[31m\n"], "unrecognized arguments: \u241b[31m"),
        (["text", "a", "--format", "doc"], "argument --format: invalid choice: 'doc'"),
        (["text", "a", "--position"], "argument --position: expected one argument"),
        (["text", "a", "--position", DIGITS], "of at least 0, not '" + "9" * 60 + "' ... (4,400 characters)"),
        (["text", "a", "--model", ""], "argument --model: expected a name, not ''"),
        (["text", "a", "--out", "a\0b"], "argument --out: expected a name, not 'a\\x00b'"),
        (["text", "a", "--out", "/proc/x/y"], "argument --out: /proc/x/y can't be written"),
        (["text", "a", "--out", "/"], "argument --out: / can't be written: it is a folder; name a file"),
        (["text", "a", "--set", f"occlusion.window={'9' * 400}"], "window is a number of very many digits; expected 2"),
        (["text", "a", "--set", f"occlusion.window={DIGITS}"], "; expected 2 to 20"),
        (["evaluate", "--data", ".", "--orders", "0"], "argument --orders: expected a whole number from 1 to 1000"),
        (["evaluate", "--data", ".", "--most", "0"], "argument --most: expected a whole number of at least 1"),
        (["evaluate", "--data", ".", "--texts", "-1"], "argument --texts: expected a whole number of at least 1"),
        (["evaluate", "--data", ".", "--workers", "-1"], "argument --workers: expected a whole number from 1 to 256"),
        (
            ["replay", "r.json", "--tolerance", "nan"],
            "argument --tolerance: expected a number of at least 0, not 'nan'",
        ),
        (["replay", "r.json", "--tolerance=-1"], "argument --tolerance: expected a number of at least 0, not '-1'"),
        (["replay", "a\0b"], "argument report: expected a name"),
        (["train", "rows.csv", "--out", "o", "--minutes", "-1"], "minutes is -1.0; expected 0.1 to 240.0"),
        (["train", "rows.csv", "--out", "o", "--epochs", "nan"], "epochs is nan; expected 0.1 to 100.0"),
        (["train", "rows.csv", "--out", "o", "--minutes", ""], "minutes is ''; expected 0.1 to 240.0"),
        (["serve", "--allowed-host", "https://a"], "argument --allowed-host: 'https://a' is no name of a host"),
    ],
)
def test_what_is_told(
    arguments: list[str], message: str, places: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert message in err and err.startswith("explain: ") and err.count("\n") == 1


def test_a_record_in_a_place_that_can_not_be(places: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["evaluate", "--data", ".", "--model", places["MODEL"], "--method", "occlusion"]
    for place in ("/proc/x/y", ".", "n" * 300, "rows.csv/record"):
        assert main([*arguments, "--record", place]) == 2
        assert capsys.readouterr().err.startswith("explain: ")


@pytest.mark.parametrize("module", [pretrain, finetune])
def test_recipes_refuse_numbers_out_of_their_range(module: object, capsys: pytest.CaptureFixture[str]) -> None:
    task = ["--task", "sentiment"] if module is finetune else []
    for option in ("--steps", "--minutes", "--batch-size", "--learning-rate", "--seed"):
        for value in ("-1", "nan", DIGITS, "1e400", ""):
            with pytest.raises(SystemExit) as ended:
                module.main([*task, "--data", "x", "--output", "y", f"{option}={value}"])  # type: ignore[attr-defined]
            err = capsys.readouterr().err
            assert ended.value.code == 2 and f"argument {option}: expected a" in err and err.count("\n") == 1


def test_types() -> None:
    assert (whole_number(1)("7"), whole_number(0, 3)("3"), finite_number(0, 1)("0.5")) == (7, 3, 0.5)
    assert (not_empty("a b"), host_name("A.example")) == ("a b", "a.example")
    for read, text in (
        *((whole_number(1, 3), text) for text in ("0", "4", "", "1.0", DIGITS)),
        *((finite_number(0, 1), text) for text in ("-0.1", "1.1", "nan", "inf", "x")),
        *((not_empty, text) for text in ("", " ", "\0")),
        *((host_name, text) for text in ("*", "")),
    ):
        with pytest.raises(argparse.ArgumentTypeError):
            read(text)


def test_an_output_is_checked_and_not_touched(tmp_path: Path) -> None:
    (tmp_path / "earlier").write_text("earlier")
    assert output_file(str(tmp_path / "earlier")) == str(tmp_path / "earlier")
    output_file(str(tmp_path / "new"))
    assert [path.name for path in tmp_path.iterdir()] == ["earlier"]
    with pytest.raises(argparse.ArgumentTypeError, match="there is no folder"):
        output_file(str(tmp_path / "nowhere" / "new"))


@pytest.mark.parametrize("text", ["0", DIGITS, "1" * 12, "\u0663", "1e3"])
def test_numbers_of_the_environment(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLAIN_THREADS", text)
    with pytest.raises(ExplainError, match=r"EXPLAIN_THREADS is .*; expected a whole number from 1 to 1,024"):
        environment_number("EXPLAIN_THREADS", 1, 1024)


def test_arguments_that_are_no_utf8() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "explain", b"text", b"\xff\xfe", b"--model", b"\xff"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 2 and ended.stderr.startswith("explain: ") and ended.stderr.count("\n") == 1


# A command that prints a line and loads nothing.
PRINTING = """
import sys
from explain.cli import methods
from explain.cli.main import main
methods.run = lambda options: print("\u00b7") or 0
sys.exit(main(["methods"]))
"""


def test_a_terminal_of_another_encoding() -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    ended = subprocess.run([sys.executable, "-c", PRINTING], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ended.returncode == 2 and ended.stderr.count("\n") == 1
    assert "can't be written in ascii: set PYTHONIOENCODING=utf-8" in ended.stderr


def test_standard_output_on_a_full_disk() -> None:
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [sys.executable, "-c", PRINTING], cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert ended.returncode == 2
    assert ended.stderr == "explain: Standard output can't be read or written: No space left on device.\n"


def test_a_setting_of_python_may_be_of_any_size() -> None:
    from explain.run.plan import methods_from

    for value in (10**400, 10**5000, -(10**400), float("nan"), float("inf"), "9", True, None, [1]):
        with pytest.raises(SettingError, match="expected"):
            methods_from(["integrated_gradients"], {"integrated_gradients": {"tolerance": value}})
