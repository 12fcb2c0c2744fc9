"""Explain what a transformer decided about a text, in a terminal or in a browser.

explain text "The film isn't good." --model sentiment --format table
"""

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from explain.cli.serve import serve_app
from explain.core.arguments import Parser, finite_number, host_name, not_empty, output_file, whole_number
from explain.core.errors import DataError, ExplainError, SettingError, TextError
from explain.core.files import write_file
from explain.core.installation import own_path
from explain.core.settings import make, settings_of
from explain.datatypes import Report, Verdict
from explain.numerics.neurons import NEURON_FIGURES

if TYPE_CHECKING:  # heavy: each command imports what it needs
    from explain.analyses.max_activations import MaxActivations
    from explain.analyses.neuron_ablation import NeuronAblation
    from explain.core.meter import Meter
    from explain.models.base import TextModel
    from explain.run.results import Results

DEFAULT_PORT = 8501
LONGEST_LINE = 1200  # characters of a message


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0 success, 1 a replay that differs, 2 an error with its message."""
    try:
        options = _parser().parse_args(arguments)
        status = int(options.run(options))
        sys.stdout.flush()
        return status
    except ExplainError as error:
        return _told(error)
    except BrokenPipeError:  # the reader has seen enough
        _write_to_nobody()
        return 0
    except UnicodeEncodeError as error:
        shown = error.object[error.start]
        return _told(f"{shown!r} can't be written in {error.encoding}: set PYTHONIOENCODING=utf-8, or give --out FILE.")
    except OSError as error:  # most often of standard output: a full disk behind it
        return _told(f"{error.filename or 'Standard output'} can't be read or written: {error.strerror or error}.")


def _told(error: object) -> int:
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        _write_to_nobody()
    _say(f"explain: {error}")
    return 2


def _say(message: str) -> None:
    """Print one line to standard error, of bounded length and with nothing in it that steers a terminal."""
    from explain.views.base import visible

    line = " ".join(visible(message).split())
    if len(line) > LONGEST_LINE:
        line = f"{line[: LONGEST_LINE - 300]} ... {line[-300:]}"
    print(line.encode("utf-8", "backslashreplace").decode("utf-8"), file=sys.stderr)


def _write_to_nobody() -> None:
    """Give up standard output: what is left in its buffer would be tried again at the end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="explain", description=__doc__.split("\n\n")[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    text = commands.add_parser("text", help="explain one text")
    text.add_argument("text", help="the text, or - to read it from standard input")
    text.add_argument("--pair", metavar="TEXT", help="a second text, read together with the first")
    text.add_argument(
        "--model",
        type=not_empty,
        default="sentiment",
        help="a shipped name, a folder, or a hub name (default: %(default)s)",
    )
    text.add_argument(
        "--task",
        type=not_empty,
        metavar="NAME",
        help="the task, if the model can do several (fill-mask), or if its config.json does not say what was saved",
    )
    text.add_argument(
        "--method",
        action="append",
        metavar="NAME",
        help="a method; repeatable (default: integrated gradients, occlusion, attention rollout)",
    )
    text.add_argument(
        "--set", action="append", default=[], metavar="METHOD.SETTING=VALUE", help="a setting of a method; repeatable"
    )
    text.add_argument("--target", metavar="LABEL", help="the label, or word, to explain (default: the predicted one)")
    text.add_argument("--against", metavar="LABEL", help="compare with this label, or word: why --target and not this?")
    text.add_argument(
        "--position",
        type=whole_number(0),
        metavar="TOKEN",
        help="the mask, word or answer to explain, by the number of its first token; [CLS] is 0",
    )
    text.add_argument(
        "--word", metavar="WORD", help="explain the label of this word; give the word, or its number from 0"
    )
    text.add_argument("--scale", metavar="NAME", help="log_odds (default), probability, log_probability or logit")
    text.add_argument(
        "--test",
        action="store_true",
        help="test each explanation against random orders of the words, and give a verdict",
    )
    text.add_argument("--metric", action="append", default=[], metavar="NAME", help="a further metric; repeatable")
    text.add_argument("--no-phrases", action="store_true", help="leave out the key phrases")
    text.add_argument(
        "--format",
        choices=("table", "json", "html", "csv"),
        default="table",
        help="json: everything, for replay; html: a page that opens offline; csv: the scores (default: %(default)s)",
    )
    text.add_argument("--out", type=output_file, metavar="FILE", help="write to a file instead of standard output")
    text.set_defaults(run=explain_text)

    attention = commands.add_parser("attention", help="show the attention weights of one text")
    attention.add_argument("text", help="the text, or - to read it from standard input")
    attention.add_argument("--pair", metavar="TEXT", help="a second text, read together with the first")
    attention.add_argument("--model", type=not_empty, default="sentiment", help="as for text (default: %(default)s)")
    attention.add_argument("--task", type=not_empty, metavar="NAME", help="as for text")
    attention.add_argument(
        "--layer", type=whole_number(0), metavar="N", help="one layer, counted from 0 (default: all)"
    )
    attention.add_argument("--head", type=whole_number(0), metavar="N", help="one head, counted from 0 (default: all)")
    attention.add_argument(
        "--format",
        choices=("table", "json", "npz", "svg"),
        default="table",
        help="table: figures of each head; json: the weights; npz: all weights, for NumPy; svg: a matrix, averaged "
        "over layers and heads that are not chosen (default: %(default)s)",
    )
    attention.add_argument("--out", type=output_file, metavar="FILE", help="write to a file instead of standard output")
    attention.set_defaults(run=show_attention)

    embed = commands.add_parser("embed", help="turn texts into vectors: write them, or rank the texts by a query")
    embed.add_argument(
        "file",
        type=not_empty,
        help="a .csv, .tsv, .txt, .jsonl or .parquet file, also .gz but for .parquet; - reads lines from stdin",
    )
    embed.add_argument(
        "--column", metavar="NAME", help="the column with the texts (default: text, sentence, or the only one)"
    )
    embed.add_argument("--label", metavar="NAME", help="a column to write next to the vectors")
    embed.add_argument("--rows", type=whole_number(1), metavar="N", help="read only the first N rows")
    embed.add_argument(
        "--pooling",
        metavar="NAME",
        help="mean, cls, max, last_four, layer:N (from 0) or lstm (default: the model's own, else mean)",
    )
    embed.add_argument(
        "--model", type=not_empty, help="as for text (default: similarity, which was trained to compare texts)"
    )
    embed.add_argument(
        "--out", type=output_file, metavar="FILE", help="write the vectors to a file: .npz, .csv or .parquet"
    )
    embed.add_argument("--query", metavar="TEXT", help="print the texts nearest to this one, with their cosines")
    embed.add_argument(
        "--top", type=whole_number(1), default=10, metavar="K", help="number of texts printed (default: %(default)s)"
    )
    embed.set_defaults(run=embed_texts)

    neurons = commands.add_parser(
        "neurons", help="show states and neurons of one text, and the effect of setting neurons to zero"
    )
    neurons.add_argument("text", help="the text, or - to read it from standard input")
    neurons.add_argument("--pair", metavar="TEXT", help="a second text, read together with the first")
    neurons.add_argument("--model", type=not_empty, default="sentiment", help="as for text (default: %(default)s)")
    neurons.add_argument("--task", type=not_empty, metavar="NAME", help="as for text")
    for option, metavar in (("--target", "LABEL"), ("--against", "LABEL"), ("--scale", "NAME")):
        neurons.add_argument(option, metavar=metavar, help="as for text")
    neurons.add_argument("--position", type=whole_number(0), metavar="TOKEN", help="as for text")
    neurons.add_argument(
        "--word",
        metavar="WORD",
        help="list neurons at this word, special token, or word number from 0 (default: the whole text)",
    )
    neurons.add_argument(
        "--layer", type=whole_number(0), metavar="N", help="list neurons of one layer, counted from 0 (default: all)"
    )
    neurons.add_argument(
        "--top", type=whole_number(1), default=12, metavar="K", help="number of neurons listed (default: %(default)s)"
    )
    neurons.add_argument(
        "--by",
        choices=tuple(NEURON_FIGURES),
        default="activation_x_gradient",
        help="the figure they are ranked by (default: %(default)s)",
    )
    neurons.add_argument(
        "--zero",
        action="append",
        default=[],
        metavar="LAYER.NEURON",
        help="set this neuron to zero, or a whole layer's with LAYER.all; repeatable",
    )
    neurons.add_argument(
        "--lines",
        type=not_empty,
        metavar="FILE",
        help="a file of texts, one a line: where in them is each neuron most active?",
    )
    neurons.add_argument(
        "--format",
        choices=("table", "json", "csv"),
        default="table",
        help="json: what is listed; csv: every neuron's figures at the word (default: %(default)s)",
    )
    neurons.add_argument("--out", type=output_file, metavar="FILE", help="write to a file instead of standard output")
    neurons.set_defaults(run=show_neurons)

    evaluate = commands.add_parser(
        "evaluate", help="measure methods on a data set: faithfulness, and agreement with human labels"
    )
    evaluate.add_argument(
        "--data", type=not_empty, required=True, metavar="DIR", help="a folder with SPLIT.jsonl or SPLIT.jsonl.gz"
    )
    evaluate.add_argument(
        "--split",
        type=not_empty,
        default="dev",
        metavar="NAME",
        help="the file's name before .jsonl (default: %(default)s)",
    )
    evaluate.add_argument("--model", type=not_empty, default="sentiment", help="as for text (default: %(default)s)")
    evaluate.add_argument("--task", type=not_empty, metavar="NAME", help="as for text")
    evaluate.add_argument(
        "--method", action="append", metavar="NAME", help="a method; repeatable (default: all the model allows)"
    )
    evaluate.add_argument(
        "--set", action="append", default=[], metavar="METHOD.SETTING=VALUE", help="a setting of a method; repeatable"
    )
    evaluate.add_argument(
        "--texts",
        type=whole_number(1),
        default=300,
        metavar="N",
        help="texts for methods that need more than 50 passes (default: %(default)s)",
    )
    evaluate.add_argument("--most", type=whole_number(1), metavar="N", help="use only the first N texts (default: all)")
    evaluate.add_argument(
        "--orders",
        type=whole_number(1, 1000),
        default=20,
        metavar="N",
        help="random orders for each text (default: %(default)s)",
    )
    evaluate.add_argument(
        "--workers",
        type=whole_number(1, 256),
        default=1,
        metavar="N",
        help="number of processes (default: %(default)s)",
    )
    evaluate.add_argument(
        "--record",
        type=not_empty,
        metavar="FILE",
        help="write each text's figures to a file at once; an existing file is continued (default: no file)",
    )
    evaluate.add_argument(
        "--out", type=output_file, metavar="FILE", help="write the tables to a Markdown file, not to standard output"
    )
    evaluate.set_defaults(run=evaluate_methods)

    train = commands.add_parser("train", help="train a classifier on your own rows, and compare it with simpler ones")
    train.add_argument(
        "file",
        type=not_empty,
        metavar="FILE",
        help="the rows: a .csv, .tsv, .jsonl, .json or .parquet file in UTF-8",
    )
    train.add_argument(
        "--out",
        type=not_empty,
        required=True,
        metavar="DIR",
        help="the folder of the model; a run that was stopped there continues",
    )
    train.add_argument(
        "--text", default="text", metavar="COLUMN", help="the column with the text (default: %(default)s)"
    )
    train.add_argument(
        "--text-pair", metavar="COLUMN", help="the column with a second text, read together with the first"
    )
    train.add_argument(
        "--label", default="label", metavar="COLUMN", help="the column with the label (default: %(default)s)"
    )
    train.add_argument("--several", action="store_true", help='several labels may hold, separated by "|"')
    train.add_argument("--head-only", action="store_true", help="train the head alone: faster, and mostly worse")
    train.add_argument("--pooling", metavar="NAME", help="what the head reads: cls (default), mean or lstm")
    train.add_argument("--minutes", metavar="N", help="minutes of training at most (default: 10)")
    train.add_argument("--epochs", metavar="N", help="epochs at most (default: 10)")
    train.add_argument("--seed", metavar="N", help="seed of the split and of every random draw (default: 0)")
    train.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="SETTING=VALUE",
        help="learning_rate, batch_size, rank or patience; repeatable",
    )
    train.set_defaults(run=train_model)

    models = commands.add_parser("models", help="list the models with task, size and measured figures")
    models.set_defaults(run=list_models)

    methods = commands.add_parser("methods", help="list the methods and their settings")
    methods.set_defaults(run=list_methods)

    serve = commands.add_parser("serve", help="start the app, for a browser")
    serve.add_argument(
        "--port",
        type=whole_number(1, 65535),
        default=DEFAULT_PORT,
        help="the port to listen on (default: %(default)s)",
    )
    serve.add_argument(
        "--host",
        type=not_empty,
        default="127.0.0.1",
        metavar="ADDRESS",
        help="the address to listen on (default: %(default)s, this machine only)",
    )
    serve.add_argument(
        "--allowed-host",
        action="append",
        default=[],
        type=host_name,
        metavar="NAME",
        help="a host name the server answers to, besides localhost; repeatable (also EXPLAIN_ALLOWED_HOSTS, with "
        "commas). Without one, a server that other machines reach answers to any name",
    )
    serve.add_argument(
        "--allow-any-model", action="store_true", help="let visitors of any host name any folder or hub model"
    )
    serve.add_argument("--allow-training", action="store_true", help="let visitors of any host train models")
    serve.set_defaults(run=serve_app)

    replay = commands.add_parser("replay", help="compute a report again and compare every number")
    replay.add_argument("report", type=not_empty, help="a report written with --format json")
    replay.add_argument(
        "--tolerance",
        type=finite_number(0),
        default=1e-3,
        metavar="X",
        help="the largest difference allowed (default: %(default)s)",
    )
    replay.add_argument(
        "--model", type=not_empty, metavar="DIR", help="the folder of the recorded model, if it was moved"
    )
    replay.set_defaults(run=replay_report)
    return parser


