"""A trial that went on from a checkpoint has the figures of its whole curve, before its next report too."""

from service.replica import Replica
from tests.service.checkpointing import begun, lost, put
from tests.service.specs import METRIC
from trimtab.client import Client
from trimtab.protocol import Lease
from trimtab.states import TrialState


def resumed(client: Client, replica: Replica) -> Lease:
    """A lease from step 2 on, that has reported nothing itself."""
    put(client, begun(client, 0.5, 0.25), 2)
    return lost(client, replica)


def test_a_resumed_trial_shows_what_was_reported_where_it_goes_on(client: Client, replica: Replica) -> None:
    resumed(client, replica)

    trial = client.trial("study", 0)

    assert (trial.step, trial.metrics) == (2, {METRIC: 0.25})


def test_a_resumed_trial_that_is_pruned_before_its_next_report_keeps_its_value(
    client: Client, replica: Replica
) -> None:
    lease = resumed(client, replica)
    client.stop_trial("study", 0)

    client.tell(lease, "pruned")

    trial = client.trial("study", 0)
    assert (trial.state, trial.step, trial.values) == (TrialState.PRUNED, 2, {METRIC: 0.25})
