"""`explain embed`: turns texts into vectors, writes them, ranks the texts by a query."""

import argparse
import sys

from explain.cli.options import Commands, standard_input
from explain.cli.output import progress_bar, say
from explain.core.arguments import not_empty, output_file, whole_number
from explain.core.errors import SettingError


def add_to(commands: Commands) -> None:
    """Add the command to the command line."""
    command = commands.add_parser("embed", help="turn texts into vectors: write them, or rank the texts by a query")
    command.add_argument(
        "file",
        type=not_empty,
        help="a .csv, .tsv, .txt, .jsonl, .json or .parquet file, also .gz but for .parquet; or a folder of .txt "
        "files; - reads lines from stdin",
    )
    command.add_argument(
        "--column", metavar="NAME", help="the column with the texts (default: text, sentence, or the only one)"
    )
    command.add_argument("--label", metavar="NAME", help="a column to write next to the vectors")
    command.add_argument("--rows", type=whole_number(1), metavar="N", help="read only the first N rows")
    command.add_argument(
        "--pooling",
        metavar="NAME",
        help="mean, cls, max, last_four, layer:N (from 0) or lstm (default: the model's own, else mean)",
    )
    command.add_argument(
        "--model", type=not_empty, help="as for text (default: similarity, which was trained to compare texts)"
    )
    command.add_argument(
        "--out", type=output_file, metavar="FILE", help="write the vectors to a file: .npz, .csv or .parquet"
    )
    command.add_argument("--query", metavar="TEXT", help="print the texts nearest to this one, with their cosines")
    command.add_argument(
        "--top", type=whole_number(1), default=10, metavar="K", help="number of texts printed (default: %(default)s)"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Read the texts, compute their vectors, write them and print the ranking."""
    if options.out is None and options.query is None:
        raise SettingError("Nothing to do. Give --out FILE for the vectors, --query TEXT for a ranking, or both.")
    from explain.analyses.semantic_search import SemanticSearch
    from explain.api import embed
    from explain.data.texts import pasted_texts, read_texts
    from explain.models.loading.catalogue import default_encoder, load_model
    from explain.report.vector_files import check_place, write
    from explain.text.checks import check_text
    from explain.views.scores_table import ranking_to_text

    if options.out is not None:  # what is wrong is not to be found out after an hour
        check_place(options.out)
    if options.query is not None:
        check_text(options.query)
    if options.file == "-":
        if options.column or options.label:
            raise SettingError("Lines from standard input have no columns. Leave out --column and --label.")
        texts = pasted_texts(standard_input(), options.rows)
    else:
        texts = read_texts(options.file, column=options.column, label=options.label, most=options.rows)
    model = load_model(options.model or default_encoder())
    with progress_bar(len(texts)) as meter:
        vectors = embed(texts.texts, model, pooling=options.pooling, meter=meter)
    cut, pooling = int(vectors.truncated.sum()), vectors.pooling
    print(f"{len(texts):,} texts, {vectors.vectors.shape[1]} numbers each ({model.name}, {pooling}).", file=sys.stderr)
    for sentence in texts.report.sentences():
        print(sentence, file=sys.stderr)
    if cut:
        print(f"Texts longer than {model.vectors.longest_text} pieces were cut: {cut:,}.", file=sys.stderr)
    if options.out is not None:  # before whoever reads the ranking stops reading
        write(vectors, texts, options.out)
        say(f"Written: {options.out}")
    if options.query is not None:
        ranking = SemanticSearch(options.query, options.top).run(model, vectors)
        if ranking.truncated:
            print(f"The query is longer than {model.vectors.longest_text} pieces. It was cut.", file=sys.stderr)
        sys.stdout.write(ranking_to_text(ranking, texts.texts, texts.rows))
    return 0
