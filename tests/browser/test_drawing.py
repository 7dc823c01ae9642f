"""Digits drawn with the mouse and the finger, read on the screen."""

import pytest
from playwright.sync_api import expect

from bench.pen import DIGITS, draw


def head(page):
    return page.locator(".answer-head")


@pytest.mark.parametrize("digit", DIGITS)
def test_a_digit_drawn_with_the_mouse_is_read(open_page, page_url, digit):
    page = open_page(page_url)
    draw(page, DIGITS[digit])
    expect(head(page)).to_have_text(f"This is a {digit}")
