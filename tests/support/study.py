"""The study's results, as its file has them."""


def result(network: str, pixels: str, augmentation: str, accuracy: float, **changes: str) -> dict:
    """A row of the factorial on MNIST, with what changes in it."""
    row = {
        "part": "factorial",
        "network": network,
        "pixels": pixels,
        "augmentation": augmentation,
        "on": "MNIST",
        "preprocessing": "",
        "accuracy": accuracy,
    }
    return row | changes
