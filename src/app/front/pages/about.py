"""What this is, how the models were trained, what they cannot do, and versions."""

import platform
from importlib.metadata import version

import streamlit as st

from app.front.common import model_card, model_names, settings, show_api_errors, t
from app.front.study import markdown_table
from app.front.texts import escape_markdown


def versions() -> None:
    """What runs here, and what the models were trained with."""
    rows = [
        ["Python", platform.python_version()],
        *[[name, version(name)] for name in ("streamlit", "streamlit-drawable-canvas", "pillow")],
    ]
    with show_api_errors():
        for name in model_names():
            card = model_card(name)
            trained = ", ".join(
                f"{package} {number}" for package, number in card.get("versions", {}).items()
            )
            model = t("about.model_row", name=name, version=card["version"])
            rows.append([escape_markdown(model), escape_markdown(trained)])
    rows.append([t("about.api"), f"`{settings().api_url}`"])
    st.markdown(markdown_table([t("about.part"), t("about.version")], rows))


for part in ("what", "how", "cannot", "privacy"):
    st.header(t(f"about.{part}_title"), anchor=False)
    st.markdown(t(f"about.{part}"))
st.header(t("about.versions_title"), anchor=False)
versions()
