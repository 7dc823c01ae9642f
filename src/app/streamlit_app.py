"""The page: `streamlit run src/app/streamlit_app.py`. Its parts are in `app.front`."""

import streamlit as st

from app.front.common import ICON, STYLE, current_session, language_switch, read_language, t

PAGES = {
    "draw": ":material/draw:",
    "hand": ":material/back_hand:",
    "compare": ":material/compare:",
    "look_inside": ":material/search:",
    "results": ":material/bar_chart:",
    "about": ":material/info:",
}

read_language()
st.set_page_config(page_title=t("page.product"), page_icon=ICON, layout="wide")
st.html(STYLE)
page = st.navigation(
    [
        st.Page(
            f"front/pages/{name}.py", title=t(f"page.{name}"), icon=icon, default=name == "draw"
        )
        for name, icon in PAGES.items()
    ],
    position="top",
)
if st.session_state.get("shown") != page.url_path:  # Streamlit forgets a canvas that is not shown
    st.session_state["shown"] = page.url_path
    current_session().renew_canvases()
with st.container(
    horizontal=True,
    horizontal_alignment="distribute",
    vertical_alignment="center",
    wrap=False,
    key="head",
):
    st.title(t(f"{page.url_path or 'draw'}.title"), anchor=False)
    language_switch()
page.run()
