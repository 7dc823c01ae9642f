"""What this is, how the models were trained, and what they cannot do."""

import streamlit as st

from app.front.texts import t

for part in ("what", "how", "cannot", "privacy"):
    st.header(t(f"about.{part}_title"), anchor=False)
    st.markdown(t(f"about.{part}"))
