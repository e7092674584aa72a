"""What a chaos run is asked for, and the numbers that follow."""

from dataclasses import dataclass

WORKERS = 12
REPLICAS = 2
STEPS = 3

LEASE_SECONDS = 4
"""An outage below two seconds extends no lease: one has to be longer than that, a pause between tries and an epoch."""

STUDIES_AT_ONCE = 5

LONGEST_EPOCH_SECONDS = 0.25
"""Where there is time to spare."""


@dataclass(frozen=True)
class Aim:
    """How hard, how long, and from which seed.

    Args:
        kills: Workers to be killed.
        seconds: In which all has to be done.
        seed: Of all that is drawn.
        trials: Over which the kills are spread.
    """

    kills: int
    seconds: float
    seed: int
    trials: int

    @property
    def stops(self) -> int:
        """Workers to be stopped for longer than their lease, and continued."""
        return max(1, self.kills // 10)

    @property
    def crashes(self) -> int:
        """Crashes of PostgreSQL."""
        return max(1, self.kills // 40)

    @property
    def late_writes(self) -> int:
        """Writes that a worker tries after it was told that its lease is lost: at least five for each kill in all.

        Not every worker that is stopped holds a lease, and some are killed when they go on.
        """
        return max(20, round(8 * self.kills / self.stops))

    @property
    def study_trials(self) -> int:
        """The budget of a study."""
        return min(250, max(10, self.trials // 8))

    @property
    def epoch_seconds(self) -> float:
        """How long a step takes on average, so that the trials fill a third of the time: the rest is for faults."""
        return min(LONGEST_EPOCH_SECONDS, 0.35 * self.seconds * WORKERS / self.trials / STEPS)
