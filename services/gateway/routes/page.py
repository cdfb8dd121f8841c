"""`/ui/`: the built page; where it was not built, a plain one that says so and still shows the cameras."""

import os
from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.staticfiles import PathLike, StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).resolve().parents[1] / "static"
FALLBACK = Path(__file__).with_name("fallback.html")

UNCHANGING = "public, max-age=31536000, immutable"
"""Files under assets/ carry a hash in their name."""


class PageFiles(StaticFiles):
    """The built page: what is named by its content is kept by browsers, the rest is asked for each time."""

    def file_response(
        self, full_path: PathLike, stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        answer = super().file_response(full_path, stat_result, scope, status_code)
        hashed = Path(full_path).parent.name == "assets"
        answer.headers["cache-control"] = UNCHANGING if hashed else "no-cache"
        return answer

    async def get_response(self, path: str, scope: Scope) -> Response:
        """A person who mistypes an address gets to the page; programs are told that there is nothing."""
        try:
            return await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code == 404 and "text/html" in Headers(scope=scope).get("accept", ""):
                return RedirectResponse("/ui/", 303)
            raise


router = APIRouter(include_in_schema=False)


@router.get("/ui")
async def to_page() -> RedirectResponse:
    """The page's address ends with a slash."""
    return RedirectResponse("/ui/", 308)


@router.get("/favicon.ico")
async def icon() -> RedirectResponse:
    """Browsers ask for it beside any answer that names none."""
    return RedirectResponse("/ui/icon.svg", 308)


async def fallback() -> HTMLResponse:
    """A page without script: the cameras' images and where the API is."""
    return HTMLResponse(FALLBACK.read_text(encoding="utf-8"))


def mount(app: FastAPI) -> None:
    """Serve the page."""
    app.include_router(router)
    if (STATIC / "index.html").is_file():
        app.mount("/ui", PageFiles(directory=STATIC, html=True), name="ui")
    else:
        app.add_api_route("/ui/", fallback, include_in_schema=False, response_class=HTMLResponse)
