"""The interactive documentation, its assets served from here so that no other host is asked."""

from functools import cache
from pathlib import Path
from typing import Any

import fastapi_offline
from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from app.api.conformance import file_response
from app.api.problems import ProblemError

ASSETS = "/docs/assets"


def install(app: FastAPI) -> None:
    """Serve Swagger UI at /docs, and a description of the errors that really come."""
    describe = app.openapi
    app.openapi = cache(lambda: _without_default_errors(describe()))  # type: ignore[method-assign]
    directory = Path(fastapi_offline.__file__).parent / "static"
    assets = {path.name: path for path in directory.iterdir()}

    @app.get(ASSETS + "/{name}", include_in_schema=False)
    def asset(request: Request, name: str) -> Response:
        if name not in assets:
            raise ProblemError("not-found")
        return file_response(request, assets[name])

    @app.get("/docs", include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        root = request.scope.get("root_path", "")
        return get_swagger_ui_html(
            openapi_url=f"{root}{app.openapi_url}",
            title=app.title,
            swagger_js_url=f"{root}{ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{root}{ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{root}{ASSETS}/favicon.png",
        )

    @app.get("/", include_in_schema=False)
    async def start(request: Request) -> RedirectResponse:
        return RedirectResponse(request.scope.get("root_path", "") + "/docs")


def _without_default_errors(schema: dict[str, Any]) -> dict[str, Any]:
    """Remove FastAPI's own form of a validation error, which no client ever gets."""
    for methods in schema["paths"].values():
        for operation in methods.values():
            if "HTTPValidationError" in str(operation["responses"].get("422")):
                del operation["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(name, None)
    return schema
