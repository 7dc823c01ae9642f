"""Your handwriting: draw a few digits, which the models learn, and see what that changes."""

import json
from typing import Annotated

import streamlit as st
from pydantic import Field, TypeAdapter

from app.front import components
from app.front.common import client, current_session, describe_error, show_api_errors
from app.front.events import Labelled
from app.front.images import data_url_bytes
from app.front.reader import canvas, new_events, reader
from app.front.session import Session, as_examples, recording
from app.front.settings import MAX_EXAMPLES
from app.front.texts import t
from errors import ApiError

MOST_PER_DIGIT = 5
FILE = TypeAdapter(Annotated[list[Labelled], Field(min_length=1, max_length=MAX_EXAMPLES)])


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
    captioned = [(digit.image, str(digit.label)) for digit in digits]
    st.html(components.pictures(captioned, t("practice.examples")))
    images = [data_url_bytes(digit.image) for digit in digits]
    before, after = (
        sum(
            answer.get("is_digit", False) and answer["prediction"] == digit.label
            for answer, digit in zip(
                client().predict_batch(images, session.model, examples), digits, strict=True
            )
        )
        for examples in ((), as_examples(digits))
    )
    st.write(t("practice.effect", total=len(digits), before=before, after=after))


def controls(session: Session) -> None:
    """Switch the examples off, and forget the last one or all."""

    def use() -> None:
        session.uses_examples = st.session_state["use-examples"]

    with st.container(horizontal=True, vertical_alignment="center", key="controls"):
        st.toggle(t("practice.use"), session.uses_examples, key="use-examples", on_change=use)
        last = session.labelled[-1].label
        st.button(t("practice.remove", digit=last), on_click=session.forget, args=(-1,))
        st.button(t("practice.forget"), icon=":material/delete:", on_click=session.forget)


def files(session: Session) -> None:
    """Save the examples and the strokes, and load examples again."""
    with st.expander(t("practice.files")):
        if session.labelled:
            save(t("practice.save"), "me.json", json.dumps(as_examples(session.labelled), indent=1))
            lines = recording(session.labelled)
            save(t("practice.download", count=lines.count("\n")), "drawings.jsonl", lines)
            st.caption(t("practice.evaluate"))
        st.file_uploader(t("practice.load"), key="examples-file", on_change=load)
        if problem := st.session_state.get("examples-problem"):
            st.warning(problem, icon=":material/block:")
    st.caption(t("practice.privacy"))


def save(label: str, name: str, content: str) -> None:
    """A button that saves a text as a file."""
    icon = ":material/download:"
    st.download_button(label, content, name, "text/plain", icon=icon, disabled=not content)


def load() -> None:
    """Add the examples of the chosen file, or remember what is wrong with it."""
    file = st.session_state["examples-file"]
    st.session_state["examples-problem"] = None
    try:
        digits = FILE.validate_json(file.getvalue()) if file else []
        if digits:  # the API says whether it can learn them
            client().predict(data_url_bytes(digits[0].image), examples=as_examples(digits))
        current_session().load(digits)
    except ValueError:
        st.session_state["examples-problem"] = t("practice.bad_file")
    except ApiError as error:
        st.session_state["examples-problem"] = describe_error(error)


st.write(t("practice.intro"))
handwriting()
