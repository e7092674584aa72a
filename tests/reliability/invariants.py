"""The invariants as SQL: each query returns its breaches as (study, trial, text). A clean record has none.

They read the real tables, and of what clients were told the tables `journal_*` (see tests.reliability.evidence).
`numbered` is every trial by its study's name and its number, `held` every lease by its trial, `recorded_params` the
params of every trial in the words of its spec.
"""

from service.sweep import INTERVAL_SECONDS

SWEEP_SECONDS = 2.0
"""How long a lease may outlive its time."""

VIEWS = """
    CREATE TEMPORARY VIEW numbered AS
      SELECT o.study_name AS study, t.number AS trial, t.trial_id, t.study_id, lower(CAST(t.state AS text)) AS state
      FROM trials t JOIN studies o USING (study_id);
    CREATE TEMPORARY VIEW held AS
      SELECT n.study, n.trial, l.*, l.fence = max(l.fence) OVER (PARTITION BY l.trial_id) AS is_newest
      FROM trimtab_leases l JOIN numbered n USING (trial_id);
    CREATE TEMPORARY TABLE searched ON COMMIT DROP AS
      SELECT study_id, name, coalesce(parameter ->> 'scale' = 'reverse_log', false) AS is_reversed,
        CAST(parameter ->> 'low' AS float8) AS low, CAST(parameter ->> 'high' AS float8) AS high
      FROM trimtab_studies CROSS JOIN LATERAL jsonb_each(CASE
        WHEN json_typeof(spec -> 'space') = 'object' THEN CAST(spec AS jsonb) -> 'space'
        ELSE coalesce(CAST(space AS jsonb), '{}') END) AS s (name, parameter);
    CREATE TEMPORARY TABLE recorded_params ON COMMIT DROP AS
      SELECT trial_id, jsonb_object_agg(coalesce(s.name, param_name), CASE
        WHEN s.is_reversed THEN to_jsonb(least(greatest(1 - param_value, s.low), s.high))
        WHEN distribution_json LIKE '{"name": "CategoricalDistribution"%'
          THEN CAST(distribution_json AS jsonb) -> 'attributes' -> 'choices' -> CAST(param_value AS int)
        ELSE to_jsonb(param_value) END) AS params
      FROM trial_params JOIN trials t USING (trial_id)
      LEFT JOIN searched s ON s.study_id = t.study_id
        AND param_name = CASE WHEN s.is_reversed THEN '1-' || s.name ELSE s.name END
      GROUP BY trial_id;
    CREATE INDEX ON recorded_params (trial_id);
    ANALYZE recorded_params;
"""

ACKNOWLEDGED_IS_RECORDED = """
    SELECT j.study, j.trial, format('lease %s: the acknowledged report of step %s is not there', j.lease, j.step)
    FROM journal_reported j LEFT JOIN trimtab_reports r ON r.lease_id = j.lease AND r.step = j.step
    WHERE j.recorded AND (r.lease_id IS NULL OR CAST(r.metrics AS jsonb) <> j.metrics)
  UNION ALL
    SELECT r.study, r.trial, format('lease %s: nobody sent the report of step %s', r.lease_id, r.step)
    FROM (SELECT h.study, h.trial, w.* FROM trimtab_reports w JOIN held h USING (lease_id)) AS r
    WHERE lease_id IN (SELECT lease FROM journal_sent) AND NOT EXISTS (
      SELECT FROM journal_sent s
      WHERE s.lease = r.lease_id AND s.step = r.step AND s.metrics = CAST(r.metrics AS jsonb))
  UNION ALL
    SELECT j.study, j.trial, format('lease %s: %s was acknowledged, on record is %s', j.lease, j.outcome, h.outcome)
    FROM journal_told j LEFT JOIN held h ON h.lease_id = j.lease
    WHERE h.outcome IS DISTINCT FROM j.outcome
  UNION ALL
    SELECT j.study, j.trial, format('lease %s left the trial %s, it is %s', j.lease, j.state, n.state)
    FROM journal_told j JOIN trimtab_leases l ON l.lease_id = j.lease JOIN numbered n USING (trial_id)
    WHERE j.state <> 'waiting' AND n.state <> j.state
  UNION ALL
    SELECT j.study, j.trial, format('lease %s told the value %s, on record is %s', j.lease, told.value, v.value)
    FROM journal_told j
    JOIN trimtab_leases l ON l.lease_id = j.lease
    JOIN trimtab_studies s ON s.study_id = l.study_id
    CROSS JOIN LATERAL (
      SELECT CAST(j.metrics ->> (CAST(s.spec AS jsonb) #>> '{objectives,0,metric}') AS float8) AS value) AS told
    LEFT JOIN trial_values v ON v.trial_id = l.trial_id AND v.objective = 0
    WHERE j.state = 'complete' AND v.value IS DISTINCT FROM told.value
"""

