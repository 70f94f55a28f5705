"""The pages that describe the API to people. They load nothing from elsewhere, so they work without a network."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from fastapi import APIRouter, Response

router = APIRouter(prefix="/docs", include_in_schema=False)

_ASSETS: Final = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
_FOLDER: Final = files("fastapi_swagger.resources")
_POLICY: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'",
}
_PAGE: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Trusted data registry: HTTP API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="api"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
"""
_START: Final = """SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#api", deepLinking: true, validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis], layout: "BaseLayout",
});
"""


@router.get("")
async def page() -> Response:
    """Return the page that describes the API."""
    return Response(_PAGE, headers=_POLICY, media_type="text/html")


@router.get("/start.js")
async def start() -> Response:
    """Return the script that the page runs."""
    return Response(_START, media_type="text/javascript")


def _add(name: str, media_type: str) -> None:
    @router.get(f"/{name}")
    async def asset() -> Response:
        body = _FOLDER.joinpath(name).read_bytes()
        return Response(body, headers={"Cache-Control": "max-age=86400"}, media_type=media_type)


for _name, _media_type in _ASSETS.items():
    _add(_name, _media_type)
