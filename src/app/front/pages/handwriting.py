"""Your handwriting: draw a few digits, which the models learn, and see what that changes."""

import json

import streamlit as st

from app.front import components
from app.front.common import client, current_language, current_session, show_api_errors, t
from app.front.examples import load_examples, save_examples
from app.front.images import data_url_bytes
from app.front.reader import canvas, new_events, reader
from app.front.session import Session
from errors import ExamplesError

MOST_PER_DIGIT = 5


@st.fragment
def handwriting() -> None:
    """A canvas that asks for one digit after the other, the effect, and the examples as files."""
    session = current_session()
    for event in new_events(session):
        if event.kind == "restore":
            session.load(event.examples)
        elif event.kind == "next":
            session.to_teach.append(event)
    with show_api_errors(kept=True):
        teach(session)
    wanted = st.segmented_control(
        t("practice.wanted"), range(1, MOST_PER_DIGIT + 1), default=1, required=True, key="wanted"
    )
    missing = session.missing(wanted)[len(session.to_teach) :]
    done = 10 * wanted - len(missing)
    st.progress(done / (10 * wanted), t("practice.progress", done=done, wanted=10 * wanted))
    if missing:
        with st.container(key="board"):
            canvas("practice")
            reader(session, "practice", todo=missing)
    else:
        st.success(t("practice.complete"), icon=":material/check:")
        st.page_link("front/pages/draw.py", label=t("practice.challenge"), icon=":material/draw:")
    if session.labelled and not session.to_teach:
        with show_api_errors():
            effect(session)
        controls(session)
    files(session)


def teach(session: Session) -> None:
    """Take the drawings as examples of the digits that were asked for; raises `ApiError`."""
    while session.to_teach:
        event = session.to_teach[0]
        answer = client().predict(data_url_bytes(event.image), session.model)
        session.learn(event.digit, answer["image"], event.strokes)
        session.to_teach.pop(0)


def effect(session: Session) -> None:
    """The examples, and how many of them are read correctly without and with what was learnt."""
    digits = session.labelled
    st.html(components.examples([(one.label, one.image) for one in digits], current_language()))
    images = [data_url_bytes(digit.image) for digit in digits]
    before, after = (
        sum(
            answer.get("is_digit", False) and answer["prediction"] == digit.label
            for answer, digit in zip(
                client().predict_batch(images, session.model, examples), digits, strict=True
            )
        )
        for examples in ((), [digit.example for digit in digits])
    )
    st.write(t("practice.effect", total=len(digits), before=before, after=after))


def controls(session: Session) -> None:
    """Switch the examples off, and forget the last one or all."""

    def use() -> None:
        session.uses_examples = st.session_state["use-examples"]

    with st.container(horizontal=True, vertical_alignment="center", key="controls"):
        st.toggle(t("practice.use"), session.uses_examples, key="use-examples", on_change=use)
        last = session.labelled[-1]
        st.button(t("practice.remove", digit=last.label), on_click=session.forget, args=(last,))
        st.button(t("practice.forget"), icon=":material/delete:", on_click=session.forget)


def files(session: Session) -> None:
    """Save the examples, load them again, and take the strokes to measure a model on them."""
    with st.expander(t("practice.files")):
        if session.labelled:
            saved = save_examples([digit.example for digit in session.labelled])
            lines = "".join(json.dumps(line) + "\n" for line in session.recording())
            st.download_button(
                t("practice.save"), saved, "me.json", "application/json", icon=":material/download:"
            )
            st.download_button(
                t("practice.download", count=lines.count("\n")),
                lines,
                "drawings.jsonl",
                "application/jsonl",
                icon=":material/download:",
                disabled=not lines,
            )
            st.caption(t("practice.evaluate"))
        st.file_uploader(t("practice.load"), key="examples-file", on_change=load)
        if problem := st.session_state.get("examples-problem"):
            st.warning(problem, icon=":material/block:")
    st.caption(t("practice.privacy"))


def load() -> None:
    """Add the examples of the chosen file, or remember what is wrong with it."""
    st.session_state["examples-problem"] = None
    file = st.session_state["examples-file"]
    if file is None:
        return
    try:
        current_session().load(load_examples(file.getvalue()))
    except ExamplesError as error:
        key = "practice.bad_file" if error.entry is None else "practice.bad_entry"
        st.session_state["examples-problem"] = t(key, entry=(error.entry or 0) + 1)


st.write(t("practice.intro"))
handwriting()
