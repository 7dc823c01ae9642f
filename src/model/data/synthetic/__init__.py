"""Digits and outliers that we draw ourselves: stroke templates, deform, draw.

No recorded handwriting: whatever is measured on stays out."""
