"""Every model's prediction for the current image, which sliders corrupt."""

from typing import Any

import numpy as np
import streamlit as st

from app.front import components
from app.front.common import (
    client,
    current_image,
    current_language,
    current_session,
    describe_model,
    model_card,
    model_names,
    predict,
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


@st.fragment
def comparison(image: bytes) -> None:
    """Sliders above, one card per model below."""
    with st.container(key="sliders"):
        columns = st.columns(len(SLIDERS))
        for column, (name, (least, greatest, start, step)) in zip(
            columns, SLIDERS.items(), strict=True
        ):
            column.slider(
                t(f"compare.{name}"), least, greatest, start, step=step, key=f"slider-{name}"
            )
        with st.container(horizontal=True, vertical_alignment="center"):
            renormalize = st.toggle(t("compare.renormalize"), help=t("compare.renormalize_help"))
            st.button(
                t("compare.reset"),
                icon=":material/restart_alt:",
                on_click=reset,
                type="tertiary",
            )
    with show_api_errors(kept=True):
        show(image, renormalize)


def reset() -> None:
    """Put every slider back."""
    for name, (_, _, start, _) in SLIDERS.items():
        st.session_state[f"slider-{name}"] = start


def show(image: bytes, renormalize: bool) -> None:
    """A card for each model, those with unpermuted pixels first."""
    names, examples = model_names(), current_session().examples
    pixels = decode_data_url(predict(image, names[0], examples)["image"])
    values = {name: st.session_state[f"slider-{name}"] for name in SLIDERS}
    corrupted = corrupt(pixels, **values)
    untouched = values == {name: start for name, (_, _, start, _) in SLIDERS.items()}
    preprocessed = renormalize or untouched  # preprocessing leaves a preprocessed image as it is
    groups: dict[str, list[str]] = {"unpermuted": [], "permuted": []}
    for name in names:
        if preprocessed:
            reply = predict(encode_png(corrupted), name, examples)
            seen = decode_data_url(reply["image"])
        else:
            reply, seen = predict_pixels(corrupted, name), corrupted
        permutation = model_card(name)["permutation"]
        if permutation:
            seen = permute(seen, permutation["indices"])
        card = components.model_card(
            name, describe_model(name), data_url(encode_png(seen)), reply, current_language()
        )
        groups["permuted" if permutation else "unpermuted"].append(card)
    shown = [
        components.cards(cards, t(f"compare.{group}")) for group, cards in groups.items() if cards
    ]
    st.html(f'<div class="groups">{"".join(shown)}</div>')
    if examples:
        st.caption(t("compare.examples_used" if preprocessed else "compare.examples_unused"))
    if groups["permuted"]:
        st.write(t("compare.permuted_why"))
    else:
        st.info(t("compare.no_permuted"), icon=":material/terminal:")


def predict_pixels(pixels: np.ndarray, model: str) -> dict[str, Any]:
    """A model's prediction for the corrupted pixels, without preprocessing."""
    probabilities, is_digit = client().infer(pixels[None], model)
    digit = int(probabilities[0].argmax())
    return {
        "prediction": digit,
        "confidence": float(probabilities[0, digit]),
        "is_digit": bool(is_digit[0]),
    }


st.write(t("compare.intro"))
comparison(current_image())
