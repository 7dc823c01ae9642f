"""Does a CNN read better because it knows which pixels are neighbours? The answer, then numbers."""

from typing import Any

import streamlit as st

from app.front.common import (
    client,
    current_language,
    model_card,
    model_text,
    served_models,
    show_api_errors,
    t,
)
from app.front.settings import MAX_CACHED_FIGURES
from app.front.study import AUGMENTATIONS, accuracy_tables, conclusion, markdown_table
from app.front.texts import escape_markdown, has_text, percent, written
from errors import ApiError

MODEL_FIGURES = ("confusion-matrix", "reliability", "learning-curves")


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


def answer(results: dict[str, Any] | None) -> None:
    """The study's question and its answer in three sentences."""
    st.header(t("results.question"), anchor=False)
    accuracies = conclusion(results) if results else None
    if accuracies is None:
        st.info(t("results.no_study"), icon=":material/terminal:")
        return
    ahead = accuracies["cnn"] > accuracies["mlp"]
    needs_order = accuracies["cnn_permuted"] < accuracies["mlp_permuted"]
    shown = {name: percent(share, current_language(), 2) for name, share in accuracies.items()}
    st.markdown(t("results.yes" if ahead and needs_order else "results.no", **shown))


def models() -> None:
    """A table of all models; the card and the figures of one are folded."""
    st.header(t("results.models"), anchor=False)
    names = [model["name"] for model in served_models()]
    header = [t(f"results.column_{column}") for column in ("model", "accuracy", "size")]
    st.markdown(markdown_table(header, [row(model_card(name)) for name in names]))
    with st.expander(t("results.cards"), key="cards"):
        chosen = st.selectbox(t("draw.model"), names, format_func=lambda n: model_text("short", n))
        card = model_card(chosen)
        training = card["training"]
        values = {
            "images": card["data"]["training"],
            "epochs": training["epochs"],
            "minutes": training["seconds"] / 60,
            "worst": min(range(10), key=card["results"]["recall"].__getitem__),
        }
        st.write(t("results.card", name=escape_markdown(model_text("short", chosen)), **values))
        for name in MODEL_FIGURES:
            if name in card["figures"]:
                show_figure(chosen, name)
        st.json(card, expanded=False)


def row(card: dict[str, Any]) -> list[str]:
    """A model's row in the table."""
    accuracy = percent(card["results"]["test_accuracy"], current_language())
    name = escape_markdown(model_text("short", card["name"]))
    return [name, accuracy, written(card["parameters"], current_language())]


def tables(results: dict[str, Any]) -> None:
    """The study's tables and figures, folded."""
    with st.expander(t("results.tables"), key="tables"):
        header = [t("results.network"), *[t(f"results.augmentation_{i}") for i in range(4)]]
        for on, rows in accuracy_tables(results).items():
            name = t(f"results.on_{on}") if has_text(f"results.on_{on}") else escape_markdown(on)
            st.markdown(f"**{name}**")
            named = [[network_name(row), *map(decimal, cells)] for row, *cells in rows]
            st.markdown(markdown_table(header[: len(AUGMENTATIONS) + 1], named))
        st.caption(t("results.spread"))
        for name in results["figures"]:
            if has_text(f"figure.{name}"):
                show_figure(None, name)


def network_name(row: str) -> str:
    """A network and the order of its pixels, as in the study's table, in words."""
    key = f"results.{row.replace(', ', '_').replace(' ', '_')}"
    return t(key) if has_text(key) else escape_markdown(row)


def decimal(cell: str) -> str:
    """Numbers with the decimal sign of the chosen language."""
    return cell.replace(".", ",") if current_language() == "fr" else cell


def show_figure(model: str | None, name: str) -> None:
    """A figure with a caption in plain words, which is its text alternative too."""
    caption = t(f"figure.{name}")
    st.image(figure(model, name), caption=caption, alt=caption, width="stretch")


with show_api_errors():
    found = study_results()
    answer(found)
    models()
    if found:
        tables(found)
with st.expander(t("results.words"), key="words"):
    st.markdown(t("results.glossary"))
