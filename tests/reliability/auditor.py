"""The auditor: reads the record as it is, and what clients were told, and says what should never be."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from service.memory import Memory
from service.prepared import prepare
from tests.reliability.evidence import lay_out
from tests.reliability.invariants import INVARIANTS, VIEWS
from tests.reliability.journal import Entry


@dataclass(frozen=True)
class Breach:
    """Something that should never be.

    Args:
        invariant: The name of what is broken.
        study: Where; None: of no study.
        trial: Its number; None: of no single trial.
        text: What was found.
    """

    invariant: str
    study: str | None
    trial: int | None
    text: str

    def __str__(self) -> str:
        where = self.study or "the record"
        return f"{self.invariant}: {where}{'' if self.trial is None else f', trial {self.trial}'}: {self.text}"


_STUDIES = sa.text("""
    SELECT study_id, o.study_name AS study,
      (SELECT array_agg(t.number ORDER BY t.number) FROM trials t JOIN trimtab_trials u USING (trial_id)
       WHERE t.study_id = s.study_id
         AND (t.state IN ('COMPLETE', 'PRUNED') OR u.outcome IN ('diverged', 'out_of_memory'))) AS useful
    FROM trimtab_studies s JOIN studies o USING (study_id) ORDER BY study_id
""")


def audit(engine: sa.Engine, journal: Iterable[Entry] = ()) -> list[Breach]:
    """Return every breach of the invariants; nothing is left in the database.

    Args:
        engine: Made by service.database.connect, or by `patient` where there is much to read. What is under way on it
            meanwhile may look like a breach.
        journal: What clients were told; without it only the record is compared with itself.
    """
    with engine.connect() as connection, connection.begin() as transaction:
        # In this order: the views below read the tables.
        lay_out(connection, journal)
        connection.execute(sa.text(VIEWS))
        found = [Breach(name, *row) for name, query in INVARIANTS.items() for row in connection.execute(sa.text(query))]
        found += _seen_otherwise(connection)
        transaction.rollback()
    return found


def patient(url: str) -> sa.Engine:
    """Return connections that wait for an answer as long as it takes, as the service's own do not."""
    engine = sa.create_engine(url)
    sa.event.listen(engine, "connect", lambda connection, _: prepare(connection))
    return engine


def _seen_otherwise(connection: sa.Connection) -> Iterator[Breach]:
    """Compare what a replica that has just started shows its samplers with the trials that they can use: I9."""
    for study_id, name, useful in connection.execute(_STUDIES).all():
        study = Memory().study(connection, study_id)
        assert study, "it is in the same transaction"
        seen = sorted(study.observe(connection).numbers_N.tolist())
        if seen != (useful or []):
            yield Breach("I9", name, None, f"samplers see {len(seen)} trials, there are {len(useful or [])}")