ONE_LIVE_LEASE_AND_ONE_END = """
    SELECT study, trial, format('%s live leases', count(*)) FROM held WHERE ended_at IS NULL
    GROUP BY study, trial HAVING count(*) > 1
  UNION ALL
    SELECT study, trial, 'it runs and nobody has it' FROM numbered n
    WHERE state = 'running' AND NOT EXISTS (
      SELECT FROM trimtab_leases l WHERE l.trial_id = n.trial_id AND l.ended_at IS NULL)
  UNION ALL
    SELECT h.study, h.trial, format('lease %s lives, the trial is %s', lease_id, state)
    FROM held h JOIN numbered n USING (trial_id) WHERE ended_at IS NULL AND state <> 'running'
  UNION ALL
    SELECT study, trial, format('lease %s ended it: %s; there is a newer lease', lease_id, outcome) FROM held
    WHERE outcome NOT IN ('lost', 'released') AND NOT is_newest
  UNION ALL
    SELECT n.study, n.trial, format('it is %s, and its outcome is %s', n.state, coalesce(t.outcome, 'none'))
    FROM numbered n JOIN trimtab_trials t USING (trial_id)
    WHERE (n.state IN ('complete', 'pruned', 'fail')) <> (t.outcome IS NOT NULL)
  UNION ALL
    SELECT h.study, h.trial, format('its outcome is %s, that of its last lease %s', t.outcome, h.outcome)
    FROM held h JOIN trimtab_trials t USING (trial_id)
    WHERE is_newest AND t.outcome IS NOT NULL AND h.outcome IS DISTINCT FROM t.outcome
      AND NOT ((t.reason = 'stopped by hand' OR t.reason LIKE 'budget.%')
        AND t.outcome = 'pruned' AND h.outcome IN ('lost', 'released'))
"""

# Of a lease that ended: its reports, each stamped at the start of its statement, and renewals came before.
NOTHING_OF_AN_OLDER_FENCE = """
    SELECT study, trial, format('lease %s ended, then step %s was reported on it', lease_id, r.step)
    FROM held JOIN trimtab_reports r USING (lease_id) WHERE r.reported_at > ended_at
  UNION ALL
    SELECT study, trial, format('lease %s ended, then it was renewed', lease_id) FROM held WHERE renewed_at > ended_at
  UNION ALL
    SELECT study, trial, format('lease %s lives, and there is a newer one', lease_id) FROM held
    WHERE ended_at IS NULL AND NOT is_newest
  UNION ALL
    SELECT n.study, n.trial, format('its fence is %s, its leases are %s', t.fence, array_agg(l.fence ORDER BY l.fence))
    FROM numbered n JOIN trimtab_trials t USING (trial_id) LEFT JOIN trimtab_leases l USING (trial_id)
    GROUP BY n.study, n.trial, t.trial_id
    HAVING array_agg(l.fence ORDER BY l.fence) <> (SELECT array_agg(i) FROM generate_series(1, t.fence) i)
  UNION ALL
    SELECT h.study, h.trial, format('its curve at step %s is not what lease %s reported', i.step, h.lease_id)
    FROM held h JOIN trial_intermediate_values i USING (trial_id)
    LEFT JOIN trimtab_reports r USING (lease_id, step)
    WHERE h.is_newest AND i.step > h.start_step AND (r.lease_id IS NULL OR i.intermediate_value IS DISTINCT FROM
      CAST(r.metrics ->> (SELECT s.spec #>> '{objectives,0,metric}' FROM trimtab_studies s
                          WHERE s.study_id = h.study_id) AS float8))
  UNION ALL
    SELECT n.study, n.trial, format('it came with %s at step %s, on record is %s', c.value, c.step,
      i.intermediate_value)
    FROM (
      SELECT trial_id, c.step, CAST(c.metrics ->> (s.spec #>> '{objectives,0,metric}') AS float8) AS value
      FROM trimtab_trials t JOIN trimtab_studies s USING (study_id)
      CROSS JOIN json_to_recordset(t.curve) AS c (step int, metrics json)) AS c
    JOIN numbered n USING (trial_id) LEFT JOIN trial_intermediate_values i USING (trial_id, step)
    WHERE i.trial_id IS NULL OR i.intermediate_value IS DISTINCT FROM c.value
  UNION ALL
    SELECT h.study, h.trial, format('its curve lacks step %s of lease %s', r.step, h.lease_id)
    FROM held h JOIN trimtab_reports r USING (lease_id)
    LEFT JOIN trial_intermediate_values i USING (trial_id, step)
    WHERE h.is_newest AND i.trial_id IS NULL
"""

