"""Golden files: `make golden` writes them anew; the tests say where something differs from them.

A difference is read like code: it is either meant, or a mistake.
"""

import dataclasses
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

import explain
from explain.analyses.word_interactions import WordInteractions
from explain.core import listing
from explain.datatypes import (
    QUARTILES,
    Comparison,
    Counterfactual,
    CounterfactualList,
    Cut,
    CutEffects,
    HeadEffects,
    HistoryEntry,
    HistoryList,
    LayerReadings,
    LayerStates,
    MetricResult,
    Neuron,
    NeuronActivity,
    NeuronEffects,
    NeuronWords,
    PairInteractions,
    Passes,
    Report,
    SimilarityMatrix,
    Target,
    TextEdit,
    Tokens,
    WordEdit,
    WordEditList,
)
from explain.methods.base import METHODS
from explain.models.analysis import ExplainedText
from explain.report.record import to_json
from explain.report.schema import comparison_json_schema, json_schema
from explain.testing import TOY_MODELS, default_item
from explain.text.edits import edited_with_spans
from explain.views.base import VIEWS
from explain.views.charts import Chart, Charts, Confusion, Line
from explain.views.document import document
from explain.views.method_cards import page
from explain.views.scores_table import to_csv, to_text
from scripts import layers_picture
from tests import adding_page, command_line_page

ROOT = Path(__file__).parent.parent
FOLDER = Path(__file__).parent / "golden"
WITH_CODE = {"bertviz"}  # its data are a page with the code of others; tests/views/test_bertviz.py reads what is ours
HOSTILE = "Good </script><script>alert('zebra')</script>\u202e & 坏 film\x07, isn't it?"


def sample_report() -> tuple[Report, Any]:
    """A report that is the same on every machine: a toy model, times and versions set."""
    model = TOY_MODELS["planted"]
    report = explain.explain(HOSTILE, model, settings={"integrated_gradients": {"steps": 8}})
    still = tuple(dataclasses.replace(one, seconds=0.25) for one in report.attributions)
    report = dataclasses.replace(
        report, attributions=still, created="2026-01-01T00:00:00+00:00", versions={"explain": "0"}
    )
    return report, model.observe(report.prediction.tokens).maps


def sample_comparison() -> Comparison:
    """Two texts side by side: words that both have, one that is replaced, and some that one of them has."""
    other = HOSTILE.replace("Good", "Zebra").replace("it?", "it so very bad?")
    comparison = explain.compare(HOSTILE, other, TOY_MODELS["planted"], methods=["occlusion", "attention_rollout"])
    errors = np.where(np.isnan(comparison.scores[0].differences), np.nan, 0.125)
    drawn = dataclasses.replace(comparison.scores[0], errors=errors)
    return dataclasses.replace(comparison, scores=(drawn, *comparison.scores[1:]))


