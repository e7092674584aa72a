"""What somebody wrote as JSON on a page: refused, as in the body of a request, where it gives a field twice."""

import json
from contextlib import suppress

from starlette.exceptions import HTTPException

from service.api.bodies import exact_object
from trimtab.errors import Invalid
from trimtab.protocol import FieldProblem


def check_exact(written: str) -> None:
    """Return if two readers would take a text for the same; also if it is no JSON, which whoever reads it says.

    Raises:
        Invalid: It gives a field twice, or an object of more fields than anybody needs.
    """
    try:
        with suppress(ValueError, RecursionError):
            json.loads(written, object_pairs_hook=exact_object)
    except HTTPException as error:
        problem = FieldProblem(field="body", message=f"the JSON {error.detail}")
        raise Invalid("the JSON is not valid", errors=[problem]) from error
