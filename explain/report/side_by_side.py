"""The comparison of two reports: what they differ in, their words aligned, and the scores of each shared method."""

import datetime
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from explain.core.errors import MetricError, SettingError, TargetError
from explain.datatypes import Attribution, ComparedScores, Comparison, Report, Target
from explain.evaluation.comparison import compare_answers, compare_scores
from explain.text.alignment import align_tokens

SCHEMA = "explain-comparison-1"


def compare_reports(report_a: Report, report_b: Report) -> Comparison:
    """Set two reports side by side; runs no model.

    Raises:
        SettingError: they differ in two things at once, or have no method in common.
    """
    differs = difference_of(report_a, report_b)
    methods = _shared_methods(report_a, report_b)
    one_model = same_model(report_a, report_b)
    rows = align_tokens(report_a.prediction.tokens, report_b.prediction.tokens)
    scores: list[ComparedScores] = []
    for name in methods:
        sides = report_a.attribution(name), report_b.attribution(name)
        with suppress(MetricError):  # overlapping windows are no words
            predictions = report_a.prediction, report_b.prediction
            scores.append(compare_scores(*sides, *predictions, rows, one_model=one_model))
    if not scores:
        raise SettingError(
            f"Scores of {_listed(methods)} are of overlapping windows, which can't be compared word by word. "
            "Use granularity word."
        )
    name = scores[0].method
    return Comparison(
        schema=SCHEMA,
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        differs=differs,
        report_a=report_a,
        report_b=report_b,
        rows=rows,
        answers=compare_answers(
            report_a.attribution(name),
            report_b.attribution(name),
            report_a.prediction,
            report_b.prediction,
            one_model=one_model,
        ),
        scores=tuple(scores),
        left_out=tuple(name for name in methods if name not in {part.method for part in scores}),
    )


def both_explained(
    explained: Callable[[int, str | None], Report], labels: tuple[str | None, str | None]
) -> tuple[Report, Report]:
    """Explain A and B, by default both for the label that is decided for A.

    Args:
        explained: explains side 0 or 1 for a label, None being the decided one.
        labels: those that are asked for.

    Raises:
        TargetError: a label that is asked for does not exist.
    """
    report_a = explained(0, labels[0])
    if labels[1] is None:
        with suppress(TargetError):  # B can't have it: answers are words of their text, models have their own labels
            return report_a, explained(1, report_a.target.label)
    return report_a, explained(1, labels[1])


def difference_of(report_a: Report, report_b: Report) -> str:
    """Return what two reports differ in: "texts", "models", "targets" or, where all is the same, "settings".

    Two models may name a label differently. Of two texts, labels may differ where the label of A is none of B's, as
    answers that are words of the texts.

    Raises:
        SettingError: they differ in two things at once, so that a difference could be due to either.
    """
    texts = (report_a.text, report_a.text_pair) != (report_b.text, report_b.text_pair)
    models = not same_model(report_a, report_b)
    if texts and models:
        raise SettingError(
            f"A and B differ in text and in model ({report_a.model.id}, {report_b.model.id}), so a difference could be "
            "due to either. Compare two texts by one model, or two models on one text."
        )
    labels = _labels(report_a) != _labels(report_b)
    if (texts or models) and labels and report_a.target.label in report_b.prediction.output.labels:
        what = "texts" if texts else "models"
        raise SettingError(
            f"A explains {report_a.target.label!r} and B explains {report_b.target.label!r}, of two {what}. Two labels "
            "are compared on one text and one model. Give both the same label."
        )
    if texts or models:
        return "texts" if texts else "models"
    targets = report_a.target != report_b.target
    return "targets" if targets else "settings"


def for_other_label(report: Report, label: str) -> Report | None:
    """Return a report about the other one of two labels, computed from this one; None where that is not possible.

    Of two labels the log-odds of one are those of the other with the opposite sign, and so is every score with a sign.
    Scores without a sign are left out, and so is all that is no score of a method.
    """
    output, target = report.prediction.output, report.target
    two = output.exclusive and output.listed_of is None and len(output.labels) == 2 and target.scale == "log_odds"
    if not two or label not in output.labels or label == target.label:
        return None
    other = replace(target, label=label, index=output.labels.index(label))
    turned = tuple(_turned(scores, other) for scores in report.attributions if scores.signed)
    return replace(report, target=other, attributions=turned, phrases=(), metrics=(), answers=(), empty_text=None)


def _turned(scores: Attribution, target: Target) -> Attribution:
    return replace(
        scores,
        target=target,
        scores=-scores.scores,
        output=-scores.output,
        baseline_output=None if scores.baseline_output is None else -scores.baseline_output,
        emptied_outputs=tuple(-output for output in scores.emptied_outputs),
    )


def same_model(report_a: Report, report_b: Report) -> bool:
    """Return whether two reports are of one model and task, by the hashes of its files."""
    a, b = report_a.model, report_b.model
    files = a.files_sha256 == b.files_sha256 or not (a.files_sha256 and b.files_sha256)  # earlier ones lack it
    hashes = (a.weight_sha256, a.settings_sha256, a.task) == (b.weight_sha256, b.settings_sha256, b.task)
    return hashes and files


def _labels(report: Report) -> tuple[str, str]:
    return report.target.label.casefold(), (report.target.against or "").casefold()


def _shared_methods(report_a: Report, report_b: Report) -> list[str]:
    """Return the names of the methods that both have, in the order of A."""
    names_a, names_b = ([part.method for part in report.attributions] for report in (report_a, report_b))
    shared = list(dict.fromkeys(name for name in names_a if name in names_b))
    if not shared:
        raise SettingError(
            f"The reports have no method in common. A has {_listed(names_a)}, B has {_listed(names_b)}. "
            "Explain both by one method."
        )
    return shared


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
