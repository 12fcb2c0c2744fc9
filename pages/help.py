"""Help: the guide, one page at a time. It loads no model and no torch."""

from pathlib import Path
from typing import Any

import streamlit as st

from explain.core import guide

TOPIC = "topic"  # in the address bar
MEASURE = 860  # pixels: a line of some ninety characters, and room for a table
WIDE_TABLES_SCROLL = "<style>.stMarkdown table { display: block; overflow-x: auto; }</style>"


def page() -> None:
    st.session_state.page = "help"  # so that the next page brings text and model back, see session.carry_over
    requested = st.query_params.get(TOPIC, guide.INDEX)
    topic = guide.pages().get(requested, guide.pages()[guide.INDEX])
    with st.sidebar:
        contents(topic.name)
    if topic.name != requested:
        st.warning("The guide has no page of that name. This is its first page.")
    st.html(WIDE_TABLES_SCROLL)
    with st.container(width=MEASURE):
        st.title(topic.title, anchor=False)
        for part in guide.parts(topic, lambda name: f"?{TOPIC}={name}"):
            if isinstance(part, guide.Picture):
                st.image(str(part.path), alt=part.description, width="stretch")
            else:
                st.markdown(part)
        next_page(topic.name)
    follow_links(topic.name)


def contents(shown: str) -> None:
    """Draw the list of pages, with the one that is shown selected."""
    listed = guide.contents()
    st.session_state.help_topic = shown if shown in listed else None  # a model's card is not in the list
    st.radio(
        "Guide",
        list(listed),
        key="help_topic",
        format_func=listed.__getitem__,
        on_change=lambda: turn_to(st.session_state.help_topic),
    )


def next_page(shown: str) -> None:
    """Draw a button that leads to the next page of the list; from a page outside it, to the first."""
    names = list(guide.contents())
    following = names[names.index(shown) + 1 :] if shown in names else names
    if following:
        label = f"Next: {guide.contents()[following[0]]}"
        st.button(label, key="help_next", icon=":material/arrow_forward:", on_click=turn_to, args=following[:1])


def turn_to(name: str) -> None:
    """Show another page."""
    st.query_params[TOPIC] = name


def follow_links(shown: str) -> None:
    """Open links between pages of the guide in this tab; Streamlit would open a new one."""

    def clicked() -> None:
        turn_to(st.session_state.help_links.topic)

    _links()(key="help_links", data={"shown": shown}, on_topic_change=clicked)


@st.cache_resource
def _links() -> Any:
    script = (Path(__file__).parent / "shared" / "guide_links.js").read_text(encoding="utf-8")
    return st.components.v2.component("explain_guide_links", html="<span></span>", js=script)


page()
