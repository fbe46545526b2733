# Two commands matter: `make sim` and `make test`. Launch arguments may follow, as in
#   make sim scene:=city:7 episodes:=4
# Nothing is installed outside this folder.

PYTHON ?= python3
PYTEST_ARGS ?=
ARGS ?=

VENV := .venv/bin
WORKSPACE := PYTHONPATH=src/bare/workspace $(PYTHON) -m s2e_workspace
# `name:=value` or `name=value` on make's command line, in lower case, is a launch argument.
OVERRIDES := $(foreach v,$(.VARIABLES),$(if $(findstring command line,$(origin $(v))),$(v)))
LAUNCH_NAMES := $(filter-out PYTHON PYTEST_ARGS ARGS MAKE% -%,$(OVERRIDES))
LAUNCH_ARGS := $(foreach v,$(LAUNCH_NAMES),'$(v):=$($(v))') $(ARGS)

.PHONY: help sim setup setup-development test lint format bench clean distclean

help:
	@echo 'make sim [name:=value ...]  drive a simulated robot and write a report to runs/'
	@echo 'make test                   every test'
	@echo 'make lint                   ruff and mypy'
	@echo 'make bench                  the timings of test/benchmark'
	@echo 'make setup                  only build the environment'
	@echo 'make clean | distclean      remove build products | and environment, caches, runs'

setup:
	@$(WORKSPACE) setup

setup-development:
	@$(WORKSPACE) setup --profile development

sim: setup
	@exec $(VENV)/ros2 launch s2e_nav navbench_sim.launch.py $(LAUNCH_ARGS)

# All of them in two runs side by side; with PYTEST_ARGS one run of what they choose.
test: setup-development
	@$(if $(strip $(PYTEST_ARGS)),\
	exec $(VENV)/python -m pytest --junitxml=.cache/test-report.xml $(PYTEST_ARGS),\
	PYTHONPATH=src/bare/workspace exec $(VENV)/python -m s2e_workspace.suites \
	--report .cache/test-report.xml)

lint: setup-development
	$(VENV)/ruff check .
	$(VENV)/mypy

format: setup-development
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .

bench: setup-development
	@for script in test/benchmark/bench_*.py; do $(VENV)/python $$script || exit 1; done

clean:
	rm -rf build install log .pytest_cache .mypy_cache .ruff_cache .hypothesis
	rm -f .venv/.s2e/stamps/overlay
	find src test launch -name __pycache__ -type d -prune -exec rm -rf {} +
	find src -name '*.egg-info' -type d -prune -exec rm -rf {} +

distclean: clean
	rm -rf .venv .cache runs
