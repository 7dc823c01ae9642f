"""What the models reach and what the study found: cards, tables and figures from the API."""

from typing import Any

import streamlit as st

from app.front.common import (
    about_model,
    api_errors_in_words,
    client,
    language,
    model_card,
    model_names,
    say,
)
from app.front.study import MEASURES, accuracy_table, markdown_table
from app.front.texts import has_text, percent
from errors import ApiError

MODEL_FIGURES = (("confusion-matrix", "reliability"), ("learning-curves",))  # row by row


@st.cache_data(ttl=60, show_spinner=False)
def figure(model: str | None, name: str) -> bytes:
    """A figure of a model, or of the study where `model` is None; raises `ApiError`."""
    return client().model_figure(model, name) if model else client().study_figure(name)


@st.cache_data(ttl=60, show_spinner=False)
def study_results() -> dict[str, Any] | None:
    """The study's results, or None where there are none yet; raises `ApiError`."""
    try:
        return client().study()
    except ApiError as error:
        if error.cause == "missing":
            return None
        raise


def models() -> None:
    """A table of all models, then the card of the one that is chosen."""
    st.header(say("results.models"), anchor=False)
    names = model_names()
    rows = [row(model_card(name)) for name in names]
    header = [say(f"results.column_{column}") for column in ("model", "accuracy", "size", "data")]
    st.markdown(markdown_table(header, rows))
    chosen = st.selectbox(say("results.choose"), names, width=280)
    card = model_card(chosen)
    st.write(say("results.card", name=chosen, about=about_model(chosen), **words_of(card)))
    for names_in_row in MODEL_FIGURES:
        shown = [name for name in names_in_row if name in card["figures"]]
        for column, name in zip(st.columns(len(names_in_row)), shown, strict=False):
            with column:
                show_figure(chosen, name)
    with st.expander(say("results.whole_card")):
        st.json(card, expanded=1)


def row(card: dict[str, Any]) -> list[str]:
    """A model's row in the table."""
    return [
        card["name"],
        percent(card["results"]["test_accuracy"], language()),
        f"{card['parameters']:,}",
        str(card["data"]["source"]),
    ]


def words_of(card: dict[str, Any]) -> dict[str, object]:
    """The parts of a card that its description names."""
    training = card["training"]
    return {
        "parameters": f"{card['parameters']:,}",
        "source": card["data"]["source"],
        "pictures": f"{card['data']['training']:,}",
        "epochs": training["epochs"],
        "minutes": f"{training['seconds'] / 60:.1f}",
        "augmentation": training["augmentation"],
        "accuracy": percent(card["results"]["test_accuracy"], language()),
        "worst": min(range(10), key=card["results"]["recall"].__getitem__),
    }


def study() -> None:
    """The study's tables and figures, or the command that makes them."""
    st.header(say("results.study"), anchor=False)
    st.write(say("results.question"))
    results = study_results()
    if results is None:
        st.info(say("results.no_study"), icon=":material/terminal:")
        return
    for measure in MEASURES:
        table = accuracy_table(results, measure)
        if table:
            augmentations, rows = table
            header = [say("results.network"), *augmentations]
            st.markdown(f"**{say(f'results.{measure}')}**")
            st.markdown(markdown_table(header, rows))
    st.caption(say("results.spread"))
    for name in results["figures"]:
        show_figure(None, name)


def show_figure(model: str | None, name: str) -> None:
    """A figure with plain words below it, which are its text alternative too."""
    words = say(f"figure.{name}") if has_text(f"figure.{name}") else name.replace("-", " ")
    st.image(figure(model, name), caption=words, alt=words, width="stretch")


st.write(say("results.intro"))
with api_errors_in_words():
    models()
    study()
