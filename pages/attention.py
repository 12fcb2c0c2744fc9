"""Attention of one text, or of a pair: which tokens each layer and head attends to, and whether it matters."""

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from explain.analyses.attention_knockout import AttentionKnockout
from explain.analyses.head_ablation import HeadAblation
from explain.analyses.head_statistics import HeadStatistics
from explain.analyses.layer_weights import LayerWeights
from explain.analyses.logit_lens import LogitLens
from explain.analyses.queries_and_keys import QueriesAndKeys
from explain.core.guide import definition
from explain.datatypes import AttentionMaps, Cut, CutEffects
from explain.models.base import TextModel
from explain.models.loading import catalogue
from explain.numerics.heads import HEAD_FIGURES
from explain.run.plan import TextItem
from explain.run.results import Results
from explain.views.attention_arrays import to_json, to_npz
from explain.views.head_effects import correlation_text, ranking
from explain.views.layer_graph import token_text
from pages.shared import forms, hero, history, links, pickers, screen, show
from pages.shared.pickers import AttentionPlace
from pages.shared.selection import current_selection
from pages.shared.work import Panel, awaited, follow

GROUP = hero.GROUP


def page() -> None:
    """Draw the page."""
    selection = current_selection()
    if selection.problem:
        selection.draw_problem()
        history.menu(selection.bar)
        return
    model, text, pair = selection.model, selection.text, selection.pair
    tokens = model.encode(text, pair)
    hero.beside(selection.boxes, selection.plan(), selection.model)
    name = links.segmented_control(
        "View",
        list(PANELS),
        default="graph",
        key="view",
        format_func=VIEWS.__getitem__,
        label_visibility="collapsed",
    )
    place = pickers.place_picker(model, tokens, selection.settings)
    with selection.settings if name in IN_SETTINGS else contextlib.nullcontext():
        panel = PANELS[name](model, place)
    analyses = panel.analyses
    if name != "layers" and "cuts" in model.capabilities and (cuts := cuts_of(place)):
        analyses = (*analyses, AttentionKnockout(cuts))
    plan = selection.plan(analyses=analyses)

    def draw_all(results: Results, model: TextModel) -> None:
        show.warnings(results.prediction, model)
        panel.draw(results)
        show.views(results.maps, key="maps", titled=True, group=GROUP)
        for effects in results.of_type(AttentionKnockout):
            what_if(effects, results.maps)
        hero.inspector(hero.known_scores(results, model), model)
        if results.complete:
            with show.export_menu():
                take_away(results, model, place)

    follow(plan, model, draw_all)
    history.menu(selection.bar)


