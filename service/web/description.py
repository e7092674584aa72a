"""/docs: the description of the API as a page, drawn by Swagger UI from the package that carries it."""

from fastapi import APIRouter, Request, Response

from service.web.pages import OpenPageRoute, render

router = APIRouter(route_class=OpenPageRoute)


@router.get("/docs")
async def description_page(request: Request) -> Response:
    """Show what can be asked of the API, to whoever asks."""
    return render(request, "description.html")
