"""To be written."""

