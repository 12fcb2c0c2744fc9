"""One page of the app: its title, what it draws, and what is wrong with the link that led to it."""

from collections.abc import Callable, Collection

import streamlit as st

from explain.core.errors import ExplainError
from pages.shared import links, session, show


def draw(name: str, title: str, page: Callable[[], None], parameters: Collection[str]) -> None:
    """Draw a page under its title, with a message where it cannot go on.

    Args:
        parameters: of the address bar that the page can have, in any state.
    """
    links.arrive(name, parameters)
    session.carry_over(name)
    st.title(title, anchor=False)
    box = st.container()
    try:
        page()
    except ExplainError as problem:
        show.problem(str(problem))
    finally:
        links.report(box)
