"""Words: what the model decided about one text, because of which words, and whether that can be trusted."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from explain.analyses.counterfactuals import Counterfactuals
from explain.analyses.similarity import SimilarityAttribution
from explain.analyses.word_edits import StrongestWordEdits, WordEdits
from explain.analyses.word_interactions import WordInteractions
from explain.core.guide import definition
from explain.datatypes import AttentionMaps, Report
from explain.methods.base import METHODS, Method
from explain.models.analysis import ExplainedText
from explain.models.base import TextModel
from explain.report.as_python import as_python
from explain.report.record import report_of, to_json
from explain.run.kept_scores import KeptRow
from explain.run.plan import similarity_of
from explain.run.results import Results
from explain.text.phrases import PhraseSettings
from explain.views.document import document
from explain.views.phrase_notes import nothing_for
from explain.views.scores_table import matrix_to_csv, to_csv
from pages.shared import (
    before_after,
    forms,
    hero,
    history,
    library,
    links,
    pickers,
    pins,
    playlist,
    screen,
    session,
    show,
    stored,
    trust,
)
from pages.shared.asked import asked_for, button
from pages.shared.selection import Selection, current_selection
from pages.shared.work import CLICKED, awaited, follow

PARAMETERS = {
    *links.OF_A_TEXT,
    *("show", "method", "layers", "heads", "lines", "special"),
    history.PARAMETER,
    stored.PARAMETER,
    *forms.parameters_of_methods(),
    *forms.parameters_of(PhraseSettings, "phrases"),
}


def page() -> None:
    """Draw the page."""
    selection: Selection | None = None
    try:
        selection = current_selection()
    finally:
        if selection is None:  # no model, so nothing can be computed
            stored.panel()
    with selection.settings:
        methods = forms.methods_form(selection.model)
        phrases = forms.phrase_form()
        by = pickers.unit_picker()
    if selection.problem:
        selection.draw_problem()
    elif (kept := kept_row(selection, methods)) is not None:
        explain_kept(selection, kept, methods, by)
    else:
        explain(selection, methods, phrases, by)
    history.menu(selection.bar)


def explain(selection: Selection, methods: Sequence[Method], phrases: PhraseSettings | None, by: str) -> None:
    """Explain the text, and draw what is known."""
    history.say_what_changed(selection.model, selection.text)
    edits = hero.edits_of_word(selection.text, selection.pair, selection.model, methods)
    plan = selection.plan(
        methods=methods,
        phrases=phrases,
        analyses=(
            *similarity_of(selection.model),
            *hero.neurons_of_word(selection.model),
            *([] if edits is None else [edits]),
            *trust.tests_asked_for(selection, methods),
            *counterfactuals_asked_for(selection),
            *pairs_asked_for(selection),
        ),
    )

    above = hero.above(selection.boxes, selection.model, selection.contrasts)

    def head(results: Results) -> None:
        above(results)
        if not pins.is_pinned_former():
            before_after.draw(results, selection.model, hero.method_shown(results))

    follow(plan, selection.model, partial(draw, by=by), head)


def kept_row(selection: Selection, methods: Sequence[Method]) -> KeptRow | None:
    """Return the row of a run that led here, where it has the scores of all methods for this text and target."""
    kept: KeptRow | None = st.session_state.get("kept_row")
    if kept is None or asked_for(selection):
        return None
    return kept if kept.covers(selection.model, selection.text, selection.pair, methods) else None


def explain_kept(selection: Selection, kept: KeptRow, methods: Sequence[Method], by: str) -> None:
    """Draw the scores that a run kept of the text; nothing but its prediction is computed."""
    model, plan = selection.model, selection.plan(methods=methods)
    above = hero.above(selection.boxes, model, selection.contrasts)

    def with_scores(results: Results) -> Results:
        scored = kept.results(results, plan, model) if results.observed else None
        if scored is None and results.observed:
            compute_anew()  # the row is about another target
            session.rerun()
        return scored or results

    def draw_kept(results: Results, model: TextModel) -> None:
        scored = with_scores(results)
        show.warnings(scored.prediction, model, "the rest is struck through")
        with st.container(horizontal=True, vertical_alignment="center", key="kept_scores"):
            st.markdown(
                f":blue-badge[kept] These are the scores by word that the run **{show.plain(kept.name)}** kept of row "
                f"{show.plain(str(kept.row['id']))}. Only the prediction is computed now: no word pieces, key phrases "
                "or tests.",
                width="stretch",
            )
            st.button("Compute anew", key="compute_anew", on_click=compute_anew)
        report = report_of(scored, model, edges=False)
        hero.method_tiles(scored, report)
        steps(scored, by)
        show.views(report, key="report", titled=True, group=hero.GROUP, titles=show.method_titles())
        labels(scored)
        attention(scored.maps)
        hero.inspector(scored, model)

    follow(selection.plan(), model, draw_kept, lambda results: above(with_scores(results)))


def compute_anew() -> None:
    """Forget the row that led here, so that its text is explained as any other."""
    st.session_state.kept_row = None
    st.session_state[CLICKED] = True  # the whole page, as after any other click


def counterfactuals_asked_for(selection: Selection) -> tuple[Counterfactuals, ...]:
    """Return the search for edits that change the decision, where the visitor asked for it."""
    wanted = Counterfactuals.name in asked_for(selection) and Counterfactuals.requires <= selection.model.capabilities
    return (Counterfactuals(),) if wanted else ()


def pairs_asked_for(selection: Selection) -> tuple[WordInteractions, ...]:
    """Return the search for words of two texts that act together, where the visitor asked for it."""
    wanted = WordInteractions.name in asked_for(selection) and selection.pair is not None
    return (WordInteractions(),) if wanted else ()


def draw(results: Results, model: TextModel, by: str) -> None:
    """Draw the parts of the page that are computed."""
    stored.panel(hero.lasting(results), model)
    show.warnings(results.prediction, model, "the rest is struck through")
    if results.target is None:
        show.predicted_spans(results.prediction, None)
        labels(results)
        return
    everything, results = results, hero.lasting(results)
    report = report_of(results, model, edges=False)
    further(results, (SimilarityAttribution, WordInteractions))  # of two texts the matrix is the picture
    check(results, model, report)
    further(results, (Counterfactuals,))
    show.predicted_spans(results.prediction, results.target)
    hero.method_tiles(results, report)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        steps(results, by)
    with right:
        key_phrases(results, report)
    show.views(report, key="report", titled=True, group=hero.GROUP, titles=show.method_titles())
    show.views(results.maps, key="maps", titled=True, group=hero.GROUP)
    labels(results)
    attention(results.maps)
    edits = next((part for part in everything.plan.others if isinstance(part, WordEdits | StrongestWordEdits)), None)
    hero.inspector(everything, model, edits)
    if everything.complete:
        export(results, model)
        history.keep(results, model)
        playlist.prepare(results.plan, model)


def check(results: Results, model: TextModel, report: Report) -> None:
    """Draw the verdict on the scores that are shown, and a button that tests them."""
    method, attribution = hero.method_shown(results), hero.shown_attribution(results)
    if method is None or attribution is None or attribution.partial:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="check"):
        trust.line(results, model, method, attribution)
        if Counterfactuals.requires <= model.capabilities and not has_counterfactuals(results):
            budget = Counterfactuals().budget
            cost = trust.cost(budget, attribution.tokens)
            button("What would change it?", Counterfactuals.name, help=f"{Counterfactuals.meaning} {cost}")
        pairs_button(results, model)
        pins.pin_button(report)
    pins.beside_the_pinned(report, method.name)


def pairs_button(results: Results, model: TextModel) -> None:
    """Draw a button that searches for words of two texts that act together, where a label is decided from both."""
    plan, pairs = results.plan, WordInteractions()
    if plan.text.text_pair is None or "label" not in model.capabilities or pairs in plan.analyses:
        return
    tokens = results.prediction.tokens
    cost = trust.cost(pairs.passes(model, ExplainedText.untargeted(tokens)), tokens)
    button("What acts together?", pairs.name, help=f"{pairs.meaning} {cost}")


def has_counterfactuals(results: Results) -> bool:
    """Whether the search for edits that change the decision is part of the page."""
    return any(isinstance(analysis, Counterfactuals) for analysis in results.plan.others)


def labels(results: Results) -> None:
    """Draw every label with its share, and what else a prediction holds."""
    if results.target is None and len(results.prediction.output.positions) > 1:
        return  # labels of which word?
    with st.expander("Labels"):
        show.view("probabilities", results.prediction, key="probabilities", target=results.target, headed=False)
        show.views(results.prediction, key="prediction", titled=True, target=results.target)


def steps(results: Results, by: str) -> None:
    """Draw the scores of the words as steps from the empty text to the answer."""
    method, attribution = hero.method_shown(results), hero.shown_attribution(results)
    if method is None:
        return
    if attribution is None:
        awaited(200)
        return
    show.views(
        attribution,
        key="scores",
        without=("token_heatmap",),  # the head of the page is the heatmap, and has the legend
        by=by,
        title=method.title,
        group=hero.GROUP,
        prediction=results.prediction,
        about=f"{method.meaning} {show.limits_of(method)} {definition('piece')}",
        legend=False,
    )


def further(results: Results, kinds: tuple[type, ...]) -> None:
    """Draw the answers of analyses of some kinds."""
    for analysis in results.plan.others:
        if not isinstance(analysis, kinds):
            continue
        st.header(analysis.title, anchor=False, help=analysis.limits)
        answer = results.answer(analysis)
        if answer is None:
            awaited(200)
        else:
            show.views(answer, key=f"answer_{analysis.name}", group=hero.GROUP)


def key_phrases(results: Results, report: Report) -> None:
    """Draw the key phrases."""
    if results.plan.phrases is None:
        return
    st.header("Key phrases", anchor=False, help=definition("key phrase"))
    if results.phrases is None:
        awaited(120)
    elif not report.phrases:
        st.caption(show.plain(nothing_for(report)) or "The text has no word that could be removed.")
    else:
        show.view("phrase_bars", report, key="phrases", group=hero.GROUP)


def attention(maps: AttentionMaps) -> None:
    """Draw the attention graph, under a heading that opens it."""
    with st.expander("Attention, layer by layer"):
        layers, heads, per_layer, special = pickers.graph_form(maps.layers, len(maps.groups), len(maps.tokens))
        show.view(
            "layer_graph",
            maps,
            key="graph",
            layers=layers,
            heads=heads,
            per_layer=per_layer,
            special=special,
            group=hero.GROUP,
        )


def export(results: Results, model: TextModel) -> None:
    """Draw the menu of files, links and the Python of the page."""
    with show.export_menu():
        files(results, model)


def files(results: Results, model: TextModel) -> None:
    """Draw files, links and the Python of the page."""

    def report() -> Report:
        return report_of(results, model)

    def html() -> str:
        whole = report()
        about = {name: (METHODS[name].title, METHODS[name].meaning, METHODS[name].limits) for name in METHODS}
        verdicts = {method.name: trust.judged(results, model, method) for method in results.plan.methods}
        return document(whole, about, results.maps, verdicts=verdicts, unknown=model.unk_id, record=to_json(whole))

    offered = [
        ("HTML, opens offline", html, "explanation.html", "text/html"),
        ("JSON, to replay", lambda: to_json(report()), "explanation.json", "application/json"),
        ("CSV of the scores", lambda: to_csv(report()), "scores.csv", "text/csv"),
    ]
    for matrix in results.of_type(SimilarityAttribution):
        offered.append(("CSV of the pairs", partial(matrix_to_csv, matrix), "pairs.csv", "text/csv"))
    for label, make, file, kind in offered:
        st.download_button(label, make, file, kind, on_click="ignore", width="stretch")
    library.keep_menu(results, model)
    show.links(results.plan.text.text, results.plan.text.text_pair)
    st.caption("Each picture has SVG and PNG buttons in its corner.")
    show.python("The Python that gives this page", lambda: as_python(results.plan, model))


screen.draw(history.PAGE, "", page, PARAMETERS)
