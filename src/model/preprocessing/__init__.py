"""From an image file to the 28 x 28 that MNIST would have had: decode, segment, normalize.

numpy and Pillow alone; no torch, no network."""
