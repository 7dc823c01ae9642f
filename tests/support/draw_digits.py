"""Draw data/digits/0.png ... 9.png on the page's canvas in a browser.

From the repository: PYTHONPATH=src .venv/bin/python -m tests.support.draw_digits
"""

import base64

from tests.support.browser import chromium, find_chromium, page_service
from tests.support.pen import DIGITS, draw, ink
from tests.support.services import free_port

from model.config import REPOSITORY

FOLDER = REPOSITORY / "data" / "digits"


def main() -> None:
    """Draw each digit on a fresh canvas and save the canvas as PNG; no API is needed."""
    nobody = f"http://127.0.0.1:{free_port()}"
    FOLDER.mkdir(parents=True, exist_ok=True)
    with page_service(nobody) as service, chromium(find_chromium()) as browser:
        for digit, strokes in DIGITS.items():
            page = browser.new_page()
            page.goto(service.url)
            draw(page, strokes)
            (FOLDER / f"{digit}.png").write_bytes(base64.b64decode(ink(page).partition(",")[2]))
            page.close()
            print(f"data/digits/{digit}.png")


if __name__ == "__main__":
    main()
