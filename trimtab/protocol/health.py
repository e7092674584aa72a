"""What the service says of itself."""

from pydantic import ConfigDict, Field

from trimtab.message import Message

PROTOCOL = 1
"""Of what clients, workers and the service say to each other. It grows where older ones are not understood any more."""

PROTOCOL_HEADER = "Trimtab-Protocol"


class Health(Message):
    """The service is well."""

    status: str


class Version(Message):
    """What serves, and on what.

    Args:
        service: Its release.
        schema_version: Of our tables in the database, as they are.
        optuna_schema: Of Optuna's.
        postgresql: Of the server that has them.
        protocol: Of clients and workers that it serves.
    """

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True, validate_by_alias=True)

    service: str
    schema_version: str = Field(alias="schema")
    optuna_schema: str
    postgresql: str
    protocol: int
