"""`explain counterfactual`: the smallest edits after which a model decides otherwise."""

import argparse

from explain.cli.options import Commands, add_model, add_out, text_of
from explain.cli.output import write_output
from explain.core.arguments import not_empty, whole_number


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    command = commands.add_parser(
        "counterfactual", help="find the smallest edits of a text after which the model decides otherwise"
    )
    command.add_argument("text", help="the text, or - to read it from standard input")
    command.add_argument("--pair", "--second", metavar="TEXT", help="a second text, read together with the first")
    add_model(command)
    command.add_argument(
        "--to", type=not_empty, metavar="LABEL", help="the new label (default: the likeliest other one)"
    )
    command.add_argument(
        "--budget",
        type=whole_number(60, 20_000),
        default=300,
        metavar="N",
        help="the most passes to spend (default: %(default)s)",
    )
    command.add_argument(
        "--margin",
        type=float,
        default=1.0,
        metavar="X",
        help="the least log-odds of the new answer, divided by the temperature if there is one (default: %(default)s)",
    )
    command.add_argument(
        "--edited",
        choices=("auto", "first", "second", "both"),
        default="auto",
        help="the text to edit; auto is the second of a pair (default: %(default)s)",
    )
    command.add_argument("--deletions", action="store_true", help="delete words, too")
    command.add_argument(
        "--format",
        choices=("table", "json", "html", "csv"),
        default="table",
        help="json: everything, for replay; html: a page that opens offline; csv: every number (default: %(default)s)",
    )
    add_out(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Search, and write the result."""
    from explain.analyses.counterfactuals import Counterfactuals
    from explain.models.loading.catalogue import load_model
    from explain.report.record import report_of, to_json
    from explain.run import engine
    from explain.run.plan import Plan
    from explain.views.answers import section, to_csv
    from explain.views.counterfactual_lines import to_text
    from explain.views.document import record_script, stand_alone

    analysis = Counterfactuals(
        to=options.to,
        budget=options.budget,
        margin=options.margin,
        edited=options.edited,
        deletions=options.deletions,
    )
    model = load_model(options.model, task=options.task)
    model.require(analysis.requires)
    results = engine.results(Plan.for_text(text_of(options), options.pair, analyses=(analysis,)), model)
    answer = results.required(analysis)
    if options.format == "table":
        written = to_text(answer)
    elif options.format == "csv":
        written = to_csv(answer)
    else:
        written = to_json(report_of(results, model))
        if options.format == "html":
            about = section(analysis.title, analysis.meaning, analysis.limits, answer)
            written = stand_alone(analysis.title, [about, record_script(written)])
    write_output(options, written)
    return 0
