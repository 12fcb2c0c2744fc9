"""The frame of every page: title, icon and navigation."""

from pathlib import Path

import streamlit as st

HERE = Path(__file__).parent

st.set_page_config(page_title="explain", page_icon=str(HERE / "shared" / "icon.png"), layout="wide")
st.navigation(
    [
        st.Page(HERE / "explain_text.py", title="Explain a text", default=True),
        st.Page(HERE / "attention.py", title="Attention", url_path="attention"),
        st.Page(HERE / "inside.py", title="Inside", url_path="inside"),
        st.Page(HERE / "faithfulness.py", title="Is it right?", url_path="faithfulness"),
        st.Page(HERE / "embeddings" / "page.py", title="Embeddings", url_path="embeddings"),
        st.Page(HERE / "train.py", title="Train", url_path="train"),
        st.Page(HERE / "help.py", title="Help", url_path="help"),
    ],
    position="top",
).run()
