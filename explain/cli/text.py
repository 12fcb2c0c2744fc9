"""`explain text`: explains one text."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from explain.cli.options import Commands, add_out, add_text, position_of, settings_by_owner, text_of
from explain.cli.output import say, write_output
from explain.core.arguments import not_empty, whole_number
from explain.core.errors import SettingError
from explain.core.settings import make

if TYPE_CHECKING:
    from explain.datatypes import Answer, Report, Verdict
    from explain.models.analysis import Analysis
    from explain.models.base import TextModel
    from explain.run.results import Results

IN_EVERY_REPORT = {  # analyses with options of their own
    "key_phrases": "key phrases are part of every report. Their settings are --set phrases.NAME=VALUE.",
    "method_tests": "tests of methods are part of a report with --test or --metric.",
}


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    command = commands.add_parser("text", help="explain one text")
    add_text(command)
    command.add_argument(
        "--model",
        type=not_empty,
        default="sentiment",
        help="a shipped name, a folder, or a hub name (default: %(default)s)",
    )
    command.add_argument(
        "--task",
        type=not_empty,
        metavar="NAME",
        help="the task, if the model can do several (fill-mask), or if its config.json does not say what was saved",
    )
    command.add_argument(
        "--method",
        action="append",
        metavar="NAME",
        help="a method; repeatable (default: integrated gradients, occlusion, attention rollout)",
    )
    command.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="METHOD.SETTING=VALUE",
        help="a setting of a method, of phrases or of an --analysis; repeatable",
    )
    _add_target(command)
    command.add_argument(
        "--test",
        action="store_true",
        help="compare each explanation with word effects measured on the model, and give a verdict",
    )
    command.add_argument("--metric", action="append", default=[], metavar="NAME", help="a further metric; repeatable")
    command.add_argument(
        "--analysis",
        action="append",
        default=[],
        metavar="NAME",
        help="a further analysis in the report (not in csv); explain analyses lists them; repeatable",
    )
    command.add_argument("--no-phrases", action="store_true", help="leave out the key phrases")
    command.add_argument(
        "--format",
        choices=("table", "json", "html", "csv"),
        default="table",
        help="json: everything, for replay; html: a page that opens offline; csv: the scores (default: %(default)s)",
    )
    add_out(command)
    command.set_defaults(run=run)


def _add_target(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--target", metavar="LABEL", help="the label, or word, to explain (default: the predicted one)"
    )
    command.add_argument(
        "--against", metavar="LABEL", help="compare with this label, or word: why --target and not this?"
    )
    command.add_argument(
        "--position",
        type=whole_number(0),
        metavar="TOKEN",
        help="the mask, word or answer to explain, by the number of its first token; [CLS] is 0",
    )
    command.add_argument(
        "--word", metavar="WORD", help="explain the label of this word; give the word, or its number from 0"
    )
    command.add_argument("--scale", metavar="NAME", help="log_odds (default), probability, log_probability or logit")


def run(options: argparse.Namespace) -> int:
    """Explain the text and write the report."""
    from explain.metrics.base import TrialSettings
    from explain.models.loading.catalogue import load_model
    from explain.report.record import report_of
    from explain.run import engine
    from explain.run.plan import DEFAULT_METHODS, Plan, methods_from
    from explain.text.phrases import PhraseSettings

    settings = settings_by_owner(options.set)
    phrases = make(PhraseSettings, settings.pop("phrases", {}), parse=True)
    analyses = _analyses(options.analysis, settings)
    methods = methods_from(options.method or DEFAULT_METHODS, settings, parse=True)
    model = load_model(options.model, task=options.task)
    text = text_of(options)
    plan = Plan.for_text(
        text,
        options.pair,
        methods=methods,
        phrases=None if options.no_phrases else phrases,
        tests=TrialSettings.from_names(options.metric) if options.test or options.metric else None,
        analyses=_with_similarity(analyses, model),
        label=options.target,
        against=options.against,
        scale=options.scale,
        position=position_of(options, model, text),
    )
    results = engine.results(plan, model)
    _write(options, report_of(results, model), results, model)
    return 0


def _analyses(names: list[str], settings: dict[str, dict[str, str]]) -> tuple[Analysis[Any, Any], ...]:
    """Make the analyses of --analysis, and take their settings out of those of --set.

    Raises:
        UnknownNameError: there is none of that name; SettingError: it can't stand in a report of one text.
    """
    from explain.analyses.base import make_analysis
    from explain.models.analysis import TEXTS

    analyses = []
    for name in dict.fromkeys(names):
        if name in IN_EVERY_REPORT:
            raise SettingError(f"--analysis {name}: {IN_EVERY_REPORT[name]}")
        analysis = make_analysis(name, settings.pop(name, {}), parse=True)
        if analysis.subject == TEXTS:
            raise SettingError(
                f"{name} is about vectors of several texts, not about one. Use explain ask {name} TEXT TEXT."
            )
        analyses.append(analysis)
    return tuple(analyses)


def _with_similarity(analyses: tuple[Analysis[Any, Any], ...], model: TextModel) -> tuple[Analysis[Any, Any], ...]:
    """Return the analyses, with those that every report of the model holds, unless they are named with settings.

    Raises:
        ModelError: the model lacks what an analysis requires.
    """
    from explain.run.plan import similarity_of

    for analysis in analyses:
        model.require(analysis.requires)
    names = {analysis.name for analysis in analyses}
    return (*(analysis for analysis in similarity_of(model) if analysis.name not in names), *analyses)


def _write(options: argparse.Namespace, report: Report, results: Results, model: TextModel) -> None:
    """Write the report in the format of --format, after a doubt about words that the model does not know."""
    from explain.report.record import to_json
    from explain.text.coverage import coverage, doubt
    from explain.views.scores_table import to_csv, to_text

    if doubted := doubt(coverage(report.prediction.tokens, model.unk_id, model.scripts), model.scripts):
        say(f"explain: {doubted}")
    if options.format == "json":
        written = to_json(report)
    elif options.format == "csv":
        written = to_csv(report)
    elif options.format == "html":
        written = _page(report, results, model)
    else:
        written = to_text(report) + _verdict_lines(report, results, model) + _answer_lines(report)
    write_output(options, written)


def _page(report: Report, results: Results, model: TextModel) -> str:
    """Return the report as an HTML page that opens offline."""
    from explain.analyses.base import ANALYSES
    from explain.methods.base import METHODS
    from explain.report.record import to_json
    from explain.views.document import document

    used = {attribution.method for attribution in report.attributions}
    answered = {answer.analysis for answer in report.answers}
    about = {name: (METHODS[name].title, METHODS[name].meaning, METHODS[name].limits) for name in used}
    about |= {name: (ANALYSES[name].title, ANALYSES[name].meaning, ANALYSES[name].limits) for name in answered}
    verdicts = _verdicts(report, results, model)
    return document(report, about, results.maps, verdicts=verdicts, unknown=model.unk_id, record=to_json(report))


def _further(report: Report) -> list[tuple[Answer, type[Analysis[Any, Any]]]]:
    """Return the answers that are not shown elsewhere in the report, with their analyses."""
    from explain.analyses.base import ANALYSES

    return [(answer, ANALYSES[answer.analysis]) for answer in report.answers if answer.analysis != "similarity"]


def _answer_lines(report: Report) -> str:
    """Return the results of --analysis, for a terminal."""
    from explain.views.answers import to_text

    pieces = report.prediction.tokens.pieces
    return "".join(
        "\n" + to_text(f"{analysis.title}. {analysis.meaning}", answer.result, pieces)
        for answer, analysis in _further(report)
    )


def _verdict_lines(report: Report, results: Results, model: TextModel) -> str:
    """Return each explanation's verdict and figures, for a terminal."""
    from explain.metrics.base import METRICS
    from explain.views.verdicts import verdict_word

    lines = []
    for name, verdict in _verdicts(report, results, model).items():
        lines += ["", f"{name}: {verdict_word(verdict)}. {verdict.sentence}"]
        for figure in (figure for figure in report.metrics if figure.method == name):
            beaten = "" if figure.percentile is None else f"  beats {figure.percentile:.0f}% of random orders"
            lines.append(f"  {figure.value:8.3f}  {METRICS[figure.metric].title}{beaten}")
    return "\n".join(lines) + "\n"


def _verdicts(report: Report, results: Results, model: TextModel) -> dict[str, Verdict]:
    """Return the verdict on each method, by name."""
    from explain.analyses.parameter_randomization import known
    from explain.evaluation.verdict import verdict

    verdicts = {}
    for method in results.plan.methods:
        attribution = report.attribution(method.name)
        others = [other for other in report.attributions if other is not attribution]
        verdicts[method.name] = verdict(attribution, others, results.tests(method), known(model, method))
    return verdicts
