"""`explain ask`: one analysis of one text, or of the vectors of several."""

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from explain.cli.options import Commands, add_out, add_target, standard_input
from explain.cli.output import write_output
from explain.core.arguments import not_empty
from explain.core.errors import SettingError

if TYPE_CHECKING:
    from explain.models.analysis import Analysis
    from explain.models.base import TextModel


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    command = commands.add_parser("ask", help="run one analysis of one text, or of the vectors of several texts")
    command.add_argument("name", metavar="NAME", help="the analysis; explain analyses lists them")
    command.add_argument(
        "text",
        nargs="+",
        metavar="TEXT",
        help="the text; of vectors, several texts; - reads standard input, then one a line",
    )
    command.add_argument("--pair", metavar="TEXT", help="a second text, read together with the first")
    command.add_argument(
        "--set", action="append", default=[], metavar="SETTING=VALUE", help="a setting of the analysis; repeatable"
    )
    command.add_argument(
        "--model", type=not_empty, help="as for text (default: sentiment; of vectors of texts, similarity)"
    )
    command.add_argument("--task", type=not_empty, metavar="NAME", help="as for text")
    add_target(command)
    command.add_argument("--pooling", metavar="NAME", help="of vectors of texts, as for embed")
    command.add_argument(
        "--format",
        choices=("table", "json", "html", "csv"),
        default="table",
        help="json: everything, of one text for replay; html: pictures in a page that opens offline; csv: every number "
        "(default: %(default)s)",
    )
    add_out(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Run the analysis and write its result."""
    from explain.analyses.base import make_analysis
    from explain.models.analysis import TEXTS

    analysis = make_analysis(options.name, assigned_settings(options.set), parse=True)
    texts = standard_input() if options.text == ["-"] else options.text
    write = _write_about_texts if analysis.subject == TEXTS else _write_about_text
    write(options, analysis, texts)
    return 0


def assigned_settings(assignments: Sequence[str]) -> dict[str, str]:
    """Return the settings of --set SETTING=VALUE by name.

    Raises:
        SettingError: an assignment of another form.
    """
    settings = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not (equals and name.strip()):
            raise SettingError(f"--set {assignment}: expected SETTING=VALUE. See explain analyses NAME.")
        settings[name.strip()] = text
    return settings


def _write_about_text(options: argparse.Namespace, analysis: "Analysis[Any, Any]", texts: str | Sequence[str]) -> None:
    from explain.analyses.method_tests import MethodTests
    from explain.models.loading.catalogue import DEFAULT_MODEL, load_model
    from explain.report.record import report_of, to_json
    from explain.run import engine
    from explain.run.plan import Plan

    if options.pooling is not None:
        raise SettingError(f"{analysis.title} is about one text, not about vectors. Leave out --pooling.")
    if not isinstance(texts, str) and len(texts) > 1:
        raise SettingError(f"{analysis.title} is about one text; {len(texts)} were given. Put the text in quotes.")
    text = texts if isinstance(texts, str) else texts[0]
    plan = Plan.for_text(
        text,
        options.pair,
        methods=(analysis.method,) if isinstance(analysis, MethodTests) else (),  # a report holds what it tests
        analyses=(analysis,),
        label=options.target,
        against=options.against,
        scale=options.scale,
        position=options.position,
    )
    model = load_model(options.model or DEFAULT_MODEL, task=options.task)
    model.require(analysis.requires)
    results = engine.results(plan, model)
    record = to_json(report_of(results, model)) if options.format in ("json", "html") else ""
    pieces = results.prediction.tokens.pieces if analysis.subject == "text" else ()
    _write(options, analysis, results.required(analysis), record, pieces)


def _write_about_texts(options: argparse.Namespace, analysis: "Analysis[Any, Any]", texts: str | Sequence[str]) -> None:
    from explain.datatypes.encoding import encode
    from explain.models.loading.catalogue import default_encoder, load_model
    from explain.run.vectors import default_pooling, read_texts

    for option in ("pair", "target", "against", "scale", "position"):
        if getattr(options, option) is not None:
            raise SettingError(f"{analysis.title} is about vectors of texts. Leave out --{option}.")
    listed = [line for line in texts.splitlines() if line.strip()] if isinstance(texts, str) else list(texts)
    model: TextModel = load_model(options.model or default_encoder(), task=options.task)
    vectors = read_texts(listed, model, options.pooling or default_pooling(model))
    answer = analysis.run(model, vectors)
    record: Mapping[str, Any] = {
        "analysis": analysis.name,
        "version": analysis.version,
        "settings": analysis.settings,
        "model": encode(model.record),
        "pooling": vectors.pooling,
        "texts": listed,
        "result": encode(answer),
    }
    _write(options, analysis, answer, json.dumps(record, ensure_ascii=False, indent=1) + "\n", ())


def _write(
    options: argparse.Namespace, analysis: "Analysis[Any, Any]", answer: Any, record: str, pieces: Sequence[str]
) -> None:
    """Write a result in the format of --format."""
    from explain.views.answers import section, to_csv, to_text
    from explain.views.document import record_script, stand_alone

    if options.format == "json":
        written = record
    elif options.format == "csv":
        written = to_csv(answer)
    elif options.format == "html":
        about = section(analysis.title, analysis.meaning, analysis.limits, answer)
        written = stand_alone(analysis.title, [about, *([record_script(record)] if record else [])])
    else:
        written = to_text(f"{analysis.title}. {analysis.meaning}", answer, pieces)
    write_output(options, written)