def explain_text(options: argparse.Namespace) -> int:
    from explain.metrics.base import TrialSettings
    from explain.models.loading.catalogue import load_model
    from explain.report.record import report_of
    from explain.run import engine
    from explain.run.plan import DEFAULT_METHODS, Plan, methods_from, similarity_of
    from explain.text.phrases import PhraseSettings

    settings = _settings(options.set)
    phrases = make(PhraseSettings, settings.pop("phrases", {}), parse=True)
    methods = methods_from(options.method or DEFAULT_METHODS, settings, parse=True)
    model = load_model(options.model, task=options.task)
    text = _text(options)
    plan = Plan.for_text(
        text,
        options.pair,
        methods=methods,
        phrases=None if options.no_phrases else phrases,
        tests=TrialSettings.from_names(options.metric) if options.test or options.metric else None,
        analyses=similarity_of(model),
        label=options.target,
        against=options.against,
        scale=options.scale,
        position=_position(options, model, text),
    )
    results = engine.results(plan, model)
    _write(options, report_of(results, model), results, model)
    return 0


def show_attention(options: argparse.Namespace) -> int:
    from explain.api import attention
    from explain.models.loading.catalogue import load_model
    from explain.views import attention_arrays

    if options.format == "npz" and options.out is None:
        raise SettingError("The format npz is not text. Name a file with --out.")
    model = load_model(options.model, task=options.task)
    for name, chosen, count in (("layer", options.layer, model.layers), ("head", options.head, model.heads)):
        if chosen is not None and chosen >= count:
            raise SettingError(f"--{name} is {chosen}; {model.name} has {name}s 0 to {count - 1}.")
    maps = attention(_text(options), model, text_pair=options.pair)
    heads = None if options.head is None else [options.head]
    if options.format == "json":
        _put(options, attention_arrays.to_json(maps, model.name, options.layer, options.head))
    elif options.format == "npz":
        _put(options, attention_arrays.to_npz(maps))
    elif options.format == "svg":
        _put(options, attention_arrays.to_svg(maps, model.name, options.layer, heads))
    else:
        _put(options, attention_arrays.to_text(maps, options.layer, options.head))
    return 0


