"""Every model's answer to the same picture, which experiments spoil."""

from typing import Any

import numpy as np
import streamlit as st

from app.front import components
from app.front.common import (
    client,
    current_language,
    current_session,
    model_card,
    model_text,
    served_models,
    show_api_errors,
    t,
)
from app.front.images import corrupt, data_url, decode_data_url, encode_png, permute

SLIDERS = {  # name: (least, greatest, start, step)
    "right": (-12, 12, 0, 1),
    "down": (-12, 12, 0, 1),
    "degrees": (-180, 180, 0, 5),
    "scale": (30, 180, 100, 5),
    "noise": (0, 100, 0, 5),
}
UNTOUCHED = {name: start for name, (_, _, start, _) in SLIDERS.items()}
EXPERIMENTS = {  # name: what it sets; a permuted model reads shuffled pixels by itself
    "as_drawn": {},
    "aside": {"right": 6},
    "shuffle": {"right": -4},
    "turn": {"degrees": 90},
    "noise": {"noise": 20},
}


@st.fragment
def comparison(image: bytes) -> None:
    """The experiments, one card a model, and below them the sliders."""
    experiment = st.segmented_control(
        t("compare.experiment"),
        EXPERIMENTS,
        default="as_drawn",
        required=True,
        format_func=lambda name: t(f"compare.{name}"),
        key="experiment",
        on_change=set_sliders,
        label_visibility="collapsed",
    )
    st.write(t(f"compare.{experiment}_why"))
    place = st.container()
    with st.expander(t("compare.sliders"), key="sliders"):
        for name, (least, greatest, start, step) in SLIDERS.items():
            label = t(f"compare.{name}_slider")
            st.session_state.setdefault(f"slider-{name}", start)
            st.slider(label, least, greatest, step=step, key=f"slider-{name}")
        centred = st.toggle(t("compare.centre"), help=t("compare.centre_help"), key="centre")
    with place, show_api_errors(kept=True):
        show(image, experiment == "shuffle", centred)


def set_sliders() -> None:
    """Put every slider and the switch where the chosen experiment wants them."""
    chosen = UNTOUCHED | EXPERIMENTS[st.session_state["experiment"]]
    for name, value in chosen.items():
        st.session_state[f"slider-{name}"] = value
    st.session_state["centre"] = False


def show(image: bytes, permuted: bool, centred: bool) -> None:
    """A card for each model whose pixels are in order, or for each whose pixels are permuted."""
    session = current_session()
    names = [model["name"] for model in served_models() if model["permuted"] == permuted]
    if not names:
        st.info(t("compare.no_permuted"), icon=":material/terminal:")
        return
    values = {name: st.session_state[f"slider-{name}"] for name in SLIDERS}
    pixels = decode_data_url(client().predict(image)["image"])
    corrupted = corrupt(pixels, **values)
    preprocessed = centred or values == UNTOUCHED  # it leaves a preprocessed picture as it is
    cards = []
    for name in names:
        if preprocessed:
            reply = client().predict(encode_png(corrupted), name, session.examples)
            seen = decode_data_url(reply["image"])
        else:
            reply, seen = predict_pixels(corrupted, name), corrupted
        if permutation := model_card(name)["permutation"]:
            seen = permute(seen, permutation["indices"])
        title, about = model_text("short", name), model_text("about", name)
        picture = data_url(encode_png(seen))
        cards.append(components.model_card(title, about, picture, reply, current_language()))
    st.html(components.cards(cards, t("compare.cards")))
    if session.examples and not preprocessed:
        st.caption(t("compare.without_examples"))


def predict_pixels(pixels: np.ndarray, model: str) -> dict[str, Any]:
    """A model's prediction for the corrupted pixels, without preprocessing."""
    probabilities, is_digit = client().infer(pixels[None], model)
    digit = int(probabilities[0].argmax())
    return {
        "prediction": digit,
        "confidence": float(probabilities[0, digit]),
        "is_digit": bool(is_digit[0]),
    }


drawing = current_session().image
if drawing is None:
    st.info(t("compare.nothing_yet"), icon=":material/draw:")
    st.page_link("front/pages/draw.py", label=t("compare.to_draw"), icon=":material/arrow_back:")
else:
    comparison(drawing)
