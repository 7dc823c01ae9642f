"""The page's script, which runs anew for every visitor and change. Its parts are in `app.front`."""

from pathlib import Path

import streamlit as st

from app.front.common import language_switch, read_language
from app.front.texts import t

FRONT = Path(__file__).with_name("front")
PAGES = ("draw", "handwriting", "compare", "results", "about")

read_language()
# A named icon would be asked for at another host.
st.set_page_config(page_title=t("page.product"), page_icon=FRONT / "icon.png", layout="wide")
st.html(FRONT / "style.css")
pages = {
    name: st.Page(f"front/pages/{name}.py", title=t(f"page.{name}"), default=name == "draw")
    for name in PAGES
}
# Streamlit's own navigation hides the pages of a narrow window behind a sign.
page = st.navigation(list(pages.values()), position="hidden")
with st.container(horizontal=True, vertical_alignment="center", wrap=True, key="head"):
    for target in pages.values():
        st.page_link(target)
    language_switch()
st.title(t(f"{page.url_path or 'draw'}.title"), anchor=False)
page.run()
