"""From the foreground of a picture to the numbers written in it: find, cut, choose.

numpy and OpenCV alone; no torch, no network of its own."""
