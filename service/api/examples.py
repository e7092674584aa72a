"""Bodies that the documentation of the API shows, and that work as they stand."""

from fastapi.openapi.models import Example

STUDIES: dict[str, Example] = {
    "shortest": {
        "summary": "Everything by default",
        "value": {"name": "digits", "task": {"name": "mlp"}},
    },
    "full": {
        "summary": "A space of one's own",
        "value": {
            "name": "digits-2",
            "task": {"name": "mlp", "data": {"dataset": "digits"}, "fixed": {"epochs": 30}},
            "space": {
                "learning_rate": {"type": "float", "low": 1e-4, "high": 0.1, "scale": "log"},
                "optimizer": {"type": "categorical", "choices": ["momentum", "adam"]},
                "momentum": {
                    "type": "float",
                    "low": 0.5,
                    "high": 0.999,
                    "scale": "reverse_log",
                    "when": {"optimizer": ["momentum"]},
                },
                "hidden_units": {"type": "int", "low": 16, "high": 256, "scale": "log"},
            },
            "objectives": [{"metric": "validation_error", "direction": "minimize"}],
            "sampler": {"name": "tpe", "seed": 0},
            "pruner": {"name": "median", "startup_trials": 5, "warmup_steps": 3},
            "budget": {"trials": 100},
        },
    },
}
