"""`explain run`: explains every row of a data set."""

import argparse
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from explain.cli.options import Commands, add_model, settings_by_owner
from explain.cli.output import say
from explain.core.arguments import finite_number, not_empty, whole_number
from explain.core.errors import SettingError

if TYPE_CHECKING:
    from explain.report.dataset_run import Run
    from explain.run.dataset_run import RunCost
    from explain.run.run_folder import SampleSummary
    from explain.run.sample import Sample
    from explain.run.shards import ShardProgress


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    command = commands.add_parser("run", help="explain every row of a data set, and keep the rows in a folder")
    command.add_argument(
        "data",
        type=not_empty,
        metavar="DATA",
        help="a .csv, .tsv, .txt, .jsonl, .json or .parquet file, a folder, or an address (s3://...); see the guide",
    )
    command.add_argument(
        "--out", type=not_empty, required=True, metavar="DIR", help="the folder of the run, or its address"
    )
    command.add_argument("--resume", action="store_true", help="go on with the run in the folder")
    add_columns(command)
    add_model(command)
    command.add_argument(
        "--method", action="append", metavar="NAME", help="a method; repeatable (default: integrated_gradients)"
    )
    command.add_argument("--no-methods", action="store_true", help="predictions only")
    command.add_argument(
        "--set", action="append", default=[], metavar="METHOD.SETTING=VALUE", help="a setting of a method; repeatable"
    )
    command.add_argument("--phrases", action="store_true", help="search for key phrases, too")
    command.add_argument("--tests", action="store_true", help="test each explanation, too, and give its verdict")
    command.add_argument("--embeddings", action="store_true", help="keep the vector of each text, too")
    command.add_argument("--no-texts", action="store_true", help="keep a hash of each text, and no words")
    command.add_argument(
        "--backend", choices=("auto", "threads", "processes", "ray"), default="auto", help="how to compute"
    )
    command.add_argument("--address", type=not_empty, metavar="URL", help="a cluster of Ray: ray://HOST:10001")
    command.add_argument(
        "--workers", type=whole_number(1, 256), default=1, metavar="N", help="number of workers (default: %(default)s)"
    )
    command.add_argument(
        "--shard-size",
        type=whole_number(1, 100_000),
        default=256,
        metavar="N",
        help="rows that are computed and kept together (default: %(default)s)",
    )
    add_sample(command)
    command.set_defaults(run=run)


def add_sample(command: argparse.ArgumentParser) -> None:
    """Add the options of a sample."""
    size = command.add_mutually_exclusive_group()
    size.add_argument("--sample", type=whole_number(2), metavar="N", help="explain N rows, drawn at random")
    size.add_argument("--budget", type=not_empty, metavar="TIME", help="explain as many as fit into 90s, 30m or 2h")
    size.add_argument(
        "--until",
        type=finite_number(1e-9),
        metavar="W",
        help="explain as many as make 95 %% intervals no wider than plus or minus W: of the mean scores of leading "
        "words; with --only-drawn, of accuracy or the shares of labels",
    )
    command.add_argument(
        "--only-drawn", action="store_true", help="predict the drawn rows only (default: predict all, then draw)"
    )
    command.add_argument("--seed", type=whole_number(0), metavar="N", help="of the draw (default: 0)")


def add_columns(command: argparse.ArgumentParser) -> None:
    """Add the options that name columns."""
    command.add_argument("--split", type=not_empty, metavar="NAME", help="of a folder, the file's name before .jsonl")
    command.add_argument("--text", metavar="COLUMN", help="the column with the text (default: text, or the only one)")
    command.add_argument("--pair", metavar="COLUMN", help="the column with a second text")
    command.add_argument("--label", metavar="COLUMN", help="the column with the known label")
    command.add_argument("--id", metavar="COLUMN", help="the column with a name of each row (default: its number)")
    command.add_argument("--group", action="append", default=[], metavar="COLUMN", help="a group of rows; repeatable")


def run(options: argparse.Namespace) -> int:
    """Compute the rows that the folder lacks, and print the figures of all."""
    import explain
    from explain.data.columns import Columns

    if options.no_methods and options.method:
        raise SettingError("Give --method or --no-methods, not both.")
    methods = () if options.no_methods else tuple(options.method or ("integrated_gradients",))
    made = explain.run(
        options.data,
        options.model,
        out=options.out,
        columns=Columns(
            text=options.text, text_pair=options.pair, label=options.label, id=options.id, groups=tuple(options.group)
        ),
        split=options.split,
        methods=methods,
        settings=settings_by_owner(options.set),
        phrases=options.phrases,
        tests=options.tests,
        texts=not options.no_texts,
        embeddings=options.embeddings,
        task=options.task,
        backend=options.backend,
        address=options.address,
        workers=options.workers,
        resume=options.resume,
        shard_size=options.shard_size,
        sample=_sample(options),
        on_cost=None if options.resume else _print_cost(options.workers),
        on_progress=_Progress(options.shard_size),
    )
    print(summary_text(made))
    return 0


