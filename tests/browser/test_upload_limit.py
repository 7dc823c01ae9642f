"""The page's own server holds to the limit of an upload, whatever the browser does."""

import pytest
from playwright.sync_api import expect

from app.front.settings import MAX_FILE_BYTES
from model.config import REPOSITORY


@pytest.mark.parametrize(
    ("size", "status"), [(MAX_FILE_BYTES, 204), (MAX_FILE_BYTES + 1_000_000, 413)]
)
def test_the_server_of_the_page_rejects_a_larger_upload(open_page, page_url, size, status):
    page = open_page(page_url)
    page.get_by_role("radio", name="Upload").click()
    with page.expect_request(lambda request: request.method == "PUT") as put:
        page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(
            REPOSITORY / "data" / "digits" / "5.png"
        )
    expect(page.locator(".head")).to_have_text("This is a 5")
    token = {"X-Xsrftoken": put.value.headers["x-xsrftoken"]}
    file = {"name": "large.png", "mimeType": "image/png", "buffer": bytes(size)}
    answer = page.request.put(put.value.url, headers=token, multipart={"file": file})
    assert answer.status == status
