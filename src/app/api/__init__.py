"""The API: models behind HTTP, bounded, logged and counted."""