def results() -> dict[str, Any]:
    """What each view draws."""
    report, maps = sample_report()
    tokens, target = maps.tokens, report.target
    tested = dataclasses.replace(report, metrics=(*_curves(), _whiskers(4)))
    layers = np.linspace(1, 0.5, 3)[:, None] * np.ones(len(tokens))
    counted = np.arange(2 * len(tokens) * 3).reshape(2, -1, 3) / 10 - 2  # two layers, three neurons
    neurons = NeuronActivity(tokens, target, counted, np.cos(counted), 1.5)
    cosines = np.broadcast_to(np.array([[1, 0.75, -0.25], [0.75, 1, 0.5], [-0.25, 0.5, 1]]), (len(tokens), 3, 3))
    effects = NeuronEffects(
        target,
        (Neuron(1, 2), Neuron(0)),
        [0.5, -1.0],
        [False, True],
        [0.25, -0.75],
        -0.75,
        True,
        -0.5,
        {"random": np.array([-0.125, 0.5, 1.0])},
        1.5,
    )
    return {
        "attention_matrix": maps,
        "before_after": sample_comparison(),
        "compare": sample_comparison(),
        "cut_effects": CutEffects(target, ((Cut(0, 1),), (Cut(source=2),)), [0.5, -1.0], [False, True], 1.5),
        "head_effects": HeadEffects(tokens, target, [[0.5, -2.0]], [[False, True]], {}, {}, 1.5),
        "head_grid": maps,
        "layer_readings": LayerReadings(
            tokens, target, ("negative", "positive"), layers, 0.5 * layers, [[0.5, 0.5]] * 3, [0.0, 1.0, 1.5]
        ),
        "layer_states": LayerStates(tokens, target, 4 * layers, layers / 3, layers - 0.75, cosines, 1.5),
        "state_similarity": LayerStates(tokens, target, 4 * layers, layers / 3, layers - 0.75, cosines, 1.5),
        "top_neurons": neurons,
        "neuron_heatmap": neurons,
        "neuron_words": NeuronWords(
            (tokens, tokens), *np.array([[[[2.5]], [[-0.5]]], [[[0]], [[1]]], [[[1]], [[3]]]]), [[0.5]], [[0.25]], 12, 1
        ),
        "neuron_effects": effects,
        "token_heatmap": report.attribution("integrated_gradients"),
        "waterfall": report.attribution("integrated_gradients"),
        "phrase_bars": report,
        "layer_graph": maps,
        "probabilities": report.prediction,
        "word_details": report,
        "bertviz": maps,
        "removal_curves": tested,
        "agreement_matrix": tested,
        "word_marks": tokens,
        "reference_whiskers": tested,
        "predicted_spans": TOY_MODELS["tagging"].predict(TOY_MODELS["tagging"].encode(HOSTILE)),
        "line_charts": Charts(
            (
                Chart("Loss", "steps", "nats", (Line(HOSTILE, ((1, 2.5), (4, 0.5))), Line("nothing", (), 1))),
                Chart(
                    HOSTILE, "recall", "precision", (Line("a", tuple((n / 30, 1.0) for n in range(31))),), shares=True
                ),
                Chart("not drawn", "", "", ()),
            ),
            "A note.",
            "A caption",
        ),
        "confusion_matrix": Confusion((HOSTILE, "b", "never"), [[3, 1, 0], [2, 4, 0], [0, 0, 0]]),
        "similarity_matrix": _alike(tokens, target),
        "counterfactual_edits": _edits(),
        "hero": report,
        "method_tiles": report,
        "word_edits": _tries(),
        "pair_matrix": _pairs(),
        "history": _history(),
        "pair_bars": WordInteractions().run(TOY_MODELS["planted"], ExplainedText(tokens, target)),
    }


def _pairs() -> PairInteractions:
    model = TOY_MODELS["sequel"]
    item = default_item(model, "Is <b> so zebra\u202e?", "so good, so dull")
    return WordInteractions().run(model, ExplainedText(*item))


def _edits() -> CounterfactualList:
    start = HOSTILE.index("film")
    edits = (TextEdit("insert", 0, (0, 0), "", "not"), TextEdit("replace", 0, (start, start + 4), "film", "<b>"))
    part = Counterfactual(
        ("fewest_edits", "most_fluent"),
        edits,
        (edited_with_spans(HOSTILE, edits)[0],),
        "negative",
        0.75,
        1.5,
        (-2.0, -0.5, 1.5),
        certified=True,
        least_margin=-0.5,
        evidence=3.0,
        alone=0.25,
        artefact=True,
        perplexity_ratio=1.25,
        words_changed=0.125,
    )
    return CounterfactualList((HOSTILE,), "positive", 0.875, -2.0, "negative", True, (part,), 1.0, Passes(90, 9), 300)


def _history() -> HistoryList:
    words = (("", "Good", 1.0), (" ", HOSTILE[5:30], -0.5), ("", "\u2026", 0.0))
    about = ("sentiment", "0" * 64, "text_classification")
    first = ("a" * 32, 1.5, HOSTILE, None, *about, "positive", "log_odds", None, "occlusion", HOSTILE, 0.75)
    second = ("b" * 32, 0.5, "A", HOSTILE, *about, "so", "value", 3, "saliency", None, None)
    entries = (HistoryEntry(*first, words, True), HistoryEntry(*second, (), False, {}, HOSTILE, True))
    return HistoryList(entries, "/home/<b>/history", 2)


