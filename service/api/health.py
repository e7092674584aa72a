"""/healthz and /readyz: for whoever watches over the service. No token."""

import sqlalchemy as sa
from fastapi import APIRouter
from sqlalchemy.exc import ProgrammingError

from service.api.dependencies import ReplicaDep
from service.api.problems import problems
from service.database import autocommit
from trimtab import errors
from trimtab.protocol import Health

router = APIRouter(tags=["health"])


@router.get("/healthz")
async def healthz() -> Health:
    """Say that the process is alive."""
    return Health(status="ok")


@router.get("/readyz", responses=problems(errors.Unavailable))
def readyz(replica: ReplicaDep) -> Health:
    """Say that the service can serve: its database answers."""
    try:
        with autocommit(replica.engine) as connection:
            connection.execute(sa.text("SELECT FROM trimtab_studies LIMIT 0"))
    except ProgrammingError as error:
        raise errors.Unavailable("the database has no schema; migrate it", retry_after=1) from error
    return Health(status="ok")
