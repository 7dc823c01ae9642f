"""The language of the page: in the address, on the screen, and for the browser."""

import pytest
from playwright.sync_api import expect
from tests.support.pen import DIGITS, draw


def assert_all_is_french(page):
    """Title, navigation, widgets, answer, language of the document and the switch."""
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.locator("h1")).to_contain_text("Dessinez un chiffre. Un petit réseau")
    expect(page).to_have_title("Chiffres")
    expect(page.get_by_role("link", name="Comparer")).to_be_visible()
    expect(page.get_by_role("button", name="Effacer")).to_be_visible()
    expect(page.locator(".head")).to_have_text("Dessinez ici")
    expect(page.get_by_role("radio", name="FR", exact=True)).to_be_checked()
    for english in ("Draw", "Compare", "Clear", "Draw here", "Network"):
        expect(page.get_by_text(english, exact=True)).to_have_count(0)


@pytest.mark.parametrize(
    ("query", "options"),
    [("?language=FR", {}), ("", {"locale": "fr-CA"})],
    ids=["address", "browser"],
)
def test_address_and_browser_make_the_whole_page_french_also_after_a_reload(
    open_page, page_url, query, options
):
    page = open_page(page_url + query, **options)
    assert_all_is_french(page)
    page.reload()
    assert_all_is_french(page)


def test_the_switch_keeps_the_drawing_and_stays_through_pages_and_reloads(open_page, page_url):
    page = open_page(page_url)
    draw(page, DIGITS[2])
    expect(page.locator(".head")).to_have_text("This is a 2")
    page.get_by_role("radio", name="FR", exact=True).click()
    expect(page.locator(".head")).to_have_text("C\N{RIGHT SINGLE QUOTATION MARK}est un 2")
    page.get_by_role("link", name="propos").click()
    page.wait_for_url("**/about?language=fr")
    page.reload()
    expect(page.locator("h1")).to_contain_text("propos")
    page.get_by_role("radio", name="EN", exact=True).click()
    expect(page.locator("h1")).to_have_text("About Digits")
    expect(page.locator("html")).to_have_attribute("lang", "en")
