"""Breaches of every invariant, each of which a test plants in a record that is whole."""

from dataclasses import dataclass

_WORDS = {
    "FIRST": "(SELECT min(trial_id) FROM trimtab_trials)",
    "ADDED": "(SELECT trial_id FROM trimtab_trials WHERE origin = 'added')",
    # Foreign keys keep no row out.
    "UNTIED": "SET LOCAL session_replication_role = replica",
}

# A constraint that keeps a breach out is taken away before it is planted.
_TEXT = """
I1: a report is gone
    DELETE FROM trimtab_reports WHERE lease_id = 1 AND step = 1
I1: a report has other metrics
    UPDATE trimtab_reports SET metrics = '{"error": 0.51}' WHERE lease_id = 1 AND step = 1
I1: a report that nobody sent
    INSERT INTO trimtab_reports VALUES (1, 7, '{"error": 1}', 'continue')
I1: a tell is gone
    UPDATE trimtab_leases SET outcome = NULL, ended_at = NULL WHERE lease_id = 1
I1: a complete trial is not
    UPDATE trials SET state = 'FAIL' WHERE trial_id = FIRST
I1: a value is another
    UPDATE trial_values SET value = 0.26 WHERE trial_id = FIRST
I1: a value is gone
    DELETE FROM trial_values WHERE trial_id = FIRST
I2: two live leases
    DROP INDEX uq_trimtab_leases_live; INSERT INTO trimtab_leases (study_id, trial_id, fence, attempt, worker,
    expires_at) SELECT study_id, trial_id, fence + 1, attempt, worker, expires_at FROM trimtab_leases WHERE
    ended_at IS NULL
I2: a trial runs without a lease
    UPDATE trials SET state = 'RUNNING' WHERE state = 'WAITING'
I2: a live lease on a trial that waits
    UPDATE trials SET state = 'WAITING' WHERE state = 'RUNNING'
I2: two ends
    UPDATE trimtab_leases SET outcome = 'complete' WHERE lease_id = 2
I2: an outcome and no end
    UPDATE trials SET state = 'WAITING' WHERE state = 'COMPLETE'
I2: the outcome of no lease
    UPDATE trimtab_trials SET outcome = 'error' WHERE trial_id = FIRST
I3: a report after the end
    UPDATE trimtab_reports r SET reported_at = ended_at + interval '1 ms' FROM trimtab_leases l WHERE
    l.lease_id = r.lease_id AND l.lease_id = 2
I3: a renewal after the end
    UPDATE trimtab_leases SET renewed_at = ended_at + interval '1 ms' WHERE lease_id = 2
I3: an older lease lives
    UPDATE trimtab_leases SET outcome = NULL, ended_at = NULL WHERE lease_id = 2
I3: a fence was left out
    UPDATE trimtab_trials SET fence = fence + 1 WHERE lost > 0
I3: an older attempt's step in the curve
    INSERT INTO trial_intermediate_values (trial_id, step, intermediate_value, intermediate_value_type) SELECT
    trial_id, 9, 0.5, 'FINITE' FROM trimtab_leases WHERE lease_id = 2
I3: an older attempt's value in the curve
    UPDATE trial_intermediate_values SET intermediate_value = 0.4 WHERE trial_id = FIRST
I3: a step that the curve lacks
    DELETE FROM trial_intermediate_values WHERE trial_id = FIRST AND step = 2
I3: a curve that is not as it came
    UPDATE trial_intermediate_values SET intermediate_value = 0.4 WHERE trial_id = ADDED AND step = 2
I4: a number is left out
    UPDATE trials SET number = 99 WHERE trial_id = FIRST
I4: a number twice
    ALTER TABLE trials DROP CONSTRAINT uq_trials_number; UPDATE trials SET number = 1 WHERE trial_id = FIRST
I4: two numbers
    UPDATE trimtab_trials SET number = 99 WHERE trial_id = FIRST
I5: another rate
    UPDATE trial_params SET param_value = param_value * 1.0000001 WHERE trial_id = FIRST AND param_name =
    'rate'
I5: another 1-momentum
    UPDATE trial_params SET param_value = param_value * 1.0000001 WHERE trial_id = FIRST AND param_name =
    '1-momentum'
I5: another units
    UPDATE trial_params SET param_value = param_value + 1 WHERE trial_id = FIRST AND param_name = 'units'
I5: another optimizer
    UPDATE trial_params SET param_value = 1 - param_value WHERE trial_id = FIRST AND param_name = 'optimizer'
I5: a parameter is gone
    DELETE FROM trial_params WHERE trial_id = FIRST AND param_name = 'units'
I5: a lease is gone
    DELETE FROM trimtab_leases WHERE lease_id = 2
I5: a lease of somebody else
    UPDATE trimtab_leases SET worker = 'another' WHERE lease_id = 2
I6: a verdict is another
    UPDATE trimtab_reports SET verdict = 'stop' WHERE lease_id = 1 AND step = 2
I6: a report after a stop
    INSERT INTO trimtab_reports SELECT lease_id, step + 1, metrics, 'continue' FROM trimtab_reports WHERE
    verdict = 'stop'
I6: a stopped trial was given again
    UPDATE trimtab_leases SET stop_reason = 'median' WHERE outcome = 'released' AND fence = 2
I7: a lease past its time
    UPDATE trimtab_leases SET expires_at = now() - interval '4 s' WHERE ended_at IS NULL
I7: a lease past its limit
    UPDATE trimtab_leases SET due_at = now() - interval '4 s' WHERE ended_at IS NULL
I8: more trials than the budget
    UPDATE trimtab_studies SET budget = 5, created = 5, finished = 5 WHERE state = 'complete'
I8: trials counted wrongly
    UPDATE trimtab_studies SET created = 3 WHERE state = 'running'
I8: added trials counted wrongly
    UPDATE trimtab_studies SET created = 3, added = 0 WHERE state = 'running'
I8: ends counted wrongly
    UPDATE trimtab_studies SET finished = 5 WHERE state = 'complete'
I8: complete before its time
    UPDATE trimtab_studies SET state = 'complete', ended_at = now() WHERE state = 'running'
I8: going on after its time
    UPDATE trimtab_studies SET state = 'paused', ended_at = NULL WHERE state = 'complete'
I8: epochs counted wrongly
    UPDATE trimtab_studies SET epochs = 9, epochs_used = 7 WHERE state = 'running'
I8: more epochs than the budget
    UPDATE trimtab_studies SET epochs = 1, epochs_used = 1 WHERE state = 'complete'
I8: going on with its target met
    UPDATE trimtab_studies SET target = 1 WHERE state = 'running'
I8: waiting in a study that comes to its end
    UPDATE trimtab_studies SET closing = 'budget.target' WHERE state = 'running'
I9: a gap in the order of ends
    UPDATE trimtab_trials SET finish_order = 99 WHERE trial_id = FIRST
I9: two at one place
    ALTER TABLE trimtab_trials DROP CONSTRAINT uq_trimtab_trials_study_id_finish_order; UPDATE trimtab_trials
    SET finish_order = 2 WHERE trial_id = FIRST
I9: a trial that no sampler sees
    UPDATE trimtab_trials SET finish_order = 0 WHERE trial_id = FIRST
I10: params of no trial
    UNTIED; INSERT INTO trial_params (trial_id, param_name, param_value, distribution_json) SELECT 999,
    param_name, param_value, distribution_json FROM trial_params WHERE trial_id = FIRST
I10: a trial of no study
    UNTIED; UPDATE trials SET study_id = 999 WHERE trial_id = FIRST
I10: a trial without its row
    UNTIED; DELETE FROM trimtab_trials WHERE trial_id = FIRST
I10: a trial without a lease
    UNTIED; DELETE FROM trimtab_leases WHERE trial_id = FIRST
I10: a lease on a trial that came finished
    UPDATE trimtab_leases SET trial_id = ADDED, fence = 2 WHERE ended_at IS NULL
I10: a lease without a trial
    UNTIED; UPDATE trimtab_leases SET trial_id = 999 WHERE lease_id = 1
I10: a report without a lease
    UNTIED; UPDATE trimtab_reports SET lease_id = 999 WHERE lease_id = 1
attempts: a lost lease is not counted
    UPDATE trimtab_trials SET lost = 0
attempts: a failure before its time
    UPDATE trimtab_leases SET outcome = 'released' WHERE lease_id = (SELECT max(lease_id) - 1 FROM
    trimtab_leases WHERE outcome = 'lost')
attempts: an attempt too many
    UPDATE trimtab_studies SET spec = jsonb_set(spec::jsonb, '{max_attempts}', '1')::json
attempts: an attempt counted wrongly
    UPDATE trimtab_leases SET attempt = attempt + 1 WHERE lease_id = 1
"""


@dataclass(frozen=True)
class Planted:
    """A breach of an invariant: what it is, and the statement that makes it."""

    invariant: str
    what: str
    statement: str


def planted() -> list[Planted]:
    """Return all of them."""
    found: list[Planted] = []
    for line in _TEXT.strip().splitlines():
        if not line.startswith(" "):
            invariant, _, what = line.partition(": ")
            found.append(Planted(invariant, what, ""))
        else:
            last = found.pop()
            found.append(Planted(last.invariant, last.what, f"{last.statement} {_spelled_out(line.strip())}"))
    return found


def _spelled_out(line: str) -> str:
    for word, meaning in _WORDS.items():
        line = line.replace(word, meaning)
    return line
