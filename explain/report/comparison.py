"""The difference of a replay from its record: of two records of one question, number by number and word by word.

Two reports of two questions are set side by side elsewhere, by `explain.report.side_by_side`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from explain.datatypes import Report
from explain.report.record import arithmetic_of, to_record

# Fields in which a second run may differ: date, duration, versions, and the model's place.
# A percentile follows from a figure and its controls, which are compared: it jumps if two are nearly equal.
# Names of texts, and that they are read apart, are no results, and older records lack them. Versions of arithmetic are
# compared separately.
_NOT_COMPARED = {
    *("created", "seconds", "passes", "versions", "id", "revision", "percentile", "arithmetic"),
    *("text_names", "read_apart"),
}


@dataclass(frozen=True)
class Difference:
    """The difference of a replay from its record.

    Attributes:
        largest: the largest absolute difference of two numbers, in the unit of that number (log-odds for the default
            target's scores; shares for rollout).
        where: the place of that number, or the first part that is not the same.
        same: whether everything but measured numbers is the same: labels, words, units, flags, settings, counts.
        compared: the count of compared numbers.
        arithmetic: a sentence for each method, metric or analysis whose arithmetic has changed since.
    """

    largest: float
    where: str
    same: bool
    compared: int
    arithmetic: tuple[str, ...] = ()

    def within(self, tolerance: float) -> bool:
        """Return whether the replay agrees with its record."""
        return self.same and self.largest <= tolerance


def compare(recorded: Report, again: Report) -> Difference:
    """Compare two reports, number by number and word by word; a number that is NaN differs from everything."""
    before, after = to_record(recorded), to_record(again)
    if not recorded.model.files_sha256:  # a record of an earlier version
        del before["model"]["files_sha256"], after["model"]["files_sha256"]
    if recorded.empty_text is None:  # an earlier record, whose flags have another meaning
        for record in (before, after):
            record["empty_text"] = None
            for phrase in record["phrases"]:
                phrase["sufficient"] = phrase["necessary"] = None
    # Edges and a vocabulary's words are the strongest of many; of two equally strong ones, either may come last.
    for record in (before, after):
        record["edges"] = _by_place(record["edges"])
    shared = [("edges", *_keep_shared(before["edges"], after["edges"]))]
    for output, output_again in zip(before["prediction"]["outputs"], after["prediction"]["outputs"]):
        if output["listed_of"] and output_again["listed_of"]:
            output["labels"], output_again["labels"] = _by_word(output), _by_word(output_again)
            shared.append(("prediction.outputs", *_keep_shared(output["labels"], output_again["labels"])))
    comparison = _Comparison()
    comparison.walk("", before, after)
    for place, count, most in shared:
        if count < 0.9 * most:
            comparison.differ(place)
    return Difference(
        comparison.largest, comparison.where, comparison.same, comparison.compared, tuple(_changed(recorded))
    )


def compare_scores(recorded: Report, again: Report) -> Difference:
    """Compare the predictions, targets and scores of two reports; only methods that both have, whatever the model."""
    methods = {scores.method for scores in recorded.attributions} & {scores.method for scores in again.attributions}

    def part(report: Report) -> Report:
        shared = {scores.method: scores for scores in report.attributions if scores.method in methods}
        return replace(
            report,
            model=again.model,
            attributions=tuple(shared[name] for name in sorted(shared)),
            phrases=(),
            phrase_settings={},
            metrics=(),
            test_settings={},
            edges=(),
            answers=(),
            rationale=None,
            empty_text=None,
        )

    return compare(part(recorded), part(again))


def compare_records(recorded: Any, again: Any) -> Difference:
    """Compare JSON values of any form, as `compare` compares reports."""
    comparison = _Comparison()
    comparison.walk("", recorded, again)
    return Difference(comparison.largest, comparison.where, comparison.same, comparison.compared)


def joined(parts: Sequence[tuple[str, Difference]]) -> Difference:
    """Return the difference of several parts together; each place is named after its part."""
    named = [(f"{name}.{part.where}".strip(".") if part.where else name, part) for name, part in parts]
    place, largest = max(named, key=lambda entry: (not entry[1].same, entry[1].largest))
    return Difference(
        largest=max(part.largest for _, part in named),
        where=place if largest.where else "",
        same=all(part.same for _, part in named),
        compared=sum(part.compared for _, part in named),
        arithmetic=tuple(dict.fromkeys(sentence for _, part in named for sentence in part.arithmetic)),
    )


def _changed(recorded: Report) -> Iterator[str]:
    """Yield a sentence for each part of a record whose arithmetic has changed; records without versions are of 1."""
    for name, version in arithmetic_of(recorded).items():
        if (then := recorded.arithmetic.get(name, 1)) != version:
            yield (
                f"{name} was computed by version {then} of its arithmetic; here it is version {version}. "
                "Its numbers may differ for that reason."
            )


def _by_place(edges: list[dict[str, Any]]) -> dict[str, float]:
    return {f"{edge['layer']}: {edge['to']} <- {edge['source']}": edge["weight"] for edge in edges}


def _by_word(output: dict[str, Any]) -> dict[str, list[float]]:
    """Return each listed word with its numbers, and remove these from the output."""
    columns = zip(*output.pop("logits"), *(output.pop("probabilities") or ()))
    return {label: list(column) for label, column in zip(output["labels"], columns)}


def _keep_shared(before: dict[str, Any], after: dict[str, Any]) -> tuple[int, int]:
    """Delete entries that only one side has; return the number of shared ones, and of the larger side's."""
    most = max(len(before), len(after))
    shared = before.keys() & after.keys()
    for entries in (before, after):
        for name in entries.keys() - shared:
            del entries[name]
    return len(shared), most


class _Comparison:
    """A walk through two trees of JSON values side by side."""

    def __init__(self) -> None:
        self.largest = 0.0
        self.where = ""
        self.same = True
        self.compared = 0

    def differ(self, place: str) -> None:
        if self.same:
            self.where = place
        self.same = False

    def walk(self, place: str, before: Any, after: Any) -> None:
        if isinstance(before, dict) and isinstance(after, dict):
            names = (before.keys() | after.keys()) - _NOT_COMPARED
            for name in sorted(names):
                if name in before and name in after:
                    self.walk(f"{place}.{name}".lstrip("."), before[name], after[name])
                else:
                    self.differ(f"{place}.{name}")
        elif isinstance(before, list) and isinstance(after, list):
            if len(before) != len(after):
                self.differ(place)
            for number, parts in enumerate(zip(before, after)):
                self.walk(f"{place}[{number}]", *parts)
        elif _measured(before) and _measured(after) and float in (type(before), type(after)):
            self.compared += 1
            difference = abs(before - after)
            if not difference <= self.largest:
                self.largest = difference if difference == difference else float("inf")
                if self.same:
                    self.where = place
        elif type(before) is not type(after) or before != after:
            self.differ(place)


def _measured(leaf: Any) -> bool:
    return isinstance(leaf, int | float) and not isinstance(leaf, bool)
