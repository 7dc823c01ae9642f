"""The page: `streamlit run src/app/streamlit_app.py`. Its parts are in `app.front`."""

import streamlit as st

from app.front.common import ICON, STYLE, language_switch, say, visit

PAGES = {
    "draw": ":material/draw:",
    "compare": ":material/compare:",
    "look_inside": ":material/search:",
    "results": ":material/bar_chart:",
    "about": ":material/info:",
}

st.set_page_config(page_title=say("page.product"), page_icon=ICON, layout="wide")
st.html(STYLE)
page = st.navigation(
    [
        st.Page(
            f"front/pages/{name}.py", title=say(f"page.{name}"), icon=icon, default=name == "draw"
        )
        for name, icon in PAGES.items()
    ],
    position="top",
)
if st.session_state.get("shown") != page.url_path:  # Streamlit forgets a canvas that is not shown
    st.session_state["shown"] = page.url_path
    visit().renew_canvas()
with st.container(
    horizontal=True,
    horizontal_alignment="distribute",
    vertical_alignment="center",
    wrap=False,
    key="head",
):
    st.title(say(f"{page.url_path or 'draw'}.title"), anchor=False)
    language_switch()
page.run()
