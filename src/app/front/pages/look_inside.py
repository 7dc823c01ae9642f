"""Attribution and feature maps of a model for the current image."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from app.client import Example
from app.front import components
from app.front.common import (
    client,
    current_image,
    current_language,
    current_session,
    show_api_errors,
    t,
)
from app.front.images import data_url, decode_data_url, encode_png, overlay
from app.front.inputs import choose_model
from app.front.settings import MAX_CACHED_EXPLANATIONS


@st.cache_data(ttl=60, max_entries=MAX_CACHED_EXPLANATIONS, show_spinner=False)
def explanation(
    image: bytes, model: str, target: int | None, examples: Sequence[Example]
) -> dict[str, Any]:
    """The API's explanation, remembered for a minute; raises `ApiError`."""
    return client().explain(image, model, target, examples)


@st.fragment
def inside(image: bytes) -> None:
    """The choice of model and digit, the attribution, the feature maps."""
    with show_api_errors(kept=True):
        session = current_session()
        with st.container(horizontal=True, key="inside-choice"):
            model = choose_model(session.model, width=220)
            chosen = st.selectbox(
                t("look_inside.target"),
                [None, *range(10)],
                format_func=lambda n: t("look_inside.predicted") if n is None else str(n),
                width=220,
            )
        with st.spinner(t("look_inside.working")):
            answer = explanation(image, model, chosen, session.examples)
        attribution(answer)
        feature_maps(answer["feature_maps"])


def attribution(answer: dict[str, Any]) -> None:
    """Which pixels spoke for the digit and which against it."""
    digit = answer["attribution"]["target"]
    values = np.array(answer["attribution"]["values"])
    overlaid = overlay(decode_data_url(answer["image"]), values)
    half = "upper" if values[:14].sum() >= values[14:].sum() else "lower"
    st.header(t("look_inside.attribution", digit=digit), anchor=False)
    st.write(t("look_inside.attribution_why", digit=digit))
    seen = components.small_image(
        answer["image"], t("answer.seen_alt"), t("answer.seen"), mark="large"
    )
    attribution_image = components.small_image(
        data_url(encode_png(overlaid)),
        t("look_inside.attribution_alt", digit=digit, most=t(f"look_inside.{half}")),
        t("look_inside.legend", digit=digit),
        mark="large",
    )
    st.html(f'<div class="pair">{seen}{attribution_image}</div>')
    if digit == answer["prediction"]:
        summary = components.summarize(answer, current_language())
        st.caption(t("look_inside.answer", answer=summary))
    else:
        predicted = answer["prediction"]
        st.caption(t("look_inside.not_predicted", predicted=predicted, digit=digit))


def feature_maps(layers: list[dict[str, Any]]) -> None:
    """The output of each convolution as one sheet of small images."""
    st.header(t("look_inside.maps"), anchor=False)
    if not layers:
        st.info(t("look_inside.no_maps"), icon=":material/info:")
        return
    st.write(t("look_inside.maps_why"))
    for number, layer in enumerate(layers, start=1):
        channels, height, width = layer["shape"]
        label = t("look_inside.layer", number=number, count=channels, height=height, width=width)
        st.html(
            components.small_image(
                layer["picture"], t("look_inside.layer_alt", layer=label), label, mark="sheet"
            )
        )


st.write(t("look_inside.intro"))
inside(current_image())
