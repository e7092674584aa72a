"""How the learning rate falls from epoch to epoch."""

import math
from dataclasses import dataclass

_ROUNDING = 1e-9  # 0.29 * 100 is a little less than 29


@dataclass(frozen=True)
class Schedule:
    """The share of the learning rate that an epoch has.

    With t the epoch, counted from 1, T the number of epochs and r the rate:

        none          1
        inverse_time  1 / (1 + r t)
        exponential   (1 - r)^t             0.95^t is r = 0.05; from r = 1 on nothing is left
        inverse_sqrt  1 / sqrt(t)           k / sqrt(t), k being the learning rate itself: r has no use
        staircase     1/2^floor(r (t - 1))  halved each 1/r epochs
        cosine        (1 + cos(pi (t - 1) / T)) / 2    r has no use

    Args:
        decay: Which of them.
        rate: r, 0 or above.
        epochs: T.

    Source: Andrew Ng, Improving Deep Neural Networks, week 2, "Learning rate decay"; cosine: Loshchilov and
        Hutter, "SGDR" (2017), eq. 5, without restarts.
    """

    decay: str
    rate: float
    epochs: int

    def share(self, epoch: int) -> float:
        """Return what the learning rate is multiplied by in an epoch, counted from 1; in [0, 1].

        Raises:
            ValueError: There is no decay of that name.
        """
        match self.decay:
            case "none":
                return 1.0
            case "inverse_time":
                return 1 / (1 + self.rate * epoch)
            case "exponential":
                return float(max(0.0, 1 - self.rate) ** epoch)
            case "inverse_sqrt":
                return 1 / math.sqrt(epoch)
            case "staircase":
                return math.ldexp(1.0, -math.floor(self.rate * (epoch - 1) + _ROUNDING))
            case "cosine":
                return (1 + math.cos(math.pi * (epoch - 1) / self.epochs)) / 2
        raise ValueError(f"no decay is called {self.decay!r}")
