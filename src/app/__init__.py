"""The two services: the API and the page."""
