"""`/ui/`: the built page; where it was not built, a plain one that says so and still shows the cameras."""

from pathlib import Path

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.staticfiles import StaticFiles

STATIC = Path(__file__).resolve().parents[1] / "static"
FALLBACK = Path(__file__).with_name("fallback.html")

router = APIRouter(include_in_schema=False)


@router.get("/ui")
async def to_page() -> RedirectResponse:
    """The page's address ends with a slash."""
    return RedirectResponse("/ui/", 308)


async def fallback() -> HTMLResponse:
    """A page without script: the cameras' images and where the API is."""
    return HTMLResponse(FALLBACK.read_text(encoding="utf-8"))


def mount(app: FastAPI) -> None:
    """Serve the page."""
    app.include_router(router)
    if (STATIC / "index.html").is_file():
        app.mount("/ui", StaticFiles(directory=STATIC, html=True), name="ui")
    else:
        app.add_api_route("/ui/", fallback, include_in_schema=False, response_class=HTMLResponse)
