"""The API goes away and comes back under a page that stays open."""

from playwright.sync_api import expect
from tests.support.browser import page_service
from tests.support.pen import DIGITS, draw
from tests.support.services import free_port, running_api


def test_the_page_says_that_the_api_is_away_keeps_the_drawing_and_recovers_by_itself(open_page):
    port = str(free_port())
    with page_service(f"http://127.0.0.1:{port}") as service:
        with running_api(API_PORT=port):
            page = open_page(service.url)
            draw(page, DIGITS[7][:1])
            expect(page.locator(".final")).not_to_be_empty()
        draw(page, DIGITS[7][1:])
        message = page.get_by_test_id("stAlert")
        expect(message).to_contain_text("bash run.sh api")
        expect(message).to_contain_text("Your drawing is kept")
        with running_api(API_PORT=port):
            expect(page.locator(".head")).to_have_text("This is a 7")
            expect(message).to_have_count(0)
    assert page.get_by_test_id("stException").count() == 0
