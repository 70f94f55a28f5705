"""The page that verifies evidence in the browser. It loads nothing from elsewhere and uploads nothing."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

from fastapi import APIRouter, Response
from fastapi.responses import RedirectResponse

router = APIRouter(prefix="/verify", include_in_schema=False)
front = APIRouter(include_in_schema=False)

_VERIFIER: Final = Path(__file__).resolve().parents[1] / "verifier"
_ASSETS: Final = {
    **{
        name: "text/javascript"
        for name in sorted(item.relative_to(_VERIFIER).as_posix() for item in _VERIFIER.rglob("*.mjs"))
        if name != "cli.mjs"
    },
    "style.css": "text/css",
    "mark.svg": "image/svg+xml",
}
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@front.get("/")
async def redirect_to_verify() -> Response:
    """Redirect a browser that opens the gateway's root address to the page."""
    return RedirectResponse("/verify")


@router.get("")
async def page() -> Response:
    """Return the page."""
    return Response(_VERIFIER.joinpath("index.html").read_bytes(), headers=_HEADERS, media_type="text/html")


@router.get("/releases.json")
async def releases() -> Response:
    """Return the code of the contracts in every release, with which bundles are compared."""
    body = files("registry.evidence").joinpath("releases.json").read_bytes()
    return Response(body, headers=_HEADERS, media_type="application/json")


def _add(name: str, media_type: str) -> None:
    @router.get(f"/{name}")
    async def asset() -> Response:
        return Response(_VERIFIER.joinpath(name).read_bytes(), headers=_HEADERS, media_type=media_type)


for _name, _media_type in _ASSETS.items():
    _add(_name, _media_type)
