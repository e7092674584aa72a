"""Pages: what people look at in a browser, served beside the API by the same use cases.

The server renders them; a little script keeps them alive. Nothing comes from another host, and nobody sees a page
without signing in with a token.
"""

from fastapi import FastAPI

from service.recognition import Recognition
from service.sessions import Sessions
from service.web import (
    assets,
    creating,
    figures,
    forms,
    signing_in,
    study_actions,
    study_list,
    study_page,
    trial_list,
    trial_page,
    worker_list,
)
from service.web.figures.kept import Figures
from service.web.fragments import Fragments

_ROUTERS = (
    assets.router,
    signing_in.open_router,
    signing_in.router,
    study_list.router,
    creating.router,
    study_page.router,
    study_actions.router,
    trial_list.router,
    trial_page.router,
    worker_list.router,
    figures.router,
)


def install(app: FastAPI, recognition: Recognition, sessions: Sessions) -> None:
    """Give an application its pages.

    Raises:
        RuntimeError: A page that changes something takes forms of other sites.
    """
    app.state.recognition = recognition
    app.state.sessions = sessions
    app.state.fragments = Fragments()
    app.state.figures = Figures()
    for router in _ROUTERS:
        app.include_router(router, include_in_schema=False)
    forms.check(app)
