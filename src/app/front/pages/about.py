"""What this is, how the models were trained, what they cannot do, and versions."""

import platform
from importlib.metadata import version

import streamlit as st

from app.front.common import api_errors_in_words, model_card, model_names, say, settings
from app.front.study import markdown_table


def versions() -> None:
    """What runs here, and what the models were trained with."""
    rows = [
        ["Python", platform.python_version()],
        *[[name, version(name)] for name in ("streamlit", "streamlit-drawable-canvas", "pillow")],
    ]
    with api_errors_in_words():
        for name in model_names():
            card = model_card(name)
            trained = ", ".join(
                f"{package} {number}" for package, number in card.get("versions", {}).items()
            )
            rows.append([say("about.model_row", name=name, version=card["version"]), trained])
    rows.append([say("about.api"), f"`{settings().api_url}`"])
    st.markdown(markdown_table([say("about.part"), say("about.version")], rows))


for part in ("what", "how", "cannot", "privacy"):
    st.header(say(f"about.{part}_title"), anchor=False)
    st.markdown(say(f"about.{part}"))
st.header(say("about.versions_title"), anchor=False)
versions()
