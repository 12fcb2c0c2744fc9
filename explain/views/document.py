"""A report as one file that opens anywhere: no network, no server, drawn by the same code as the page."""

from collections.abc import Mapping, Sequence
from typing import Any

from explain.datatypes import AttentionMaps, Report, Verdict
from explain.views.answers import section
from explain.views.base import VIEWS, Html, View, asset, escape, json_for_script, read_at, target_name, visible
from explain.views.confidence import headline
from explain.views.phrase_notes import empty_sentence, nothing_for
from explain.views.scores_table import place_of, value_text
from explain.views.token_heatmap import shared_scales
from explain.views.verdicts import verdict_word

_RECORD = '<script type="application/json" id="report">'  # what opens the record of a page


def document(
    report: Report,
    methods: dict[str, tuple[str, str, str]],
    maps: AttentionMaps | None = None,
    *,
    verdicts: Mapping[str, Verdict] | None = None,
    unknown: int | None = None,
    record: str = "",
) -> Html:
    """Return the file.

    Args:
        report: what the file shows.
        methods: title, meaning and limits of each method in it, and of each further analysis, by name.
        maps: attention, for the layer graph; without it the graph is left out.
        verdicts: by method, whether its explanation holds; see `explain.evaluation.verdict`.
        unknown: the vocabulary's id for what it does not know.
        record: the report as JSON, kept inside the file so that it can be replayed from it.
    """
    titles = {name: title for name, (title, _, _) in methods.items()}
    sections = [
        *_prediction(report, titles),
        *_attributions(report, methods, verdicts or {}),
        "<h2>The picked word</h2>" + VIEWS["word_details"].html(report, titles=titles, unknown=unknown, maps=maps),
        *_answers(report, methods),
    ]
    if report.phrases:
        sections.append("<h2>Key phrases</h2>" + VIEWS["phrase_bars"].html(report))
    elif headline := nothing_for(report):
        sections.append(f"<h2>Key phrases</h2><p>{escape(headline)} {escape(empty_sentence(report))}</p>")
    sections += _further(report, titles=titles)
    if maps is not None:
        sections.append("<h2>Attention, layer by layer</h2>" + VIEWS["layer_graph"].html(maps))
        sections += _further(maps)
    sections.append(model_line(report))
    if record:
        sections.append(record_script(record))
    return stand_alone(visible(report.text[:60]), sections)


def stand_alone(title: str, sections: Sequence[str]) -> Html:
    """Return an HTML page of sections, with the scripts of the views in them; it needs no network."""
    return Html(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'unsafe-inline'; "
        "style-src 'unsafe-inline'; img-src data: blob:\">"
        f"<title>{escape(title)}</title><style>{asset('document.css')}{asset('views.css')}</style></head>\n"
        f"<body><main>{''.join(sections)}</main>\n<script>{scripts(sections)}</script></body></html>\n"
    )


def _prediction(report: Report, titles: Mapping[str, str]) -> list[str]:
    """Return the head, as pages draw it, and the pictures of the prediction."""
    prediction = read_at(report.prediction, report.target.positions)
    decided = headline(prediction)
    title = value_text(report) if decided is None else decided.text(place_of(report))
    sections = [
        f"<noscript><h1>{escape(title)}</h1></noscript>",
        VIEWS["hero"].html(report, titles=titles),
        f'<p class="meaning">{escape(report.model.id)} on this text; explained: '
        f"{escape(visible(target_name(report.target)))}, {escape(report.target.scale.replace('_', ' '))}.</p>",
    ]
    if report.prediction.spans:
        sections.append(VIEWS["predicted_spans"].html(report.prediction, target_tokens=report.target.positions))
    sections.append(VIEWS["probabilities"].html(prediction, target=report.target, headed=False))
    return sections + _further(prediction, target=report.target)


def _attributions(
    report: Report, methods: Mapping[str, tuple[str, str, str]], verdicts: Mapping[str, Verdict]
) -> list[str]:
    """Return the pictures and the verdict of each method."""
    scales = shared_scales(report.attributions, "word", report.prediction)
    sections = []
    for attribution in report.attributions:
        name = attribution.method
        title, meaning, limits = methods.get(name, (name, "", ""))  # of a method that is not installed here
        sections.append(f'<h2>{escape(title)}</h2><p class="meaning">{escape(meaning)} {escape(limits)}</p>')
        largest = scales[attribution.scale]
        sections += [
            view.html(attribution, title=title, special=True, largest=largest, prediction=report.prediction)
            for view in _unplaced(attribution)
        ]
        if verdict := verdicts.get(name):
            word = f'<b class="{verdict.color}">{escape(verdict_word(verdict))}</b>'
            sections.append(f'<p class="verdict">{word} {escape(visible(verdict.sentence))}</p>')
    return sections


def _answers(report: Report, methods: Mapping[str, tuple[str, str, str]]) -> list[str]:
    """Return a section for each answer of an analysis, with pictures found by its type."""
    return [
        section(*methods.get(answer.analysis, (answer.analysis, "", "")), answer.result) for answer in report.answers
    ]


def _further(result: Any, **options: Any) -> list[str]:
    """Return the pictures of a result that have no place of their own in the file."""
    return [f"<h2>{escape(view.title)}</h2>" + view.html(result, **options) for view in _unplaced(result)]


def _unplaced(result: Any) -> list[View]:
    return [view for view in VIEWS.for_result(result) if view.alone and not view.placed]


def model_line(report: Report) -> str:
    """Return a line on the model and the versions."""
    model = report.model
    return (
        f'<p class="record">Model {escape(model.id)} ({escape(model.architecture)}, {model.parameters:,} parameters), '
        f"weights sha256 {escape(model.weight_sha256)}. Made {escape(report.created)} with "
        + escape(", ".join(f"{name} {version}" for name, version in report.versions.items()))
        + ".</p>"
    )


def record_script(record: str) -> Html:
    """Return the element that keeps a report's JSON inside a page."""
    return Html(f"{_RECORD}{_inside_script(record)}</script>")


def record_in(page: str) -> str | None:
    """Return the record that a page holds, as it was given to `record_script`; None where it holds none.

    >>> record_in(f"<p>A page</p>{record_script('{}')}")
    '{}'
    """
    _, opening, rest = page.partition(_RECORD)
    record, closing, _ = rest.partition("</script>")
    return record if opening and closing else None


def _inside_script(text: str) -> str:
    return text.replace("<", "\\u003c")


def scripts(sections: Sequence[str]) -> str:
    """Return the `draw` function of each view in the file, and a loop that draws them."""
    views = [
        f"DRAW[{json_for_script(name)}] = (() => {{\n{VIEWS[name].own_script}\nreturn draw;\n}})();"
        for name in VIEWS
        if any(f'<div class="view" data-view="{name}">' in section for section in sections)
    ]
    start = (
        "for (const root of document.querySelectorAll('[data-view]')) {\n"
        "  const data = JSON.parse(root.querySelector('script').textContent);\n"
        "  DRAW[root.dataset.view](root, data);\n"
        "}"
    )
    return "\n".join([asset("drawing.js"), "const DRAW = {};", *views, start])
