"""Pages: what people look at in a browser, served beside the API by the same use cases.

The server renders them; a little script keeps them alive. Nothing comes from another host, and but for the description
of the API nobody sees a page without signing in with a token.
"""

from fastapi import APIRouter, FastAPI

from service.guesses import Guesses
from service.recognition import Recognition
from service.sessions import Sessions
from service.web import (
    assets,
    creating,
    dashboard,
    description,
    drafting,
    figures,
    forms,
    signing_in,
    study_actions,
    study_list,
    study_page,
    trial_list,
    trial_page,
    trial_parts,
    worker_list,
)
from service.web.figures.kept import Figures
from service.web.fragments import Fragments

_ROUTERS = (
    assets.router,
    description.router,
    signing_in.open_router,
    signing_in.router,
    study_list.router,
    creating.router,
    drafting.router,
    study_page.router,
    study_actions.router,
    trial_list.router,
    trial_page.router,
    trial_parts.router,
    worker_list.router,
    figures.router,
    dashboard.data_router,
    dashboard.router,
)


def include(router: APIRouter) -> None:
    """Add the routes of the pages to others."""
    for each in _ROUTERS:
        router.include_router(each, include_in_schema=False)


def install(app: FastAPI, recognition: Recognition, sessions: Sessions) -> None:
    """Give an application what its pages work with.

    Raises:
        RuntimeError: A page that changes something takes forms of other sites.
    """
    app.state.recognition = recognition
    app.state.sessions = sessions
    app.state.guesses = Guesses()
    app.state.fragments = Fragments()
    app.state.figures = Figures()
    forms.check(app)
