"""The head of a page: what the model decided, because of which words, and the text itself as heatmap and editor."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from explain.datatypes import Attribution, Prediction, Report, Target, Tokens
from explain.text.runs import Run, leading_runs, runs_of
from explain.text.words import is_punctuation
from explain.views.asked_words import context_sentence
from explain.views.base import UNITS, VIEWS, View, percent, read_at, sentence, target_name, visible
from explain.views.confidence import calibrated_scores, calibrated_unit, headline, shown_divisor, shown_probabilities
from explain.views.references import higher_reference
from explain.views.token_heatmap import word_texts

DEFAULT = "integrated_gradients"  # the best measured of the methods that add up and take at most 100 passes
QUOTED = 40  # characters of a phrase that a headline quotes


class Hero(View):
    """The decision in one line, the words it rests on, and the text with each word's score."""

    name = "hero"
    title = "Decision and text"
    accepts = Report
    uses = ("text_marks.js", "word_runs.js")
    placed = True

    def data(
        self,
        report: Report,
        /,
        *,
        method: str = "",
        titles: Mapping[str, str] | None = None,
        group: str = "",
        editor: Sequence[tuple[str, str]] = (),
        **options: Any,
    ) -> dict[str, Any]:
        """Prepare a drawing.

        Args:
            method: whose scores color the text; without them those of integrated gradients, or the first.
            titles: the methods' titles.
            group: drawings of one group mark a picked word together.
            editor: a name and the text of each box, where the text can be edited.
        """
        attribution = _chosen(report.attributions, method)
        title = "" if attribution is None else (titles or {}).get(attribution.method, attribution.method)
        lead = context_sentence(report)
        return decided(
            report.prediction, report.target, attribution, title=title, group=group, editor=editor, lead=lead, **options
        )


def undecided(texts: Sequence[tuple[str, str]], group: str = "") -> dict[str, Any]:
    """Return the data of a head without a decision: only texts that can be edited, as (name, text)."""
    return {
        "answer": None,
        "why_not": None,
        "because": [],
        "heat": None,
        "group": group,
        "editor": [[name, text] for name, text in texts],
        "colors": [[] for _ in texts],
        "caption": "",
        "lead": "",
    }


def decided(
    prediction: Prediction,
    target: Target | None,
    attribution: Attribution | None,
    *,
    title: str = "",
    group: str = "",
    editor: Sequence[tuple[str, str]] = (),
    chosen: Sequence[int] = (),
    lead: str = "",
    contrasts: Sequence[str] = (),
    **options: Any,
) -> dict[str, Any]:
    """Return the data of a head with a decision; without an attribution its text is plain.

    Args:
        lead: a sentence that stands above the text.
        contrasts: the labels that the page can contrast the explained one with; of the next likely label it asks why
            not that one.
        chosen: tokens that are marked from the first.
    """
    tokens = prediction.tokens
    heat = None if attribution is None else _heat(attribution, prediction, title, group)
    if heat is not None and chosen:
        heat["chosen"] = list(chosen)
    boxes = [[name, text] for name, text in editor]
    return {
        "answer": answer(prediction, target),
        "why_not": why_not(prediction, target, contrasts),
        "because": []
        if attribution is None or target is None
        else because(attribution, is_decided(prediction, target)),
        "heat": heat,
        "plain": None if heat is not None else [visible(text) for text in tokens.texts],
        "group": group,
        "editor": boxes,
        "colors": [_colors(attribution, tokens, number, text) for number, (_, text) in enumerate(boxes)],
        "caption": caption(prediction, target, title),
        "lead": sentence(lead, "" if attribution is None else higher_reference(attribution)),
    }


def _chosen(attributions: Sequence[Attribution], method: str) -> Attribution | None:
    by_method = {attribution.method: attribution for attribution in attributions}
    return by_method.get(method) or by_method.get(DEFAULT) or next(iter(attributions), None)


def _heat(attribution: Attribution, prediction: Prediction, title: str, group: str) -> dict[str, Any]:
    """Return the data of the colored text, as the heatmap draws it, without its notes; in calibrated log-odds."""
    shown = calibrated_scores(prediction, attribution)
    unit = calibrated_unit(attribution, shown_divisor(prediction, attribution))
    return word_texts(shown, by="word", title=title, group=group) | {"unit": unit}


def answer(prediction: Prediction, target: Target | None) -> dict[str, Any] | None:
    """Return the decision as JSON values: words before and after the label, its share, and the label behind it.

    Where a target is asked about, the answer is that at its positions. None where labels of several words stand beside
    each other and no word is asked about.
    """
    if target is None and len(prediction.output.positions) > 1:
        return None
    if target is not None:
        prediction = read_at(prediction, target.positions)
    output = prediction.output
    words = headline(prediction)
    if words is None:
        number = float(output.logits[0, 0])
        return {"before": "", "label": f"{number:.2f}".replace("-", "\u2212"), "after": "", "share": None, "next": ""}
    runner = _runner_up(prediction)
    behind = "" if runner is None else f"then {visible(runner[0])} {percent(runner[1])}"
    return {
        "before": words.before if words.before == "leans" else "",
        "label": words.label,
        "after": "" if prediction.confidence is None else percent(prediction.confidence),
        "share": prediction.confidence,
        "next": behind,
        "basis": words.basis,
    }


def _runner_up(prediction: Prediction) -> tuple[str, float] | None:
    """Return the likeliest label that is not decided, and its share; None where labels do not exclude each other."""
    output = prediction.output
    shares = shown_probabilities(output, prediction.temperature)
    if shares is None or prediction.label is None or not output.exclusive or len(output.labels) < 2:
        return None
    order = sorted(range(len(output.labels)), key=lambda number: -shares[0, number])
    runner = next(number for number in order if output.labels[number] != prediction.label)
    return output.labels[runner], float(shares[0, runner])


