"""`/docs`: the API as a page, from files of ours: nothing is loaded from elsewhere, and no script stands in the page."""

from importlib.util import find_spec

from fastapi import APIRouter, FastAPI
from fastapi.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

ASSETS = "fastapi_offline"
"""Package that carries Swagger UI."""

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>KOMI: the API</title>
<link rel="icon" href="/ui/icon.svg">
<link rel="stylesheet" href="/docs/assets/swagger-ui.css">
<div id="swagger-ui"><a href="/openapi.json">/openapi.json</a></div>
<script src="/docs/assets/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
"""
START = """SwaggerUIBundle({
  url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, tryItOutEnabled: true, validatorUrl: null,
});
"""

router = APIRouter(include_in_schema=False)


@router.get("/docs")
async def docs() -> HTMLResponse:
    """Swagger UI on /openapi.json; without its files, a link to it."""
    return HTMLResponse(PAGE)


@router.get("/docs/start.js")
async def start() -> Response:
    """What the page runs."""
    return Response(START, media_type="text/javascript")


def mount(app: FastAPI) -> None:
    """Serve the page."""
    app.include_router(router)
    if find_spec(ASSETS) is not None:
        app.mount("/docs/assets", StaticFiles(packages=[(ASSETS, "static")]), name="docs")