NUMBERS_ARE_DENSE = """
    SELECT study, CAST(NULL AS int), format('%s trials numbered %s to %s', count(*), min(trial), max(trial))
    FROM numbered GROUP BY study
    HAVING min(trial) <> 0 OR max(trial) <> count(*) - 1 OR count(DISTINCT trial) <> count(*)
  UNION ALL
    SELECT study, trial, format('its number is %s too', t.number)
    FROM numbered n JOIN trimtab_trials t USING (trial_id) WHERE t.number <> n.trial
"""

PARAMS_ARE_THOSE_RECEIVED = """
    SELECT j.study, j.trial, format('lease %s gave %s, on record is %s', j.lease, j.params, p.params)
    FROM journal_leased j JOIN trimtab_leases l ON l.lease_id = j.lease LEFT JOIN recorded_params p USING (trial_id)
    JOIN trimtab_studies s ON s.study_id = l.study_id
    WHERE CASE WHEN json_typeof(s.spec -> 'space') = 'object' THEN j.params IS DISTINCT FROM p.params
      ELSE NOT coalesce(p.params, '{}') @> j.params END
  UNION ALL
    SELECT j.study, j.trial, format('lease %s was suggested %s = %s, on record is %s', j.lease, name, value, p.params)
    FROM journal_suggested j JOIN trimtab_leases l ON l.lease_id = j.lease LEFT JOIN recorded_params p USING (trial_id)
    WHERE j.value IS DISTINCT FROM p.params -> j.name
  UNION ALL
    SELECT n.study, n.trial, format('it has %s, which its study does not search', p.param_name)
    FROM trial_params p JOIN numbered n USING (trial_id) JOIN trimtab_studies s USING (study_id)
    WHERE s.task IS NULL AND NOT EXISTS (
      SELECT FROM searched c WHERE c.study_id = n.study_id
        AND p.param_name = CASE WHEN c.is_reversed THEN '1-' || c.name ELSE c.name END
        AND (c.low IS NULL OR c.is_reversed OR p.param_value BETWEEN c.low AND c.high))
  UNION ALL
    SELECT j.study, j.trial, format('lease %s was given and is not there as it was given', j.lease)
    FROM journal_leased j LEFT JOIN held h ON h.lease_id = j.lease
    WHERE (j.study, j.trial, j.fence, j.attempt, j.worker)
      IS DISTINCT FROM (h.study, h.trial, h.fence, h.attempt, h.worker)
"""

VERDICTS_NEVER_CHANGE = """
    SELECT j.study, j.trial, format('lease %s, step %s: the verdict was %s, on record is %s',
      j.lease, j.step, j.verdict, r.verdict)
    FROM journal_reported j JOIN trimtab_reports r ON r.lease_id = j.lease AND r.step = j.step
    WHERE j.recorded AND j.verdict <> r.verdict
  UNION ALL
    SELECT j.study, j.trial, format('lease %s, step %s: two verdicts', j.lease, j.step)
    FROM journal_reported j GROUP BY j.study, j.trial, j.lease, j.step HAVING count(DISTINCT j.verdict) > 1
  UNION ALL
    SELECT h.study, h.trial, format('lease %s was told to stop, then step %s was recorded', h.lease_id, later.step)
    FROM held h
    JOIN trimtab_reports stop ON stop.lease_id = h.lease_id AND stop.verdict = 'stop'
    JOIN trimtab_reports later ON later.lease_id = h.lease_id AND later.step > stop.step
  UNION ALL
    SELECT study, trial, format('lease %s was told to stop, and there is a newer one', lease_id)
    FROM held WHERE stop_reason IS NOT NULL AND NOT is_newest
"""

