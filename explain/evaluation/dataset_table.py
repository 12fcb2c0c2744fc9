"""A record of an evaluation as a document: tables with 95 % intervals, and who can be told apart from whom."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explain.evaluation.measure import RANDOM, Row
from explain.methods.base import METHODS
from explain.numerics.statistics import mean_and_half_width
from explain.text.removal import OPERATORS

Figure = Callable[[Row], float | None]


@dataclass(frozen=True)
class Column:
    """One figure of a text and method; larger is better in every one."""

    title: str
    meaning: str
    figure: Figure
    digits: int = 3


def _removal(metric: str, operator: str | None, what: str) -> Figure:
    """Return the mean over the operators, or by one, of the gain over random orders or of the share of these beaten."""
    sign = 1.0 if metric == "comprehensiveness" else -1.0

    def figure(row: Row) -> float | None:
        figures = [
            sign * (drop - chance) if what == "gain" else percentile
            for name, by_metric in row["faithful"].items()
            if operator in (None, name)
            for drop, chance, percentile in (by_metric[metric],)
        ]
        return float(np.mean(figures)) if figures else None

    return figure


def _human(name: str) -> Figure:
    return lambda row: row.get("human", {}).get(name)


FAITHFUL = (
    Column(
        "comprehensiveness",
        "how much more the label's probability falls without the highest-scored words than without random words",
        _removal("comprehensiveness", None, "gain"),
    ),
    Column(
        "beats random, %",
        "the share of random orders with a lower comprehensiveness",
        _removal("comprehensiveness", None, "percentile"),
        1,
    ),
    Column(
        "sufficiency",
        "how much more of the probability the highest-scored words alone keep than random words do",
        _removal("sufficiency", None, "gain"),
    ),
    Column(
        "beats random, %", "the share of random orders that keep less", _removal("sufficiency", None, "percentile"), 1
    ),
)
HUMAN = (
    Column(
        "AUPRC",
        "average precision: how well the sizes of scores find the words people did not call neutral",
        _human("auprc"),
    ),
    Column("size", "rank correlation of the sizes of scores and of human labels, over words", _human("size")),
    Column("sign", "rank correlation of scores and human labels with their signs, over words", _human("sign")),
    Column(
        "phrases",
        "rank correlation of summed scores and human labels, over phrases of two or more words",
        _human("phrases"),
    ),
)
CORRELATIONS = ("size", "sign", "phrases")  # those of the human figures that may be undefined


def to_markdown(about: Mapping[str, Any], rows: Sequence[Row]) -> str:
    """Return the document: what was measured, how well each method did, and which ones can be told apart."""
    by_method: dict[str, dict[str, Row]] = defaultdict(dict)
    failed: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if "error" in row:
            failed[row["method"]].append(row["error"])
        else:
            by_method[row["method"]][row["text"]] = row
    most = max(map(len, by_method.values()), default=0)
    shared = set.intersection(*(set(of_texts) for of_texts in by_method.values())) if by_method else set()
    everywhere = {name: texts for name, texts in by_method.items() if len(texts) == most}
    operators = " and ".join(f"{name.replace('_', ' ')} ({OPERATORS[name]})" for name in about["operators"])
    parts = [
        f"# Methods measured: {about['model']} on {about['data']} ({about['split']})",
        f"Model {about['weight_sha256'][:12]}, task {about['task'].replace('_', '-')}, data "
        f"{about['data_sha256'][:12]}, {about['orders']} random orders a text, seed {about['seed']}; torch "
        f"{about['versions']['torch']}. The label the model decides for is explained, in log-odds; a similarity, or a "
        f"number that is no label's, in its own unit. {about['left_out']} neutral rows of the split are left out.",
        f"Words are removed in two ways: {operators}. Each figure is the mean of both. No method removes words in "
        "these ways by itself. Each figure is a mean over texts, ± the half-width of its 95 % interval. Higher is "
        f"better. *{RANDOM}* draws a number for each word: it is the control.",
    ]
    for title, texts, methods in (
        (f"Every method, on the same {len(shared)} texts", shared, by_method),
        (f"Cheap methods, on {most} texts", None, everywhere),
    ):
        if texts is None and most == len(shared):
            continue
        parts += [
            f"## {title}",
            "### Do the words scored highest matter to the model?",
            _table(methods, texts, FAITHFUL),
        ]
        if any("human" in row for of_texts in methods.values() for row in of_texts.values()):
            parts += ["### Are they the words people marked?", _table(methods, texts, HUMAN)]
            shares = [row["human"]["chance"] for row in methods[RANDOM].values() if row.get("human", {}).get("chance")]
            parts.append(f"In the mean text, people did not call {np.mean(shares):.1%} of the words neutral.")
            parts += _undefined(methods, texts)
        parts += ["### Which method is best, and which are not clearly different from it", _best(methods, texts)]
    parts += ["## What the columns mean", _meanings()]
    if failed:
        parts += ["## Not explained", _failures(failed)]
    return "\n\n".join(parts) + "\n"


def _table(methods: Mapping[str, Mapping[str, Row]], texts: set[str] | None, columns: Sequence[Column]) -> str:
    lines = [
        "| method | passes | " + " | ".join(column.title for column in columns) + " |",
        "|---|---:|" + "---:|" * len(columns),
    ]
    values = {name: [_values(of_texts, texts, column) for column in columns] for name, of_texts in methods.items()}
    order = sorted(values, key=lambda name: -_mean(values[name][0]))
    for name in order:
        passes = np.mean([row["passes"] for text, row in methods[name].items() if texts is None or text in texts])
        cells = [_cell(list(by_text.values()), column.digits) for by_text, column in zip(values[name], columns)]
        lines.append(f"| {_title(name)} | {passes:.0f} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _values(of_texts: Mapping[str, Row], texts: set[str] | None, column: Column) -> dict[str, float]:
    figures = {text: column.figure(row) for text, row in of_texts.items() if texts is None or text in texts}
    return {text: figure for text, figure in figures.items() if figure is not None}


def _mean(figures: Mapping[str, float]) -> float:
    return float(np.mean(list(figures.values()))) if figures else -np.inf


def _cell(values: Sequence[float], digits: int) -> str:
    if not values:
        return "–"
    mean, half_width = mean_and_half_width(np.array(values))
    return f"{mean:.{digits}f}" if half_width is None else f"{mean:.{digits}f} ± {half_width:.{digits}f}"


def _undefined(methods: Mapping[str, Mapping[str, Row]], texts: set[str] | None) -> list[str]:
    """Return a sentence on the texts that are left out of the mean rank correlations; none where no text is."""
    left_out = []
    for column in CORRELATIONS:
        counts = {
            _title(name): sum(
                row.get("human", {}).get(column, 0) is None
                for text, row in of_texts.items()
                if texts is None or text in texts
            )
            for name, of_texts in methods.items()
        }
        if any(counts.values()):
            left_out.append(f"{column} ({', '.join(f'{title} {count}' for title, count in counts.items() if count)})")
    if not left_out:
        return []
    return [
        "Texts left out of the mean rank correlations, as all scores or all labels are the same, or fewer than three: "
        f"{'; '.join(left_out)}."
    ]


def _best(methods: Mapping[str, Mapping[str, Row]], texts: set[str] | None) -> str:
    """Return each column's best method by its mean, and those whose difference to it, text by text, may be zero."""
    lines = []
    for column in (*FAITHFUL, *HUMAN):
        by_method = {name: _values(of_texts, texts, column) for name, of_texts in methods.items() if name != RANDOM}
        by_method = {name: figures for name, figures in by_method.items() if figures}
        if not by_method:
            continue
        best = max(by_method, key=lambda name: _mean(by_method[name]))
        others = (name for name in by_method if name != best)
        near = [_title(name) for name in others if not _is_above(by_method[best], by_method[name])]
        beside = f"; not clearly different: {', '.join(near)}" if near else "; all others are below it"
        metric = f" ({column.meaning})" if column.digits == 1 else ""  # two columns have this title
        lines.append(f"- {column.title}{metric}: **{_title(best)}**{beside}.")
    return "\n".join(lines)


def _is_above(best: Mapping[str, float], other: Mapping[str, float]) -> bool:
    """Whether the interval of the mean difference, text by text, lies above zero."""
    differences = np.array([best[text] - other[text] for text in sorted(best.keys() & other.keys())])
    if not len(differences):
        return False
    mean, half_width = mean_and_half_width(differences)
    return half_width is not None and bool(mean > half_width)


def _meanings() -> str:
    passes = "- passes: the mean number of forward and backward passes for one text."
    return "\n".join([passes, *(f"- {column.title}: {column.meaning}." for column in (*FAITHFUL, *HUMAN))])


def _failures(failed: Mapping[str, Sequence[str]]) -> str:
    return "\n".join(f"- {_title(name)}: {len(errors)} texts. {errors[0]}" for name, errors in failed.items())


def _title(label: str) -> str:
    name, *settings = label.split(" ")
    title = METHODS[name].title if name in METHODS else name
    return f"{title} ({', '.join(settings)})" if settings else title