def embed_texts(options: argparse.Namespace) -> int:
    if options.out is None and options.query is None:
        raise SettingError("Nothing to do. Give --out FILE for the vectors, --query TEXT for a ranking, or both.")
    from explain.analyses.semantic_search import SemanticSearch
    from explain.api import embed
    from explain.data.texts import pasted_texts, read_texts
    from explain.embeddings.writing import check_place, write
    from explain.models.loading.catalogue import default_encoder, load_model
    from explain.text.checks import check_text
    from explain.views.scores_table import ranking_to_text

    if options.out is not None:  # what is wrong is not to be found out after an hour
        check_place(options.out)
    if options.query is not None:
        check_text(options.query)
    if options.file == "-":
        if options.column or options.label:
            raise SettingError("Lines from standard input have no columns. Leave out --column and --label.")
        texts = pasted_texts(_standard_input(), options.rows)
    else:
        texts = read_texts(options.file, column=options.column, label=options.label, most=options.rows)
    model = load_model(options.model or default_encoder())
    with _bar(len(texts)) as meter:
        vectors = embed(texts.texts, model, pooling=options.pooling, meter=meter)
    cut, pooling = int(vectors.truncated.sum()), vectors.pooling
    print(f"{len(texts):,} texts, {vectors.vectors.shape[1]} numbers each ({model.name}, {pooling}).", file=sys.stderr)
    for sentence in texts.report.sentences():
        print(sentence, file=sys.stderr)
    if cut:
        print(f"Texts longer than {model.longest_text} pieces were cut: {cut:,}.", file=sys.stderr)
    if options.out is not None:  # before whoever reads the ranking stops reading
        write(vectors, texts, options.out)
        _say(f"Written: {options.out}")
    if options.query is not None:
        ranking = SemanticSearch(options.query, options.top).run(model, vectors)
        if ranking.truncated:
            print(f"The query is longer than {model.longest_text} pieces. It was cut.", file=sys.stderr)
        sys.stdout.write(ranking_to_text(ranking, texts.texts, texts.rows))
    return 0