def _sample(options: argparse.Namespace) -> "Sample | None":
    """Return the sample that the options describe."""
    from explain.run.sample import Sample

    if options.sample is None and options.budget is None and options.until is None:
        if options.only_drawn or options.seed is not None:
            raise SettingError("--only-drawn and --seed belong to --sample, --budget or --until. Give one of them.")
        return None
    return Sample(
        rows=options.sample,
        budget=options.budget,
        until=options.until,
        seed=options.seed or 0,
        only_drawn=options.only_drawn,
    )


def _print_cost(workers: int) -> Callable[["RunCost"], None]:
    """Return a function that prints what a run will take."""

    def print_cost(cost: "RunCost") -> None:
        by_method = "".join(f"; {name} {passes:,}" for name, passes in cost.by_method.items())
        judged = f"By the first {cost.tried:,} of {cost.rows:,} rows"
        if cost.of_rows is not None:
            judged = f"{cost.rows:,} of {cost.of_rows:,} rows are drawn. By {cost.tried:,} rows"
        say(
            f"{judged}: {cost.passes:,} passes{by_method}; "
            f"{_duration(cost.seconds / workers)} with {workers} worker{'s' if workers > 1 else ''}; "
            f"{cost.bytes / 1e6:,.1f} MB on disk."
        )

    return print_cost


_STAGES = {"predictions": "Predictions: ", "pilot": "Pilot sample: ", "": ""}


class _Progress:
    """Prints a line of progress to standard error, at most one each second."""

    def __init__(self, shard_size: int) -> None:
        self._size, self._began, self._last = shard_size, time.monotonic(), 0.0

    def __call__(self, progress: "ShardProgress") -> None:
        now = time.monotonic()
        if progress.seconds_left is None:
            self._began = now
            size = "" if progress.stage == "pilot" else f", of up to {self._size:,} rows each"
            say(f"{_STAGES[progress.stage]}{progress.total:,} parts to compute{size}.")
        elif progress.done == progress.total or now - self._last >= 1:
            self._last = now
            speed = progress.rows / max(1e-9, now - self._began)
            say(
                f"{_STAGES[progress.stage]}{progress.done:,} of {progress.total:,} parts, {speed:,.1f} rows a second, "
                f"{_duration(progress.seconds_left)} left"
            )


def _duration(seconds: float) -> str:
    """Return a duration in words.

    >>> _duration(42), _duration(400), _duration(9000)
    ('42 s', '7 min', '2.5 h')
    """
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def summary_text(made: "Run") -> str:
    """Return the figures of a run as lines."""
    figures = made.summary()
    lines = [f"Run in {made.folder.name}: {figures.rows:,} rows of {figures.of_rows:,} texts."]
    lines += made.manifest["left_out"]
    if figures.sample is not None:
        lines += _about_sample(made, figures.sample)
    if figures.failed:
        lines.append(f"Rows that could not be explained: {figures.failed:,} (column error).")
    if figures.truncated:
        lines.append(f"Texts that were cut off at the model's limit: {figures.truncated:,}.")
    for (label, count), (_, (share, low, high)) in zip(figures.predictions[:10], figures.shares):
        interval = f", {low:.1%} to {high:.1%}" if low < high else ""
        lines.append(f"  {label}: {count:,} ({share:.1%}{interval})")
    if figures.accuracy is not None:
        share, low, high = figures.accuracy
        lines.append(
            f"Accuracy {share:.3f} ({low:.3f} to {high:.3f}, 95 %), {figures.correct:,} of {figures.labelled:,}."
        )
    if figures.unknown_labels:
        first, further = made.manifest["labels"][:10], made.manifest["labels"][10:]
        others = f" and {len(further):,} more" if further else ""
        lines.append(
            f"Rows with a label that the model does not have: {figures.unknown_labels:,}. "
            f"It has {', '.join(first)}{others}."
        )
    for name, passes in figures.passes:
        lines.append(f"{name}: {passes:,} passes.")
    return "\n".join(lines)


def _about_sample(made: "Run", sample: "SampleSummary") -> list[str]:
    """Return sentences on what was drawn, and what that leaves uncertain."""
    by = f"by {' and '.join(sample.by)}" if sample.by else "from all alike"
    strata = f" in {sample.strata:,} strata" if sample.strata > 1 else ""
    so_far = "" if sample.explained == sample.drawn else f"; {sample.explained:,} of them until now"
    lines = [
        f"Explained: {sample.drawn:,} of {sample.of_texts:,} rows, drawn {by}{strata} (seed {sample.seed}){so_far}."
    ]
    if sample.drawn == sample.of_texts:
        return lines
    if sample.bounds:
        lines.append(
            f"So many follow from {sample.pilot:,} of them, for 95 % intervals of {sample.bounds} within \u00b1 "
            f"{sample.until:g}."
        )
    if sample.all_predicted:
        lines.append("Predictions and accuracy are those of all rows. Scores of words are estimates.")
    else:
        lines.append("Counts are of drawn rows. Shares, accuracy and scores of words are estimates for all rows.")
    for method in made.methods if made.manifest["plan"]["texts"] else ():
        leading = [figure for figure in made.leading_words(method) if figure.half_width is not None]
        if leading:
            words = ", ".join(f"{figure.word} {figure.mean:+.2f} \u00b1 {figure.half_width:.2f}" for figure in leading)
            lines.append(f"Mean scores of leading words by {method}, 95 %: {words}.")
    return lines