def why_not(prediction: Prediction, target: Target | None, contrasts: Sequence[str]) -> dict[str, Any] | None:
    """Return the question why the decided label and not the next one, and whether that is explained already.

    None where another label than the decided one is explained, or the page offers no such contrast.
    """
    if target is None or answer(prediction, target) is None:
        return None
    prediction = read_at(prediction, target.positions)
    runner = _runner_up(prediction)
    if runner is None or runner[0] not in contrasts or target.label != prediction.label:
        return None
    return {"label": runner[0], "text": f"Why not {visible(runner[0])}?", "on": target.against == runner[0]}


def is_decided(prediction: Prediction, target: Target) -> bool:
    """Return whether the explained label is among those that the model decides."""
    prediction = read_at(prediction, target.positions)
    return prediction.label is None or target.label in (prediction.label, *prediction.labels)


def because(attribution: Attribution, decided: bool = True) -> list[list[str]]:
    """Return the headline that the scores give, as parts of a sentence: [text, "for", "against" or ""].

    Phrases are runs of neighbouring words with one sign, see `explain.text.runs`. Scores without a sign say what they
    weigh most, and nothing about for and against.

    Args:
        decided: whether the model decides what is explained; else words are named for and against that label.
    """
    tokens, words, scores = _word_scores(attribution)
    if not any(scores):
        return []
    if not attribution.signed:
        top = sorted(range(len(scores)), key=lambda number: -scores[number])[:2]
        return _sentence(
            [("Most weight lies on ", [Run((number,), scores[number]) for number in top])], tokens, words, "."
        )
    breaks = [n for n in range(1, len(words)) if tokens.segment[words[n][0]] != tokens.segment[words[n - 1][0]]]
    marks = {n for n, unit in enumerate(words) if is_punctuation(tokens.unit_text(unit))}
    supports, opposes = leading_runs(runs_of(scores, breaks, marks))
    if not supports:  # perhaps a mark speaks for the label: "What?"
        supports, opposes = leading_runs(runs_of(scores, breaks))
    label = visible(target_name(attribution.target))
    supports, opposes = (sorted(named, key=lambda run: run.words) for named in (supports, opposes))
    if not supports:
        start = f"Nothing in the text speaks for {label}; against it " + ("speak " if len(opposes) > 1 else "speaks ")
        return _sentence([(start, opposes)], tokens, words, ".")
    if not decided:
        return _sentence([(f"For {label}: ", supports), ("; against it: ", opposes)], tokens, words, ".")
    return _sentence([("Because of ", supports), (", despite ", opposes)], tokens, words, ".")


def _sentence(
    groups: Sequence[tuple[str, Sequence[Run]]], tokens: Tokens, words: Sequence[tuple[int, ...]], end: str
) -> list[list[str]]:
    parts: list[list[str]] = []
    for lead, runs in groups:
        for place, run in enumerate(runs):
            parts.append([lead if place == 0 else " and ", ""])
            parts.append([quoted(run, tokens, words), "for" if run.score > 0 else "against"])
    return [*parts, [end, ""]] if parts else []


def quoted(run: Run, tokens: Tokens, words: Sequence[tuple[int, ...]]) -> str:
    """Return the words of a run as they stand in the text, with dots where words between them are left out."""
    stretches: list[list[int]] = []
    for number in run.words:
        if stretches and number == stretches[-1][-1] + 1:
            stretches[-1].append(number)
        else:
            stretches.append([number])
    quotes = [visible(tokens.unit_text([t for number in stretch for t in words[number]])) for stretch in stretches]
    text = " \u2026 ".join(" ".join(quote.split()) for quote in quotes)
    return text if len(text) <= QUOTED else f"{text[:QUOTED]}\u2026"


def _word_scores(attribution: Attribution) -> tuple[Tokens, list[tuple[int, ...]], list[float]]:
    """Return the text's own units with their scores, in reading order."""
    shown = attribution
    if attribution.granularity == "token" and attribution.additive:
        shown = attribution.per_word()
    tokens = shown.tokens
    own = [n for n, unit in enumerate(shown.units) if not tokens.special[list(unit)].all()]
    own.sort(key=lambda number: shown.units[number][0])
    return tokens, [shown.units[n] for n in own], [float(shown.scores[n]) for n in own]


def _colors(attribution: Attribution | None, tokens: Tokens, number: int, text: str) -> list[list[float]]:
    """Return [start, stop, share of the largest score] of each word of a box, for the text while it is edited.

    Places are in UTF-16 code units, as in JavaScript: an emoji is two.
    """
    if attribution is None or number >= len(tokens.texts) or tokens.texts[number] != text:
        return []
    _, words, scores = _word_scores(attribution)
    largest = float(np.abs(scores).max(initial=0.0)) or 1.0
    place = [0, *itertools.accumulate(1 + (character > "\uffff") for character in text)]  # as JavaScript counts
    colors = []
    for unit, score in zip(words, scores):
        segment, start, stop = tokens.unit_span(unit)
        if segment == number and start < stop:
            colors.append([place[start], place[stop], score / largest])
    return colors


def caption(prediction: Prediction, target: Target | None, title: str) -> str:
    """Return the line under a saved picture."""
    explained = "" if target is None else f", target: {target_name(target)}, {UNITS.get(target.scale, '')}"
    return f"{title or prediction.task.replace('_', ' ')}{visible(explained)}"


VIEWS.register("hero")(Hero())
