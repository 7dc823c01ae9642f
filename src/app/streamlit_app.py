"""The page's script, which runs anew for every visitor and change. Its parts are in `app.front`."""

import streamlit as st

from app.front.common import ICON, STYLE, language_switch, read_language, t

PAGES = ("draw", "handwriting", "compare", "results", "about")

read_language()
st.set_page_config(page_title=t("page.product"), page_icon=ICON, layout="wide")
st.html(STYLE)
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
