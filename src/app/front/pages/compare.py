"""The same drawing read by every model; sliders that shift, turn, scale and blur it with noise."""

from typing import Any

import numpy as np
import streamlit as st

from app.front import components
from app.front.common import (
    about_model,
    api_errors_in_words,
    client,
    language,
    model_card,
    model_names,
    picture_at_hand,
    reading,
    say,
)
from app.front.pictures import altered, data_url, permuted, pixels_of, png_of

SLIDERS = {  # name: (least, greatest, start, step)
    "right": (-12, 12, 0, 1),
    "down": (-12, 12, 0, 1),
    "degrees": (-180, 180, 0, 5),
    "scale": (30, 180, 100, 5),
    "noise": (0, 100, 0, 5),
}


@st.fragment
def comparison(picture: bytes) -> None:
    """Sliders above, one card a model below."""
    with st.container(key="sliders"):
        columns = st.columns(len(SLIDERS))
        for column, (name, (least, greatest, start, step)) in zip(
            columns, SLIDERS.items(), strict=True
        ):
            column.slider(
                say(f"compare.{name}"), least, greatest, start, step=step, key=f"slider-{name}"
            )
        with st.container(horizontal=True, vertical_alignment="center"):
            again = st.toggle(say("compare.again"), help=say("compare.again_help"))
            st.button(
                say("compare.reset"),
                icon=":material/restart_alt:",
                on_click=reset,
                type="tertiary",
            )
    with api_errors_in_words(kept=True):
        show(picture, again)


def reset() -> None:
    """Put every slider back."""
    for name, (_, _, start, _) in SLIDERS.items():
        st.session_state[f"slider-{name}"] = start


def show(picture: bytes, again: bool) -> None:
    """A card for each model, those that see the pixels in order first."""
    names = model_names()
    pixels = pixels_of(reading(picture, names[0])["image"])
    values = {name: st.session_state[f"slider-{name}"] for name in SLIDERS}
    changed = altered(
        pixels,
        values["right"],
        values["down"],
        values["degrees"],
        values["scale"] / 100,
        values["noise"] / 100,
    )
    in_order, mixed = [], []
    for name in names:
        permutation = model_card(name)["permutation"]
        reply = read_again(changed, name) if again else read_as_it_is(changed, name)
        if permutation:
            reply["pixels"] = permuted(reply["pixels"], permutation["indices"])
        (mixed if permutation else in_order).append(card(name, reply))
    groups = [components.cards(in_order, say("compare.in_order"))]
    if mixed:
        groups.append(components.cards(mixed, say("compare.permuted")))
    st.html(f'<div class="groups">{"".join(groups)}</div>')
    if mixed:
        st.write(say("compare.permuted_why"))
    else:
        st.info(say("compare.no_permuted"), icon=":material/terminal:")


def read_as_it_is(pixels: np.ndarray, model: str) -> dict[str, Any]:
    """What the model reads in the altered pixels, with no preprocessing between."""
    probabilities, is_digit = client().infer(pixels[None], model)
    digit = int(probabilities[0].argmax())
    return {
        "prediction": digit,
        "confidence": float(probabilities[0, digit]),
        "is_digit": bool(is_digit[0]),
        "pixels": pixels,
    }


def read_again(pixels: np.ndarray, model: str) -> dict[str, Any]:
    """What the model reads once the altered picture has gone through the preprocessing again."""
    reply = reading(png_of(pixels), model)
    return {**reply, "pixels": pixels_of(reply["image"])}


def card(name: str, reply: dict[str, Any]) -> str:
    """One model's answer."""
    reply["words"] = components.brief_answer(reply, language())
    source = data_url(png_of(reply["pixels"]))
    return components.model_card(
        name, about_model(name), source, say("compare.alt", name=name), reply
    )


st.write(say("compare.intro"))
comparison(picture_at_hand())