@contextlib.contextmanager
def _bar(total: int) -> "Iterator[Meter]":
    """A meter that shows how many texts are done, where someone looks at a terminal."""
    from tqdm import tqdm

    from explain.core.meter import Meter

    with tqdm(total=total, unit=" texts", disable=None) as bar:
        yield Meter(on_pass=lambda spent: bar.update(spent.forward - bar.n))


def show_neurons(options: argparse.Namespace) -> int:
    from explain.analyses.hidden_states import HiddenStates
    from explain.analyses.neuron_activations import NeuronActivations
    from explain.models.loading.catalogue import load_model
    from explain.run import engine
    from explain.run.plan import Plan
    from explain.text.units import unit_named
    from explain.views import inside_tables

    model = load_model(options.model, task=options.task)
    effects, words = _neuron_analyses(options, model)
    plan = Plan.for_text(
        _text(options),
        options.pair,
        analyses=(HiddenStates(), NeuronActivations(), *effects, *words),
        label=options.target,
        against=options.against,
        scale=options.scale,
        position=options.position,
    )
    results = engine.results(plan, model)
    activity = results.required(NeuronActivations())
    table = inside_tables.InsideTable(
        model.name,
        activity,
        results.answer(HiddenStates()),
        None if options.word is None else unit_named(activity.tokens, options.word),
        options.layer,
        options.by,
        options.top,
        effects=next(iter(map(results.answer, effects)), None),
        words=next(iter(map(results.answer, words)), None),
    )
    written = {"json": inside_tables.to_json, "csv": inside_tables.neurons_csv, "table": inside_tables.to_text}
    _put(options, written[options.format](table))
    return 0