LEASES_END_IN_TIME = f"""
    SELECT study, trial, format('lease %s was to end at %s and lives', lease_id, least(expires_at, due_at))
    FROM held WHERE ended_at IS NULL
      AND least(expires_at, due_at) < clock_timestamp() - make_interval(secs => {SWEEP_SECONDS + INTERVAL_SECONDS})
"""

BUDGETS_ARE_EXACT = """
    WITH counted AS (
      SELECT o.study_name AS study, s.*, (SELECT count(*) FROM trials t WHERE t.study_id = s.study_id) AS trials,
        (SELECT count(*) FROM numbered n WHERE n.study_id = s.study_id
         AND n.state IN ('complete', 'pruned', 'fail')) AS ended,
        (SELECT count(*) FROM trimtab_trials t WHERE t.study_id = s.study_id AND t.origin = 'added') AS came,
        (SELECT count(*) FROM held h JOIN trimtab_reports r USING (lease_id) JOIN numbered n USING (trial_id)
         WHERE n.study_id = s.study_id) AS epochs_reported
      FROM trimtab_studies s JOIN studies o USING (study_id))
    SELECT study, CAST(NULL AS int), format('%s trials of a budget of %s', trials - added, budget)
    FROM counted WHERE trials - added > budget
  UNION ALL
    SELECT study, NULL, format('%s epochs of %s, counted as %s', epochs_reported, epochs, epochs_used) FROM counted
    WHERE epochs_reported > epochs OR (epochs IS NOT NULL AND epochs_reported <> epochs_used)
  UNION ALL
    SELECT study, NULL, format('%s trials, counted as %s and %s added', trials, created, added)
    FROM counted WHERE trials <> created + added OR came <> added
  UNION ALL
    SELECT study, NULL, format('%s trials have ended, counted as %s', ended, finished) FROM counted
    WHERE ended <> finished
  UNION ALL
    SELECT study, NULL, format('complete with %s of %s trials', ended - added, budget) FROM counted
    WHERE state = 'complete' AND ended - added <> budget AND (closing IS NULL OR ended <> trials)
  UNION ALL
    SELECT study, NULL, format('all of %s trials have ended and it is %s', budget, state) FROM counted
    WHERE state NOT IN ('complete', 'stopped')
      AND (ended - added = budget OR (closing LIKE 'budget.%' AND ended = trials))
  UNION ALL
    SELECT study, NULL, format('its best value is %s, its target %s, and it goes on', best_value, target) FROM counted
    WHERE state IN ('running', 'paused') AND closing IS NULL AND CASE
      WHEN spec #>> '{objectives,0,direction}' = 'minimize' THEN best_value <= target ELSE best_value >= target END
  UNION ALL
    SELECT c.study, n.trial, format('%s, and it waits', closing) FROM counted c JOIN numbered n USING (study_id)
    WHERE closing LIKE 'budget.%' AND n.state = 'waiting'
  UNION ALL
    SELECT h.study, h.trial, format('%s, and lease %s was not told to stop', c.closing, lease_id)
    FROM held h JOIN counted c USING (study_id)
    WHERE closing LIKE 'budget.%' AND h.ended_at IS NULL AND stop_reason IS NULL
"""

ENDS_ARE_IN_ORDER = """
    SELECT n.study, CAST(NULL AS int), format('%s ends, numbered %s to %s',
      count(t.finish_order), min(t.finish_order), max(t.finish_order))
    FROM numbered n JOIN trimtab_trials t USING (trial_id) JOIN trimtab_studies s ON s.study_id = n.study_id
    GROUP BY n.study, s.finished
    HAVING count(t.finish_order) <> s.finished OR count(DISTINCT t.finish_order) <> s.finished
      OR coalesce(max(t.finish_order), 0) <> s.finished OR coalesce(min(t.finish_order), 1) <> 1
"""

