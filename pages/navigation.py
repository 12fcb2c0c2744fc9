"""The frame of every page: title, icon and navigation."""

from pathlib import Path
from typing import Any

import streamlit as st

HERE = Path(__file__).parent
FRAME = (HERE / "shared" / "frame.css").read_text(encoding="utf-8")


@st.cache_resource
def keys() -> Any:
    """Return the component that listens to the keys of the app, and shows the notes of a first visit."""
    script = "\n".join((HERE / "shared" / name).read_text(encoding="utf-8") for name in ("first_steps.js", "keys.js"))
    return st.components.v2.component("explain_keys", html='<div class="view"><span></span></div>', js=script)


st.set_page_config(page_title="explain", page_icon=str(HERE / "shared" / "icon.png"), layout="wide")
st.html(f"<style>{FRAME}</style>")
with st.container(key="keys"):
    keys()(key="keys_component", on_presenting_change=lambda: None)  # the page is run again
st.navigation(
    [
        st.Page(HERE / "explain_text.py", title="Words", default=True),
        st.Page(HERE / "attention.py", title="Attention", url_path="attention"),
        st.Page(HERE / "inside.py", title="Layers", url_path="inside"),
        st.Page(HERE / "faithfulness.py", title="Trust", url_path="faithfulness"),
        st.Page(HERE / "embeddings" / "page.py", title="Texts", url_path="embeddings"),
        st.Page(HERE / "data_set" / "page.py", title="Data set", url_path="data"),
        st.Page(HERE / "train.py", title="Train", url_path="train"),
        st.Page(HERE / "help.py", title="Help", url_path="help"),
        st.Page(HERE / "library.py", title="Library", url_path="library", visibility="hidden"),
    ],
    position="top",
).run()
