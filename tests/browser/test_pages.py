"""Every page in both themes at both sizes: a picture to look at, and no barrier that axe finds."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from tests.support.pen import DIGITS, draw

SCREENSHOTS = Path(__file__).resolve().parents[2] / "data" / "screenshots"
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}
PAGES = {  # the name in the navigation, and what shows that the page is complete
    "Draw": ".maps",
    "Your handwriting": ".tools",
    "Compare": ".cards",
    "Results": "h2:has-text('The networks')",
    "About": "h2:has-text('Your drawings')",
}
SERIOUS = ("serious", "critical")


def go_to(page, name):
    """Choose a page in the navigation."""
    page.get_by_role("link", name=name, exact=True).click()
    page.locator(PAGES[name]).first.wait_for()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    page.wait_for_function("[...document.images].every(image => image.complete)")


def draw_and_look_inside(page):
    """Draw a 1, ask why, and open the view of the network."""
    draw(page, DIGITS[1][1:2])
    expect(page.locator(".final")).to_contain_text("This is a 1")
    page.get_by_role("button", name="Why?").click()
    page.get_by_role("button", name="Look inside").click()
    page.locator(".maps").first.wait_for()
    expect(page.locator(".legend")).not_to_be_empty()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_every_page_can_be_read_by_everybody(open_page, page_url, theme, size):
    phone = size == "phone"
    page = open_page(page_url, viewport=SIZES[size], color_scheme=theme, has_touch=phone)
    draw_and_look_inside(page)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    violations = []
    for name in PAGES:
        if name != "Draw":
            go_to(page, name)
        file = f"{name.lower().replace(' ', '-')}-{theme}-{size}.png"
        whole_page(page, SCREENSHOTS / file)
        assert_nothing_overflows(page, name)
        violations += [f"{name}: {violation}" for violation in serious_violations(page)]
    assert violations == []


@pytest.mark.parametrize("width", [320, 640])  # 640: a window of 1280 at 200 %
def test_nothing_is_wider_than_a_narrow_window(open_page, page_url, width):
    page = open_page(page_url, viewport={"width": width, "height": 450}, locale="fr-FR")
    draw(page, DIGITS[7])
    page.get_by_role("button", name="À l\N{RIGHT SINGLE QUOTATION MARK}intérieur").click()
    page.locator(".maps").first.wait_for()
    assert_nothing_overflows(page, "Dessiner")
    for name in ("Votre écriture", "Comparer", "Résultats", "À propos"):
        page.get_by_role("link", name=name).click()
        expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
        assert_nothing_overflows(page, name)


def whole_page(page, path):
    """Take a picture of all that can be scrolled to."""
    height = page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight")
    size = page.viewport_size
    page.set_viewport_size({"width": size["width"], "height": max(height, size["height"])})
    page.screenshot(path=path)
    page.set_viewport_size(size)


def assert_nothing_overflows(page, name):
    """No sideways scrolling: nothing is wider than the screen."""
    main = page.get_by_test_id("stMain")
    wide, room = main.evaluate("main => [main.scrollWidth, main.clientWidth]")
    assert wide <= room, f"{name} is {wide} px wide on {room} px"


def serious_violations(page):
    """The barriers that axe finds."""
    return [
        f"{violation['id']}: {node['html']}"
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in SERIOUS
        for node in violation["nodes"]
    ]