def _neuron_analyses(
    options: argparse.Namespace, model: "TextModel"
) -> tuple[tuple["NeuronAblation", ...], tuple["MaxActivations", ...]]:
    """Return the analyses that the options ask for: neurons set to zero, most active words; each one or none."""
    from explain.analyses.max_activations import MaxActivations
    from explain.analyses.neuron_ablation import NeuronAblation
    from explain.data.texts import read_lines
    from explain.models.neurons import read_neuron

    model.require({"neurons"})
    if options.layer is not None and options.layer >= model.layers:
        raise SettingError(f"--layer is {options.layer}; {model.name} has layers 0 to {model.layers - 1}.")
    zeroed = tuple(read_neuron(name, model.layers, model.neurons) for name in options.zero)
    effects = (NeuronAblation(zeroed),) if zeroed else ()
    if options.lines is None:
        return effects, ()
    lines = read_lines(_read(options.lines))
    if lines.left_out:
        count = len(lines.texts)
        print(f"explain: only the first {count:,} texts are read; {lines.left_out:,} are left out.", file=sys.stderr)
    return effects, (MaxActivations(lines.texts, lines.rows),)


def evaluate_methods(options: argparse.Namespace) -> int:
    from explain.evaluation.dataset_table import to_markdown
    from explain.evaluation.measure import EvaluationSettings
    from explain.evaluation.run import Record, about, evaluate, implied
    from explain.evaluation.samples import read_samples
    from explain.methods.base import METHODS
    from explain.models.loading.catalogue import load_model
    from explain.run.plan import methods_from

    model = load_model(options.model, task=options.task)
    names = options.method or [name for name in METHODS if METHODS[name].requires <= model.capabilities]
    methods = methods_from(names, _settings(options.set), parse=True)
    samples, left_out = read_samples(options.data, options.split)
    settings = EvaluationSettings(options.orders)
    path = None if options.record is None else Path(options.record)
    record = Record(path, about(model, options.data, options.split, settings, left_out), implied(model))
    evaluate(
        model,
        samples[: options.most],
        methods,
        record,
        settings,
        part=options.texts,
        workers=options.workers,
        on_progress=lambda line: print(line, file=sys.stderr, flush=True),
    )
    _put(options, to_markdown(record.about, record.rows))
    return 0


