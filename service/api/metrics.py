"""/metrics: for Prometheus, with a token of any kind that may read."""

from fastapi import APIRouter, Response
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from service.api.dependencies import ReplicaDep
from service.api.scopes import ScopedRoute, needs
from service.principals import Scope

router = APIRouter(prefix="/metrics", tags=["health"], route_class=ScopedRoute)


@router.get("", response_class=Response, responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}})
@needs(Scope.READ)
def read_metrics(replica: ReplicaDep) -> Response:
    """Read what this replica counts, times and sees, in Prometheus' text format."""
    return Response(generate_latest(replica.meters.registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)
