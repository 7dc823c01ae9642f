"""Every model's answer to the same picture, which experiments spoil."""

import numpy as np
import streamlit as st

from app.front import components
from app.front.common import (
    client,
    current_session,
    model_card,
    model_text,
    served_models,
    show_api_errors,
    study,
)
from app.front.images import corrupt, data_url, decode_data_url, encode_png, permute
from app.front.texts import t

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
        pixels = decode_data_url(client().predict(image)["image"])
        show(pixels, experiment == "shuffle", centred)
        if experiment == "shuffle":
            show_order(pixels)


def set_sliders() -> None:
    """Put every slider and the switch where the chosen experiment wants them."""
    chosen = UNTOUCHED | EXPERIMENTS[st.session_state["experiment"]]
    for name, value in chosen.items():
        st.session_state[f"slider-{name}"] = value
    st.session_state["centre"] = False


def show(pixels: np.ndarray, permuted: bool, centred: bool) -> None:
    """A card for each model whose pixels are in order, or for each whose pixels are permuted."""
    session = current_session()
    names = [model["name"] for model in served_models() if model["permuted"] == permuted]
    if not names:
        st.info(t("compare.no_permuted"), icon=":material/terminal:")
        return
    values = {name: st.session_state[f"slider-{name}"] for name in SLIDERS}
    corrupted = corrupt(pixels, **values)
    preprocessed = centred or values == UNTOUCHED  # it leaves a preprocessed picture as it is
    cards = []
    for name in names:
        if preprocessed:
            reply = client().predict(encode_png(corrupted), name, session.examples)
            seen = decode_data_url(reply["image"])
        else:
            reply, seen = client().infer(corrupted, name), corrupted
        if permutation := model_card(name)["permutation"]:
            seen = permute(seen, permutation["indices"])
        title, about = model_text("short", name), model_text("about", name)
        cards.append(components.model_card(title, about, data_url(encode_png(seen)), reply))
    st.html(components.cards(cards))
    if session.examples and not preprocessed:
        st.caption(t("compare.without_examples"))


def show_order(pixels: np.ndarray) -> None:
    """The digit in order, permuted, and in the order that the study recovered, if it has one."""
    if order := (study() or {}).get("order"):
        permuted = permute(pixels, order["permutation"])
        stages = {
            "in_order": pixels,
            "permuted": permuted,
            "recovered": permute(permuted, order["recovered"]),
        }
        captioned = [
            (data_url(encode_png(one)), t(f"order.{name}")) for name, one in stages.items()
        ]
        st.html(components.pictures(captioned, t("order.pictures")))
        st.write(t("order.why"))


drawing = current_session().image
if drawing is None:
    st.info(t("compare.nothing_yet"), icon=":material/draw:")
    st.page_link("front/pages/draw.py", label=t("compare.to_draw"), icon=":material/arrow_back:")
else:
    comparison(drawing)
