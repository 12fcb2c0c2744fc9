"""The frame of every page: title, icon and navigation."""

from pathlib import Path

import streamlit as st

HERE = Path(__file__).parent
# What visitors type, or call their labels, is laid out in the direction of its own first letter.
OWN_DIRECTION = """<style>
.stTextArea textarea, .stTextInput input, [data-testid="stPills"] p { unicode-bidi: plaintext; text-align: start; }
.stPlotlyChart text { unicode-bidi: plaintext; }
.st-key-address { display: none; }
.stMarkdown code { unicode-bidi: isolate; }
</style>"""

st.set_page_config(page_title="explain", page_icon=str(HERE / "shared" / "icon.png"), layout="wide")
st.html(OWN_DIRECTION)
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