def graph(model: TextModel, place: AttentionPlace) -> Panel:
    """Draw the settings of the graph and return its panel."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = pickers.weights_picker(model)
        lines = links.slider("Lines a layer", 5, 300, 40, step=5, key="lines", width=180)
        least = links.slider("Weakest line, %", 0.0, 50.0, 0.0, step=0.5, key="least", width=180)
        special = links.toggle("Special tokens", key="special", help=definition("special token"))
        selves = links.toggle("Lines to the same token", value=True, key="selves")
    method = forms.method_form(name) if name else None
    if name and method is None:
        st.stop()  # the form shows what is wrong
    analysis = None if method is None else LayerWeights(method)

    def draw(results: Results) -> None:
        maps, attribution = results.maps, None
        if analysis is not None:
            weights = results.answer(analysis)
            if weights is None:
                awaited(300)
                return
            maps, attribution = weights.maps, weights.attribution
        show.view(
            "layer_graph",
            maps,
            key="graph",
            on_chosen=pickers.select,
            heads=None if place.head is None or len(maps.groups) == 1 else [place.head],
            per_layer=lines,
            least=least / 100,
            special=special,
            selves=selves,
            selected=None if place.token is None else (place.layer, place.token, place.source),
            title="" if method is None else method.title,
            group=GROUP,
        )
        if attribution is not None and method is not None:
            st.markdown(f"**{method.title}**, all layers together. {method.meaning}", help=show.limits_of(method))
            show.views(attribution, key="shares", by="token", title=method.title, group=GROUP, special=True)

    return Panel(() if analysis is None else (analysis,), draw)


def overview(model: TextModel, place: AttentionPlace) -> Panel:
    """Draw the settings of the overview of heads and return its panel."""
    orders = {"layer": "as in the model", "most": "most first", "least": "least first"}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        figure = links.selectbox("Figure", list(HEAD_FIGURES), key="figure", width=180)
        order = links.segmented_control(
            "Order", list(orders), default="layer", key="order", format_func=orders.__getitem__
        )
        floor = links.slider("At least, % of the largest", 0, 100, 0, step=5, key="floor", width=200)

    def open_head(clicked: Mapping[str, Any]) -> None:
        pickers.select(clicked)
        st.session_state.view = "matrix"

    def draw(results: Results) -> None:
        statistics = results.answer(HeadStatistics())
        if statistics is None:
            awaited(300)
            return
        show.view(
            "head_grid",
            results.maps,
            key="heads",
            on_chosen=open_head,
            figures=statistics.figures,
            figure=figure,
            order=order,
            at_least=floor / 100,
            selected=None if place.layer is None or place.head is None else (place.layer, place.head),
        )

    return Panel((HeadStatistics(),), draw)


def matrix(model: TextModel, place: AttentionPlace) -> Panel:
    """Draw the settings of the matrix and return its panel."""
    with st.container(horizontal=True, vertical_alignment="center"):
        by = pickers.unit_picker()
        special = links.toggle("Special tokens", value=True, key="specials", help=definition("special token"))

    def draw(results: Results) -> None:
        show.view(
            "attention_matrix",
            results.maps,
            key="matrix",
            on_chosen=pickers.select,
            layer=place.layer,
            heads=None if place.head is None else [place.head],
            by=by,
            special=special,
            selected=None if place.token is None else (place.token, place.source),
            group=GROUP,
        )

    return Panel((), draw)


def bertviz(model: TextModel, place: AttentionPlace) -> Panel:
    """Draw the choice of a bertviz view and return its panel."""
    which = links.segmented_control(
        "BertViz",
        ("head", "model", "neuron"),
        default="head",
        key="bertviz",
        format_func="{} view".format,
        label_visibility="collapsed",
    )
    if which == "neuron":
        model.require({"trace"})
    analyses = (QueriesAndKeys(),) if which == "neuron" else ()

    def draw(results: Results) -> None:
        if not results.has(analyses):
            awaited(300)
            return
        # With one layer more tokens can be drawn; queries and keys of all layers take many megabytes.
        layer = place.layer if place.layer is not None or which != "neuron" else 0
        show.view(
            "bertviz",
            results.maps,
            key="bertviz_view",
            which=which,
            layers=None if layer is None or which == "model" else [layer],
            layer=None if which == "model" else layer,
            head=None if which == "model" else place.head,
            vectors=results.answer(QueriesAndKeys()),
        )
        if layer is not None and which != "model":
            st.caption(f"This is layer {layer}. Choose another one above.")

    return Panel(analyses, draw)


def heads_that_matter(model: TextModel, place: AttentionPlace) -> Panel:
    """Draw the choice of a ranking and return the panel of head effects."""
    model.require({"cuts"})
    analysis = HeadAblation()
    figure = links.selectbox("Rank heads of attention by", list(HEAD_FIGURES), key="claim", width=260)

    def draw(results: Results) -> None:
        effects = results.answer(analysis)
        if effects is None:
            awaited(300)
            return
        show.views(
            effects,
            key="effects",
            on_chosen=pickers.select,
            selected=None if place.layer is None or place.head is None else (place.layer, place.head),
        )
        name = figure.replace("_", " ")
        st.markdown(
            f"**Rank correlation of the size of the effect with {name}: {correlation_text(effects.agreement[figure])}"
            f"** (Spearman, {effects.effects.size} heads). Attention explains a decision only as far as tests show.",
            help=definition("rank correlation"),
        )
        others = ", ".join(
            f"{other.replace('_', ' ')} {correlation_text(correlation)}"
            for other, correlation in effects.agreement.items()
        )
        st.caption(f"All figures: {others}.")
        if None in effects.agreement.values():
            st.caption("Undefined: all heads have the same figure or the same effect, so there is no order to compare.")
        columns = ["head", "effect", "rank by effect", name, f"rank by {name}", "changes the decision"]
        rows = [{column: row[column] for column in columns} for row in ranking(effects)]
        numbers = {column: st.column_config.NumberColumn(format="%.3f") for column in ("effect", name)}
        st.dataframe(rows, hide_index=True, column_config=numbers, height=320)

    return Panel((analysis,), draw)


def layer_by_layer(model: TextModel, place: AttentionPlace) -> Panel:
    """Draw the choice of a similarity and return the panel of readings."""
    analysis = LogitLens()
    similar = {"to_input": "to its own input", "to_others": "to the other tokens"}
    to = links.segmented_control(
        "Similarity of token states",
        list(similar),
        default="to_input",
        key="similarity",
        format_func=similar.__getitem__,
    )

    def draw(results: Results) -> None:
        readings = results.answer(analysis)
        if readings is None:
            awaited(300)
            return
        show.views(readings, key="readings", similarity=to)

    return Panel((analysis,), draw)


def cuts_of(place: AttentionPlace) -> tuple[tuple[Cut, ...], ...]:
    """Return the cuts that fit the selection: the edge, the head, the attention of the layer, the token."""
    cuts = []
    if place.layer is not None and place.source is not None:
        cuts.append((Cut(place.layer, place.head, place.token, place.source),))
    if place.layer is not None and place.head is not None:
        cuts.append((Cut(place.layer, place.head),))
    if place.layer is not None:
        cuts.append((Cut(place.layer),))
    for token in (place.token, place.source):
        if token is not None:
            cuts.append((Cut(source=token),))
    return tuple(dict.fromkeys(cuts))


def what_if(effects: CutEffects, maps: AttentionMaps) -> None:
    """Draw the effect of cutting what is selected."""
    st.header("Does it matter?", anchor=False, help=definition("cut"))
    names, claims = zip(*(named(cut, maps) for (cut,) in effects.cuts))
    show.views(effects, key="cuts", names=names, claims=claims)


def named(cut: Cut, maps: AttentionMaps) -> tuple[str, str]:
    """Return a cut in words, and its attention weight in words."""
    tokens, weights = maps.tokens, maps.weights
    if cut.to is not None and cut.source is not None:
        who = "" if cut.head is None else f", head {cut.head}"
        weight = weights[cut.layer, slice(None) if cut.head is None else cut.head, cut.to, cut.source].mean()
        edge = f"{token_text(tokens, cut.to)} ← {token_text(tokens, cut.source)} in layer {cut.layer}{who}"
        return edge, f"{weight:.1%} of its attention"
    if cut.source is not None:
        received = weights[:, :, :, cut.source].mean() * len(tokens)
        return (
            f"no token attends to {token_text(tokens, cut.source)}",
            f"it gets {received:.1f} x the average attention",
        )
    if cut.head is not None:
        largest = weights[cut.layer, cut.head].max(axis=-1).mean()
        return f"head {cut.head} of layer {cut.layer}", f"largest weight of a token: {largest:.0%} on average"
    return f"all attention of layer {cut.layer}", ""


def take_away(results: Results, model: TextModel, place: AttentionPlace) -> None:
    """Draw files, links and the Python of the page."""
    maps, texts = results.maps, results.plan.text
    with st.container():
        st.download_button(
            "All weights, for NumPy",
            lambda: to_npz(maps),
            "attention.npz",
            "application/octet-stream",
            on_click="ignore",
        )
        if place.layer is not None or len(maps.tokens) <= 128:
            st.download_button(
                "JSON" if place.layer is None else f"JSON of layer {place.layer}",
                lambda: to_json(maps, model.name, place.layer, place.head if place.layer is not None else None),
                "attention.json",
                "application/json",
                on_click="ignore",
            )
        show.record_button(results, model)
    show.links(texts.text, texts.text_pair)
    st.caption("Each picture has SVG and PNG buttons in its corner.")
    show.python("The Python that gives these weights", lambda: as_python(texts, model))


def as_python(texts: TextItem, model: TextModel) -> str:
    """Return Python that gives the weights."""
    pair = "" if texts.text_pair is None else f", text_pair={texts.text_pair!r}"
    task = "" if catalogue.is_default(model) else f", task={model.task.hub_name!r}"
    code = f"import explain\n\nmaps = explain.attention({texts.text!r}, model={model.name!r}{pair}{task})\n"
    return f"{code}print(maps.weights.shape)  # layers, heads, attending token, attended token\n"


PANELS: dict[str, Callable[[TextModel, AttentionPlace], Panel]] = {
    "graph": graph,
    "overview": overview,
    "matrix": matrix,
    "bertviz": bertviz,
    "heads": heads_that_matter,
    "layers": layer_by_layer,
}
IN_SETTINGS = ("graph",)  # views whose choices are in the menu of settings, so that the picture stands higher
VIEWS = {
    "graph": "Graph",
    "overview": "Overview",
    "matrix": "Matrix",
    "bertviz": "BertViz",
    "heads": "Which heads matter",
    "layers": "Layer by layer",
}
PARAMETERS = {
    *links.OF_A_TEXT,
    *("view", "layer", "head", "token", "source", "weights", "lines", "least", "special", "selves"),
    *("figure", "order", "floor", "show", "specials", "bertviz", "claim", "similarity"),
    *forms.parameters_of_methods(),
} - {"methods"}

screen.draw("attention", "", page, PARAMETERS)
