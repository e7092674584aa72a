"""All that is on record but times and ids: two records with the same history have the same summary."""

import sqlalchemy as sa

_PARTS = {
    "studies": """
        SELECT o.study_name, s.state, s.reason, s.budget, s.created, s.added, s.finished, s.failed_in_a_row,
          s.closing, s.epochs, s.epochs_used, s.target, s.patience,
          CAST(s.space AS text), s.best_value, CAST(s.tags AS text), s.priority,
          (SELECT number FROM trimtab_trials b WHERE b.trial_id = s.best_trial_id), s.ended_at IS NULL
        FROM trimtab_studies s JOIN studies o USING (study_id)""",
    "trials": """
        SELECT t.number, t.state, u.fence, u.lost, u.outcome, u.reason, u.step, CAST(u.metrics AS text), u.finish_order,
          u.origin, CAST(u.curve AS text),
          (SELECT string_agg(p.param_name || p.param_value, ',' ORDER BY p.param_name) FROM trial_params p
           WHERE p.trial_id = t.trial_id),
          (SELECT string_agg(CAST(v.value AS text), ',') FROM trial_values v WHERE v.trial_id = t.trial_id),
          (SELECT string_agg(i.step || ':' || i.intermediate_value, ',' ORDER BY i.step)
           FROM trial_intermediate_values i WHERE i.trial_id = t.trial_id),
          (SELECT string_agg(a.key || a.value_json, ',' ORDER BY a.key) FROM trial_user_attributes a
           WHERE a.trial_id = t.trial_id),
          (SELECT value_json FROM trial_system_attributes a WHERE a.trial_id = t.trial_id AND key = 'fixed_params')
        FROM trials t JOIN trimtab_trials u USING (trial_id)""",
    "leases": """
        SELECT t.number, l.fence, l.attempt, l.worker, l.start_step, l.last_step, l.best, l.stop_reason, l.outcome,
          CAST(l.told AS text), l.ended_at IS NULL
        FROM trimtab_leases l JOIN trimtab_trials t USING (trial_id)""",
    "reports": """
        SELECT t.number, l.fence, r.step, CAST(r.metrics AS text), r.verdict, r.reason
        FROM trimtab_reports r JOIN trimtab_leases l USING (lease_id) JOIN trimtab_trials t USING (trial_id)""",
    "logs": """
        SELECT t.number, l.fence, g.line, g.text
        FROM trimtab_logs g JOIN trimtab_leases l USING (lease_id) JOIN trimtab_trials t USING (trial_id)""",
    "checkpoints": """
        SELECT t.number, c.step, c.fence, c.sha256, c.size
        FROM trimtab_checkpoints c JOIN trimtab_trials t USING (trial_id)""",
    "companions": """
        SELECT o.study_name, s.purpose, p.study_name FROM trimtab_studies s JOIN studies o USING (study_id)
        JOIN studies p ON p.study_id = s.parent_id""",
    "models": "SELECT o.study_name, m.fence, m.sha256, m.size FROM trimtab_models m JOIN studies o USING (study_id)",
    "readings": """
        SELECT o.study_name, r.final_study, r.is_override, r.reason
        FROM trimtab_test_reads r JOIN studies o USING (study_id)""",
    "wanted final models": """
        SELECT o.study_name, w.reason, w.refusal FROM trimtab_wanted_finals w JOIN studies o USING (study_id)""",
    "data sets": "SELECT name, version, sha256, size, CAST(facts AS text) FROM trimtab_datasets",
    "tombstones": "SELECT study FROM trimtab_tombstones",
    "tokens": "SELECT kind, name, revoked_at IS NULL FROM trimtab_tokens",
    "audit": """
        SELECT action, CASE WHEN action NOT LIKE '% token' THEN subject END, CAST(details AS text)
        FROM trimtab_audit""",
    "keys": "SELECT route, key, status FROM trimtab_keys",
}


def summary(engine: sa.Engine) -> dict[str, list[str]]:
    """Return what is on record, by kind, each line as text."""
    with engine.connect() as connection:
        return {
            kind: sorted(str(tuple(row)) for row in connection.execute(sa.text(query)))
            for kind, query in _PARTS.items()
        }