def train_model(options: argparse.Namespace) -> int:
    from explain.training.columns import Columns
    from explain.training.recipes.classifier_settings import TableSettings
    from explain.training.run.foreground import train_here
    from explain.training.tables import read_file

    given = ("minutes", "epochs", "seed", "pooling")
    settings = {name: getattr(options, name) for name in given if getattr(options, name) is not None}
    for assignment in options.set:
        name, _, settings[name.strip()] = assignment.partition("=")
    if options.head_only:
        settings["train"] = "head"
    chosen = make(TableSettings, settings, parse=True)
    columns = Columns(text=options.text, label=options.label, text_pair=options.text_pair, several=options.several)
    table = read_file(own_path(options.file))
    print(train_here(own_path(options.out).resolve(), table, columns, chosen, lambda line: print(line, flush=True)))
    return 0


def _position(options: argparse.Namespace, model: "TextModel", text: str) -> int | None:
    """The token asked about, by its place or as a word."""
    if options.word is None:
        return None if options.position is None else int(options.position)
    from explain.text.units import word_start

    if options.position is not None:
        raise SettingError("Give --word or --position, not both.")
    if not (model.task.place or model.task.windows):
        raise SettingError("This model decides on the whole text. Leave out --word.")
    windows = model.windows(text, options.pair)
    if len(windows) > 1 and model.task.windows:
        raise SettingError(
            f"The {model.texts[-1].lower()} is read in {len(windows)} windows, so a word has several positions. "
            "Name the answer itself: --target 'its words'."
        )
    return word_start(windows[0], options.word)


def _text(options: argparse.Namespace) -> str:
    return _standard_input() if options.text == "-" else str(options.text)


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror}.") from error


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8")
    except UnicodeDecodeError as error:
        raise TextError(f"Standard input is not UTF-8 (byte {error.start + 1}); convert it first.") from error


def _settings(assignments: Sequence[str]) -> dict[str, dict[str, str]]:
    settings: dict[str, dict[str, str]] = {}
    for assignment in assignments:
        place, equals, value = assignment.partition("=")
        method, dot, setting = place.partition(".")
        if not (equals and dot and method and setting):
            raise SettingError(
                f"--set {assignment}: expected METHOD.SETTING=VALUE, such as integrated_gradients.baseline=pad."
            )
        settings.setdefault(method, {})[setting] = value
    return settings


