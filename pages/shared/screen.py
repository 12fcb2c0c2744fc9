"""One page of the app: its title, what it draws, and what is wrong with the link that led to it."""

from collections.abc import Callable, Collection

import streamlit as st

from explain.core.errors import ExplainError
from pages.shared import hero, history, links, session, show, stored


def draw(name: str, title: str, page: Callable[[], None], parameters: Collection[str]) -> None:
    """Draw a page, with a message where it cannot go on.

    Args:
        title: stands above the page; empty where the head of the page, the decision, is its title.
        parameters: of the address bar that the page can have, in any state.
    """
    vain = history.open_entry(parameters) if history.PARAMETER in parameters else []
    if stored.PARAMETER in parameters:
        vain += stored.open_linked(name, parameters)
    links.arrive(name, parameters, vain)
    session.carry_over(name)
    hero.open_neuron()
    if title:
        st.title(title, anchor=False)
    box = st.container()
    try:
        page()
    except ExplainError as problem:
        show.problem(str(problem))
    finally:
        links.report(box)
