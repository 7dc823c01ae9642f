"""The models' and the study's results: cards, tables and figures from the API."""

from typing import Any

import streamlit as st

from app.front.common import (
    client,
    current_language,
    describe_model,
    model_card,
    model_names,
    show_api_errors,
    t,
)
from app.front.settings import MAX_CACHED_FIGURES
from app.front.study import AUGMENTATIONS, accuracy_tables, markdown_table
from app.front.texts import escape_markdown, has_text, percent, written
from errors import ApiError

MODEL_FIGURES = (("confusion-matrix", "reliability"), ("learning-curves",))  # row by row


@st.cache_data(ttl=60, max_entries=MAX_CACHED_FIGURES, show_spinner=False)
def figure(model: str | None, name: str) -> bytes:
    """A figure of a model, or of the study where `model` is None; raises `ApiError`."""
    return client().model_figure(model, name) if model else client().study_figure(name)


@st.cache_data(ttl=60, max_entries=1, show_spinner=False)
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
    st.header(t("results.models"), anchor=False)
    names = model_names()
    rows = [row(model_card(name)) for name in names]
    header = [t(f"results.column_{column}") for column in ("model", "accuracy", "size", "data")]
    st.markdown(markdown_table(header, rows))
    chosen = st.selectbox(t("results.choose"), names, width=280)
    card = model_card(chosen)
    name = escape_markdown(chosen)
    st.write(t("results.card", name=name, about=describe_model(chosen), **card_values(card)))
    for names_in_row in MODEL_FIGURES:
        shown = [name for name in names_in_row if name in card["figures"]]
        for column, name in zip(st.columns(len(names_in_row)), shown, strict=False):
            with column:
                show_figure(chosen, name)
    with st.expander(t("results.whole_card")):
        st.json(card, expanded=1)


def row(card: dict[str, Any]) -> list[str]:
    """A model's row in the table."""
    values = card_values(card)
    size = written(card["parameters"], current_language())
    return [escape_markdown(card["name"]), values["accuracy"], size, values["source"]]


def card_values(card: dict[str, Any]) -> dict[str, Any]:
    """The values of a card that its description names."""
    training = card["training"]
    return {
        "parameters": card["parameters"],
        "source": escape_markdown(str(card["data"]["source"])),
        "images": card["data"]["training"],
        "epochs": training["epochs"],
        "minutes": training["seconds"] / 60,
        "augmentation": escape_markdown(str(training["augmentation"])),
        "accuracy": percent(card["results"]["test_accuracy"], current_language()),
        "worst": min(range(10), key=card["results"]["recall"].__getitem__),
    }


def study() -> None:
    """The study's tables and figures, or the command that makes them."""
    st.header(t("results.study"), anchor=False)
    st.write(t("results.question"))
    results = study_results()
    if results is None:
        st.info(t("results.no_study"), icon=":material/terminal:")
        return
    header = [t("results.network"), *map(escape_markdown, AUGMENTATIONS)]
    for on, rows in accuracy_tables(results).items():
        st.markdown(f"**{t('results.accuracy_on', on=escape_markdown(on))}**")
        escaped = [[escape_markdown(cell) for cell in row] for row in rows]
        st.markdown(markdown_table(header, escaped))
    st.caption(t("results.spread"))
    for name in results["figures"]:
        show_figure(None, name)


def show_figure(model: str | None, name: str) -> None:
    """A figure with a caption in plain words, which is its text alternative too."""
    caption = t(f"figure.{name}") if has_text(f"figure.{name}") else name.replace("-", " ")
    st.image(figure(model, name), caption=escape_markdown(caption), alt=caption, width="stretch")


st.write(t("results.intro"))
with show_api_errors():
    models()
    study()
