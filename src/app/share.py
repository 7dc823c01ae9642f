"""Say where others in the local network find the page: ``python -m app.share PORT``."""

import socket
import sys

import cv2
import numpy as np

from errors import DigitsError

QUIET_ZONE = 2  # light modules around a QR code, beside the two that OpenCV puts there
BLOCKS = np.array([" ", "▄", "▀", "█"])  # two modules: none dark, the lower, the upper, both
BLACK_ON_WHITE, RESET = "\033[30;107m", "\033[0m"


def local_address() -> str:
    """Return this machine's IP address in its network.

    Raises:
        DigitsError: it is in no network.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 1))  # chooses a way out, sends nothing
        except OSError as error:
            raise DigitsError("This machine is in no network: join the Wi-Fi first.") from error
        return str(probe.getsockname()[0])


def qr_code(text: str) -> str:
    """Return a QR code to print, each character two modules high."""
    dark = np.pad(cv2.QRCodeEncoder.create().encode(text) == 0, QUIET_ZONE)
    dark = np.pad(dark, ((0, len(dark) % 2), (0, 0)))
    lines = ["".join(BLOCKS[row]) for row in 2 * dark[::2] + dark[1::2]]
    return "\n".join(f"{BLACK_ON_WHITE}{line}{RESET}" for line in lines)


def main(port: str) -> int:
    """Print the page's address and its QR code; return the exit status."""
    try:
        url = f"http://{local_address()}:{port}"
    except DigitsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{qr_code(url)}\nIn this network: {url} (the API answers this machine alone)")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
