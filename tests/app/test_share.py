"""What `run.sh app --share` prints for those who come with a telephone."""

import ipaddress

import cv2
import numpy as np

from app.share import local_address, main, qr_code

BLOCKS = {" ": (255, 255), "▀": (0, 255), "▄": (255, 0), "█": (0, 0)}


def read_qr_code(printed: str) -> str:
    """What a camera reads in the printed characters."""
    lines = [line.partition("m")[2].partition("\033")[0] for line in printed.splitlines()]
    rows = [[BLOCKS[sign][half] for sign in line] for line in lines for half in (0, 1)]
    image = np.kron(np.array(rows, np.uint8), np.ones((8, 8), np.uint8))
    return cv2.QRCodeDetector().detectAndDecode(image)[0]


def test_a_camera_reads_the_address_in_the_printed_code():
    for url in ("http://192.168.178.123:8501", "http://10.0.0.7:80"):
        assert read_qr_code(qr_code(url)) == url


def test_the_address_and_its_code_are_printed(capsys):
    assert main("8599") == 0
    *code, told = capsys.readouterr().out.splitlines()
    url = f"http://{local_address()}:8599"
    assert url in told
    assert read_qr_code("\n".join(code)) == url
    assert ipaddress.ip_address(local_address()).version == 4