def _write(options: argparse.Namespace, report: Report, results: "Results", model: "TextModel") -> None:
    from explain.methods.base import METHODS
    from explain.report.record import to_json
    from explain.text.coverage import coverage, doubt
    from explain.views.document import document
    from explain.views.scores_table import to_csv, to_text

    if doubted := doubt(coverage(report.prediction.tokens, model.unk_id, model.scripts), model.scripts):
        _say(f"explain: {doubted}")
    if options.format == "json":
        written = to_json(report)
    elif options.format == "csv":
        written = to_csv(report)
    elif options.format == "html":
        about = {name: (METHODS[name].title, METHODS[name].meaning, METHODS[name].limits) for name in METHODS}
        written = document(
            report,
            about,
            results.maps,
            verdicts=_verdicts(report, results, model),
            unknown=model.unk_id,
            record=to_json(report),
        )
    else:
        written = to_text(report) + _judged(report, results, model)
    _put(options, written)


def _judged(report: Report, results: "Results", model: "TextModel") -> str:
    """Whether each explanation holds, and its figures, for a terminal."""
    from explain.metrics.base import METRICS

    lines = []
    for name, judged in _verdicts(report, results, model).items():
        lines += ["", f"{name}: {judged.word}. {judged.sentence}"]
        for figure in (figure for figure in report.metrics if figure.method == name):
            beaten = "" if figure.percentile is None else f"  beats {figure.percentile:.0f}% of random orders"
            lines.append(f"  {figure.value:8.3f}  {METRICS[figure.metric].title}{beaten}")
    return "\n".join(lines) + "\n"


def _verdicts(report: Report, results: "Results", model: "TextModel") -> dict[str, Verdict]:
    from explain.analyses.parameter_randomization import known
    from explain.evaluation.verdict import verdict

    verdicts = {}
    for method in results.plan.methods:
        attribution = report.attribution(method.name)
        others = [other for other in report.attributions if other is not attribution]
        verdicts[method.name] = verdict(attribution, others, results.tests(method), known(model, method))
    return verdicts


def _put(options: argparse.Namespace, written: str | bytes) -> None:
    if options.out is None:
        sys.stdout.write(str(written))
        return
    write_file(own_path(options.out), written)
    _say(f"Written: {options.out}")


def list_models(options: argparse.Namespace) -> int:
    from explain.models.loading.catalogue import list_models as shipped

    rows = []
    for entry in shipped():
        tasks = (", " if entry.told else " or ").join(entry.tasks).replace("_", "-") or "(known once loaded)"
        size = f"{entry.size / 1e6:.1f} MB" if entry.size else ""
        figure = "" if entry.main_figure is None else "{} {:.3f}".format(*entry.main_figure)
        rows.append((entry.name, tasks, size, figure, entry.title))
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        cells = [text.rjust(width) if text.endswith(" MB") else text.ljust(width) for text, width in zip(row, widths)]
        print("  ".join(cells).rstrip())
    return 0


def list_methods(options: argparse.Namespace) -> int:
    from explain.methods.base import METHODS

    for name in METHODS:
        method = METHODS[name]
        print(f"{name}\n    {method.meaning}\n    {method.limits}")
        for one in settings_of(method):
            default = "automatic" if one.default is None else one.default
            print(f"    --set {name}.{one.name}=  {one.help} [{one.range}; default {default}]")
    return 0


def replay_report(options: argparse.Namespace) -> int:
    from explain.models.loading.catalogue import load_model
    from explain.report.record import read
    from explain.report.replay import replay

    recorded = read(options.report)
    other = load_model(options.model, task=recorded.model.task) if options.model else None
    difference = replay(recorded, other)
    unit = recorded.target.scale.replace("_", "-")
    where = f" ({difference.where})" if difference.where and difference.same else ""
    print(f"{difference.compared} numbers compared; largest difference {difference.largest:.2e} {unit}{where}.")
    for sentence in difference.arithmetic:
        print(sentence)
    if not difference.same:
        print(f"Other fields differ too; the first is {difference.where}.")
    well = difference.within(options.tolerance)
    print("The report holds." if well else f"The report does not hold (tolerance {options.tolerance:g}).")
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
