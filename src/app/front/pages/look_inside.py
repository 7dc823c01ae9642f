"""Where a model looked in the drawing at hand, and what its convolutions made of it."""

from typing import Any

import numpy as np
import streamlit as st

from app.front import components
from app.front.common import (
    api_errors_in_words,
    client,
    language,
    model_names,
    picture_at_hand,
    say,
    visit,
)
from app.front.pictures import data_url, overlay, pixels_of, png_of


@st.cache_data(ttl=60, max_entries=20, show_spinner=False)
def explanation(picture: bytes, model: str, target: int | None) -> dict[str, Any]:
    """The API's explanation, remembered for a minute; raises `ApiError`."""
    return client().explain(picture, model, target)


@st.fragment
def inside(picture: bytes) -> None:
    """The choice of model and digit, the attribution, the feature maps."""
    with api_errors_in_words(kept=True):
        names = model_names()
        now = visit()
        with st.container(horizontal=True, key="inside-choice"):
            index = names.index(now.model) if now.model in names else 0
            model = st.selectbox(say("draw.model"), names, index=index, width=220)
            chosen = st.selectbox(
                say("look_inside.target"),
                [None, *range(10)],
                format_func=lambda n: say("look_inside.read") if n is None else str(n),
                width=220,
            )
        with st.spinner(say("look_inside.working")):
            answer = explanation(picture, model, chosen)
        attribution(answer)
        feature_maps(answer["feature_maps"])


def attribution(answer: dict[str, Any]) -> None:
    """Which pixels spoke for the digit and which against it."""
    digit = answer["attribution"]["target"]
    pixels = pixels_of(answer["image"])
    over = overlay(pixels, np.array(answer["attribution"]["values"]))
    st.header(say("look_inside.attribution", digit=digit), anchor=False)
    st.write(say("look_inside.attribution_why", digit=digit))
    seen = components.picture(
        answer["image"], say("answer.seen_alt"), say("answer.seen"), mark="large"
    )
    looked = components.picture(
        data_url(png_of(over)),
        say("look_inside.attribution_alt", digit=digit, **halves(answer)),
        say("look_inside.legend", digit=digit),
        mark="large",
    )
    st.html(f'<div class="pair">{seen}{looked}</div>')
    st.caption(
        say("look_inside.answer", answer=components.brief_answer(answer, language()))
        if chosen_is_read(answer)
        else say("look_inside.other", read=answer["prediction"], digit=digit)
    )


def chosen_is_read(answer: dict[str, Any]) -> bool:
    """Whether the digit that is explained is the one that was read."""
    return answer["attribution"]["target"] == answer["prediction"]


def halves(answer: dict[str, Any]) -> dict[str, str]:
    """Which half of the picture speaks most for and most against: words for the alternative."""
    values = np.array(answer["attribution"]["values"])
    upper, lower = values[:14].sum(), values[14:].sum()
    words = say("look_inside.upper"), say("look_inside.lower")
    return {"most": words[0] if upper >= lower else words[1]}


def feature_maps(layers: list[dict[str, Any]]) -> None:
    """The output of each convolution as one sheet of small pictures."""
    st.header(say("look_inside.maps"), anchor=False)
    if not layers:
        st.info(say("look_inside.no_maps"), icon=":material/info:")
        return
    st.write(say("look_inside.maps_why"))
    for number, layer in enumerate(layers, start=1):
        channels, height, width = layer["shape"]
        label = say("look_inside.layer", number=number, count=channels, height=height, width=width)
        st.html(
            components.picture(
                layer["picture"], say("look_inside.layer_alt", layer=label), label, mark="sheet"
            )
        )


st.write(say("look_inside.intro"))
inside(picture_at_hand())
