"""Digits and outliers that we draw ourselves: stroke templates, deform, rasterize.

No recorded handwriting: whatever is measured on stays out."""
