"""Your hand: the examples that the models learn, how to give some, and what they change."""

import streamlit as st

from app.front import components
from app.front.common import (
    client,
    current_language,
    current_session,
    predict_batch,
    show_api_errors,
    t,
)
from app.front.examples import load_examples, save_examples
from app.front.images import data_url_bytes
from app.front.inputs import canvas_input
from app.front.session import Session
from errors import ExamplesError

MOST_PER_DIGIT = 5


@st.fragment(key="hand")
def hand() -> None:
    """Counts, a canvas for the digit that is missing, the effect, and the examples as a file."""
    session = current_session()
    if st.session_state.get("next"):  # pressed: answered before anything of the page is shown
        with show_api_errors(kept=True):
            teach(session)
    guide(session)
    st.header(t("hand.counts"), anchor=False)
    st.html(components.counts(session.counts, current_language()))
    with show_api_errors():
        effect(session)
    controls(session)


def guide(session: Session) -> None:
    """Ask for one digit after the other until there are as many of each as wanted."""
    requested = st.segmented_control(
        t("hand.wanted"), range(1, MOST_PER_DIGIT + 1), default=2, required=True, key="wanted"
    )
    digit = session.next_digit(requested)
    if digit is None:
        st.success(t("hand.complete"), icon=":material/check:")
        return
    given = sum(min(count, requested) for count in session.counts)
    st.header(t("hand.draw", digit=digit), anchor=False)
    st.progress(given / (10 * requested), t("hand.progress", given=given, wanted=10 * requested))
    canvas = session.practice
    canvas_input(canvas, "practice", canvas.update, canvas.undo, canvas.clear)
    st.button(
        t("hand.next"),
        type="primary",
        icon=":material/arrow_forward:",
        disabled=canvas.image is None,
        key="next",
    )


def teach(session: Session) -> None:
    """Take the drawing as an example of the digit that was asked for; raises `ApiError`."""
    image, digit = session.practice.image, session.next_digit(st.session_state["wanted"])
    if image is None or digit is None:  # the click may come after the canvas was cleared
        return
    answer = client().predict(image, session.model)
    drawing = session.add(hash(image), answer, session.practice.strokes)
    session.set_label(drawing, digit)
    session.practice.clear()


def effect(session: Session) -> None:
    """How many of the drawings are classified correctly without and with the examples."""
    drawings = [drawing for drawing in session.history if drawing.label is not None]
    if not session.saved_examples:
        st.caption(t("hand.empty"))
        return
    images = [data_url_bytes(drawing.image) for drawing in drawings]
    before, after = (
        sum(
            answer.get("prediction") == drawing.label and answer["is_digit"]
            for drawing, answer in zip(
                drawings, predict_batch(images, session.model, examples), strict=True
            )
        )
        for examples in ((), session.saved_examples)
    )
    st.write(t("hand.effect", total=len(drawings), before=before, after=after))


def controls(session: Session) -> None:
    """Switch the examples off, forget them, save and load them."""
    saved = session.saved_examples
    st.toggle(
        t("hand.use"),
        session.uses_examples,
        key="use-examples",
        on_change=lambda: session.use_examples(st.session_state["use-examples"]),
    )
    with st.container(horizontal=True, vertical_alignment="bottom", key="hand-file"):
        st.download_button(
            t("hand.save"),
            save_examples(saved),
            "me.json",
            "application/json",
            icon=":material/download:",
            disabled=not saved,
        )
        st.button(
            t("hand.forget"),
            icon=":material/delete:",
            on_click=session.forget_examples,
            disabled=not saved,
        )
    st.file_uploader(t("hand.load"), ["json"], key="examples-file", on_change=load)
    if problem := st.session_state.get("examples-problem"):
        st.warning(problem, icon=":material/block:")
    st.caption(t("hand.privacy"))


def load() -> None:
    """Add the examples of the chosen file, or remember what is wrong with it."""
    st.session_state["examples-problem"] = None
    file = st.session_state["examples-file"]
    if file is None:
        return
    try:
        current_session().load(load_examples(file.getvalue()))
    except ExamplesError as error:
        if error.entry is None:
            problem = t("hand.bad_file")
        else:
            problem = t("hand.bad_entry", entry=error.entry + 1)
        st.session_state["examples-problem"] = problem


st.write(t("hand.intro"))
hand()
