# Everything from nothing: needs Python 3.11 or newer and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: install demo test check format docs bench bench-asks bench-patients bench-search bench-defaults bench-objective bench-pages bench-training crash-points test-pages test-states fuzz chaos test-compose clean

install: $(VENV)/.installed  ## the environment (.venv) and nothing else

# torch first and alone: whatever depends on it then takes the build that pip found, and no other.
$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt torch
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[service,dashboard,gp,fanova,embedded,workers,docs,dev]'
	touch $@

demo: install  ## a study on real data from nothing, and its answer
	$(BIN)/python -m examples.demo

# Files of tests side by side, each process with a PostgreSQL of its own. More processes than two cores: tests of whole
# services and workers wait for much of their time. In the order of their folders: those that take longest come first,
# and the many small ones at the end leave no core idle.
PROCESSES ?= 3
test: install  ## all tests but those that need a container engine
	$(BIN)/pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder --ignore tests/pages
	$(MAKE) test-pages

# In one process: all of them look at one service, one worker and one study.
test-pages: install  ## the pages in a real browser, where this machine has a chromium
	$(BIN)/pytest tests/pages

check: install  ## what must hold before a change lands
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) test

format: install
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: install  ## the pages as a site, in site/; a page that nothing leads to, or a link to nothing, fails
	$(BIN)/mkdocs build --strict

bench: install  ## through HTTP against plain Optuna; see benchmarks/LOG.md
	$(BIN)/python -m benchmarks.trial

bench-asks: install  ## what an ask costs at 10,000 trials, and the memory of a replica; see benchmarks/LOG.md
	$(BIN)/python -m benchmarks.asks

bench-objective: install  ## an objective through `trimtab.optimize` against plain Optuna; see benchmarks/LOG.md
	$(BIN)/python -m benchmarks.objective

bench-search: install  ## every sampler on problems of known optimum; goes on where it stopped; see benchmarks/LOG.md
	$(BIN)/python -m benchmarks.search

bench-patients: install  ## studies with a planted illness, and what the doctor names first; see benchmarks/LOG.md
	$(BIN)/python -m benchmarks.patients

bench-pages: install  ## first paint, bytes, events and the cost of open pages, in a real browser; see benchmarks/LOG.md
	$(BIN)/python -m benchmarks.pages

bench-defaults: install  ## studies with all defaults: their best errors, and the time they take
	$(BIN)/python -m benchmarks.defaults

bench-training: install  ## training through the worker against a loop written by hand; see benchmarks/LOG.md
	$(BIN)/python -m benchmarks.training

CASES ?= 20000
SEED ?= 1
fuzz: install  ## requests made up from the description of the API; ends with 1 if one is not answered as it says
	$(BIN)/python -m tests.reliability.fuzzing --cases $(CASES) --seed $(SEED)

# As hard and as long as it is told to; the seed draws the faults.
KILLS ?= 100
SECONDS ?= 180
chaos: install  ## real processes under faults of every kind; ends with 1 if anything is not as promised
	$(BIN)/python -m tests.reliability.chaos --kills $(KILLS) --seconds $(SECONDS) --seed $(SEED)

crash-points: install  ## every fault at every statement and commit of every call that writes
	CRASH_POINTS=all $(BIN)/pytest tests/reliability/test_crash_points.py

HISTORIES ?= 1000
test-states: install  ## random calls in a random order against a model, 40 calls a history
	HISTORIES=$(HISTORIES) $(BIN)/pytest tests/reliability/test_state_machine.py

test-compose: install  ## the compose file on a real container engine
	$(BIN)/pytest -m compose tests/compose

clean:
	rm -rf $(VENV)