def _tries() -> WordEditList:
    start = HOSTILE.index("film")
    edits = (
        TextEdit("delete", 0, (start, start + 4), "film", ""),
        TextEdit("insert", 0, (start, start), "", "not"),
        TextEdit("replace", 0, (start, start + 4), "film", "<b>"),
    )
    tried = tuple(
        WordEdit(edit, (edited_with_spans(HOSTILE, [edit])[0],), value, label, confidence)
        for edit, (value, label, confidence) in zip(
            edits, [(-1.0, "negative", 0.75), (2.0, HOSTILE, 0.875), (1.0, None, None)]
        )
    )
    return WordEditList((4,), "film", 1.5, HOSTILE, 0.8125, tried)


def _alike(tokens: Tokens, target: Target) -> SimilarityMatrix:
    words = tokens.word_units()
    values = np.linspace(-0.2, 0.4, 6).reshape(2, 3)
    about = {"baseline": "mask", "converged": True}
    return SimilarityMatrix(
        tokens, target, words[:2], words[2:5], values, 0.9, 0.2, 0.3, 0.2, "word", diagnostics=about
    )


def _curves() -> Iterator[MetricResult]:
    shares = np.array([0.0, 0.5, 1.0])
    for metric in ("deletion", "insertion"):
        for method, middle in (("occlusion", 0.2), ("attention_rollout", 0.4)):
            yield MetricResult(
                metric,
                method,
                shares,
                [0.9, middle, 0.1],
                0.35,
                higher_is_better=metric == "insertion",
                percentile=97.5,
                scale="probability",
                operator="mask",
                controls=[0.5, 0.6],
                band=[[0.8, 0.3, 0.1], [0.9, 0.4, 0.1], [0.9, 0.6, 0.1]],
                quantiles=QUARTILES,
            )


def _whiskers(words: int) -> MetricResult:
    scores = {"mask": np.linspace(2, -1, words).tolist(), "attention_off": np.linspace(1, 0.5, words).tolist()}
    return MetricResult(
        "reference_robustness",
        "occlusion",
        [],
        [],
        0.5,
        higher_is_better=True,
        details={
            "references": scores,
            "units": [[word + 1] for word in range(words)],
            "sign_changes": [score < 0 for score in scores["mask"]],
        },
    )


def golden_files() -> dict[Path, str]:
    """Every golden file with what it should hold now."""
    report, maps = sample_report()
    about = {name: (METHODS[name].title, METHODS[name].meaning, METHODS[name].limits) for name in METHODS}
    files = {
        FOLDER / f"{name}.json": _json(VIEWS[name].data(result))
        for name, result in results().items()
        if name not in WITH_CODE
    }
    files[FOLDER / "document.html"] = _without_code(document(report, about, maps, record=to_json(report)))
    files[FOLDER / "report.json"] = to_json(report)
    files[FOLDER / "scores.csv"] = to_csv(report)
    files[FOLDER / "table.txt"] = to_text(report)
    files[ROOT / "docs" / "methods.md"] = page(METHODS)
    files[ROOT / "docs" / "adding.md"] = adding_page.page()
    files[ROOT / "docs" / "images" / "layers.svg"] = layers_picture.svg()
    files[ROOT / "docs" / "guide" / "command_line.md"] = command_line_page.page()
    files[listing.FILE] = listing.written()
    files[ROOT / "explain" / "report.schema.json"] = json.dumps(json_schema(), indent=1) + "\n"
    files[ROOT / "explain" / "comparison.schema.json"] = json.dumps(comparison_json_schema(), indent=1) + "\n"
    return {path: _rounded(text) if path.parent == FOLDER else text for path, text in files.items()}


def _without_code(page: str) -> str:
    """The page less our own style and script, which are files of their own."""
    start, stop = page.index("<style>"), page.index("</style>")
    return page[:start] + page[stop:].split("\n<script>")[0] + "\n"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1) + "\n"


def _rounded(text: str) -> str:
    """Numbers to five digits, so that the last bits of another processor make no difference."""

    def shorter(match: "re.Match[str]") -> str:
        value = float(match[0])
        return f"{value:.4f}" if abs(value) > 5e-5 else "0.0000"

    return re.sub(r"-?\d+\.\d{6,}(?:e-?\d+)?|-?\d+\.?\d*e-\d+", shorter, text)


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for path, text in golden_files().items():
        path.write_text(text, encoding="utf-8", newline="")
        print(path.relative_to(ROOT))