_OF_A_TRIAL = ("trimtab_trials", "trial_params", "trial_values", "trial_intermediate_values", "trimtab_checkpoints")

NOTHING_IS_ORPHANED = " UNION ALL ".join(
    [
        *(
            f"""
    SELECT CAST(NULL AS text), CAST(NULL AS int), format('{table}: trial_id %s has no trial', trial_id)
    FROM {table} WHERE trial_id NOT IN (SELECT trial_id FROM trials)
"""
            for table in _OF_A_TRIAL
        ),
        """
    SELECT study, trial, 'it has no row of ours' FROM numbered
    WHERE study_id IN (SELECT study_id FROM trimtab_studies) AND trial_id NOT IN (SELECT trial_id FROM trimtab_trials)
""",
        """
    SELECT study, trial, 'it never had a lease' FROM numbered JOIN trimtab_trials USING (trial_id)
    WHERE trial_id NOT IN (SELECT trial_id FROM trimtab_leases)
      AND (origin IN ('sampled', 'control') OR origin = 'enqueued' AND state IN ('running', 'complete', 'fail'))
""",
        """
    SELECT h.study, h.trial, format('it came finished, and lease %s is on it', h.lease_id)
    FROM held h JOIN trimtab_trials t USING (trial_id) WHERE t.origin = 'added'
""",
        """
    SELECT NULL, NULL, format('lease %s has no trial', lease_id) FROM trimtab_leases
    WHERE trial_id NOT IN (SELECT trial_id FROM trimtab_trials)
""",
        """
    SELECT NULL, NULL, format('a report of step %s has no lease: %s', step, lease_id) FROM trimtab_reports
    WHERE lease_id NOT IN (SELECT lease_id FROM trimtab_leases)
""",
        """
    SELECT NULL, NULL, format('trial_id %s has no study', trial_id) FROM trials
    WHERE study_id NOT IN (SELECT study_id FROM studies)
""",
    ]
)

LOST_LEASES_ARE_COUNTED = """
    WITH counted AS (
      SELECT n.study, n.trial, n.state, t.outcome, t.lost, CAST(s.spec ->> 'max_attempts' AS int) AS max_attempts,
        (SELECT count(*) FROM trimtab_leases l WHERE l.trial_id = n.trial_id AND l.outcome = 'lost') AS leases
      FROM numbered n JOIN trimtab_trials t USING (trial_id) JOIN trimtab_studies s ON s.study_id = n.study_id)
    SELECT study, trial, format('it lost %s leases, counted as %s', leases, lost) FROM counted WHERE leases <> lost
  UNION ALL
    SELECT study, trial, format('it failed with %s of %s leases lost', leases, max_attempts) FROM counted
    WHERE state = 'fail' AND outcome = 'lost' AND leases <> max_attempts
  UNION ALL
    SELECT study, trial, format('it lost %s of %s leases and is %s', leases, max_attempts, state) FROM counted
    WHERE leases > max_attempts OR leases = max_attempts AND outcome IS DISTINCT FROM 'lost'
  UNION ALL
    SELECT study, trial, format('lease %s counts as attempt %s', lease_id, attempt) FROM held h
    WHERE attempt <> 1 + (
      SELECT count(*) FROM trimtab_leases l
      WHERE l.trial_id = h.trial_id AND l.fence < h.fence AND l.outcome = 'lost')
"""

INVARIANTS = {
    "I1": ACKNOWLEDGED_IS_RECORDED,
    "I2": ONE_LIVE_LEASE_AND_ONE_END,
    "I3": NOTHING_OF_AN_OLDER_FENCE,
    "I4": NUMBERS_ARE_DENSE,
    "I5": PARAMS_ARE_THOSE_RECEIVED,
    "I6": VERDICTS_NEVER_CHANGE,
    "I7": LEASES_END_IN_TIME,
    "I8": BUDGETS_ARE_EXACT,
    "I9": ENDS_ARE_IN_ORDER,
    "I10": NOTHING_IS_ORPHANED,
    "attempts": LOST_LEASES_ARE_COUNTED,
}
"""By the names of docs/reliability.md; `attempts` is the counting of lost leases."""
