"""Does a CNN read better because it knows which pixels are neighbours? The answer, then numbers."""

import pandas as pd
import streamlit as st

from app.front.common import client, model_card, model_text, served_models, show_api_errors, study
from app.front.study import accuracy_table, conclusion, factorial
from app.front.texts import escape_markdown, has_text, percent, t, written

MODEL_FIGURES = ("confusion-matrix", "reliability", "learning-curves")


@st.cache_data(ttl=60, max_entries=50, show_spinner=False)
def figure(name: str, model: str | None) -> bytes:
    """A figure of a model, or of the study where `model` is None; raises `ApiError`."""
    return client().figure(name, model)


def answer(runs: pd.DataFrame | None) -> None:
    """The study's question and its answer in a few sentences."""
    st.header(t("results.question"), anchor=False)
    accuracies = {} if runs is None else conclusion(runs)
    if not accuracies.keys() >= {"cnn", "mlp", "cnn_permuted", "mlp_permuted"}:
        st.info(t("results.no_study"), icon=":material/terminal:")
        return
    ahead = accuracies["cnn"] > accuracies["mlp"]
    needs_order = accuracies["cnn_permuted"] < accuracies["mlp_permuted"]
    shown = {name: percent(share, 2) for name, share in accuracies.items()}
    st.markdown(t("results.yes" if ahead and needs_order else "results.no", **shown))
    if "cnn_recovered" in shown:
        st.markdown(t("results.recovered", **shown))


def models() -> None:
    """A table of all models; the card and the figures of one are folded."""
    st.header(t("results.models"), anchor=False)
    names = [model["name"] for model in served_models()]
    columns = [t(f"results.column_{column}") for column in ("model", "accuracy", "size")]
    rows = [
        [
            model_text("short", name),
            percent(model_card(name)["results"]["test_accuracy"]),
            written(model_card(name)["parameters"]),
        ]
        for name in names
    ]
    st.table(pd.DataFrame(rows, columns=columns).set_index(columns[0]))
    with st.expander(t("results.cards"), key="cards"):
        chosen = st.selectbox(t("draw.model"), names, format_func=lambda n: model_text("short", n))
        card = model_card(chosen)
        training = card["training"]
        values = {
            "images": card["data"]["training"],
            "epochs": training["epochs"],
            "minutes": training["seconds"] / 60,
            "digit": min(range(10), key=card["results"]["recall"].__getitem__),
        }
        st.write(t("results.card", name=escape_markdown(model_text("short", chosen)), **values))
        for name in MODEL_FIGURES:
            if name in card["figures"]:
                show_figure(name, chosen)
        st.json(card, expanded=False)


def tables(runs: pd.DataFrame, figures: list[str]) -> None:
    """The study's tables and figures, folded."""
    with st.expander(t("results.tables"), key="tables"):
        for on in runs["on"].unique():
            table = accuracy_table(runs[runs["on"] == on])
            table.index = pd.Index([called(", ".join(names)) for names in table.index])
            st.markdown(f"**{called(on)}**")
            st.table(table.rename(columns=called))
        st.caption(t("results.spread"))
        for name in figures:
            if has_text(f"figure.{name}"):
                show_figure(name)


def called(name: str) -> str:
    """What a name in the study's file is called on the page."""
    return t(f"study.{name}") if has_text(f"study.{name}") else name


def show_figure(name: str, model: str | None = None) -> None:
    """A figure with a caption in plain words, which is its text alternative too."""
    caption = t(f"figure.{name}")
    st.image(figure(name, model), caption=caption, alt=caption, width="stretch")


with show_api_errors():
    results = study()
    runs = factorial(results) if results else None
    answer(runs)
    models()
    if results and runs is not None:
        tables(runs, results["figures"])
with st.expander(t("results.words"), key="words"):
    st.markdown(t("results.glossary"))
