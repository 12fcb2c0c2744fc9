"""A report as one file that opens anywhere: no network, no server, drawn by the same code as the page."""

from collections.abc import Mapping, Sequence

from explain.datatypes import AttentionMaps, Report, Verdict
from explain.views.base import VIEWS, Html, asset, escape, json_for_script, read_at, target_name, visible
from explain.views.confidence import headline
from explain.views.scores_table import place_of, value_text
from explain.views.token_heatmap import shared_scales


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
        methods: title, meaning and limits of each method in it.
        maps: attention, for the layer graph; without it the graph is left out.
        verdicts: by method, whether its explanation holds; see `explain.evaluation.verdict`.
        unknown: the vocabulary's id for what it does not know.
        record: the report as JSON, kept inside the file so that it can be replayed from it.
    """
    prediction = read_at(report.prediction, report.target.positions)
    decided = headline(prediction)
    title = value_text(report) if decided is None else decided.text(place_of(report))
    scales = shared_scales(report.attributions, "word")
    titles = {name: title for name, (title, _, _) in methods.items()}
    sections = [
        f"<h1>{escape(title)}</h1>",
        f'<p class="meaning">{escape(report.model.id)} on this text; explained: '
        f"{escape(visible(target_name(report.target)))}, {escape(report.target.scale.replace('_', ' '))}.</p>",
    ]
    if report.prediction.spans:
        sections.append(VIEWS["predicted_spans"].html(report.prediction, asked=report.target.positions))
    sections.append(VIEWS["probabilities"].html(prediction, target=report.target, headed=False))
    for attribution in report.attributions:
        title, meaning, limits = methods.get(
            attribution.method, (attribution.method, "", "")
        )  # of a method that is not installed here
        sections.append(f'<h2>{escape(title)}</h2><p class="meaning">{escape(meaning)} {escape(limits)}</p>')
        sections.append(
            VIEWS["token_heatmap"].html(attribution, title=title, special=True, largest=scales[attribution.scale])
        )
        if judged := (verdicts or {}).get(attribution.method):
            word = f'<b class="{judged.color}">{escape(judged.word)}</b>'
            sections.append(f'<p class="verdict">{word} {escape(visible(judged.sentence))}</p>')
    sections.append("<h2>The picked word</h2>" + VIEWS["word_details"].html(report, titles=titles, unknown=unknown))
    if report.similarity is not None:
        title = VIEWS["similarity_matrix"].title
        sections.append(f"<h2>{escape(title)}</h2>" + VIEWS["similarity_matrix"].html(report.similarity))
    if report.phrases:
        sections.append("<h2>Key phrases</h2>" + VIEWS["phrase_bars"].html(report))
    if maps is not None:
        sections.append("<h2>Attention, layer by layer</h2>" + VIEWS["layer_graph"].html(maps))
    model = report.model
    sections.append(
        f'<p class="record">Model {escape(model.id)} ({escape(model.architecture)}, {model.parameters:,} parameters), '
        f"weights sha256 {escape(model.weight_sha256)}. Made {escape(report.created)} with "
        + escape(", ".join(f"{name} {version}" for name, version in report.versions.items()))
        + ".</p>"
    )
    if record:
        sections.append(f'<script type="application/json" id="report">{_inside_script(record)}</script>')
    return Html(
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'unsafe-inline'; "
        "style-src 'unsafe-inline'; img-src data: blob:\">"
        f"<title>{escape(visible(report.text[:60]))}</title><style>{asset('document.css')}{asset('views.css')}</style></head>\n"
        f"<body><main>{''.join(sections)}</main>\n<script>{scripts(sections)}</script></body></html>\n"
    )


def _inside_script(text: str) -> str:
    return text.replace("<", "\\u003c")


def scripts(sections: Sequence[str]) -> str:
    """Return the `draw` function of each view in the file, and a loop that draws them."""
    views = [
        f"DRAW[{json_for_script(name)}] = (() => {{\n{asset(f'{name}.js')}\nreturn draw;\n}})();"
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
