# Every entry point of the project. `make` alone lists the targets.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CONSTRAINTS := constraints.txt

.DEFAULT_GOAL := help
.PHONY: help setup setup-test conf demo test test-all lint types check docs clean tables-smoke board converged

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# A stamp is written only after an installation that went through, so an interrupted one is repeated.
$(VENV)/.installed: pyproject.toml $(CONSTRAINTS)
	$(PYTHON) -c 'import sys; sys.exit("error: snnlab needs Python 3.11 or newer\nhint: make setup PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint $(CONSTRAINTS) --editable .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/pip install --quiet --constraint $(CONSTRAINTS) --editable '.[test]'
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	$(BIN)/pip install --quiet --constraint $(CONSTRAINTS) --editable '.[docs]'
	@touch $@

setup: $(VENV)/.installed ## make .venv and install snnlab with everything it needs

setup-test: $(VENV)/.installed-test ## the same with the test tools

demo: setup ## train the quickstart on event streams of handwritten digits (2 minutes on 2 cores)
	$(BIN)/snnlab train +experiment=quickstart

test: setup-test ## the default tests: CPU, no network
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses 2

test-all: setup-test ## all tests that this machine can run (slow, and data where SNNLAB_SHARED_DATA is set)
	OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses 2 -m 'not gpu and not faults'

conf: setup ## write YAML and type stubs of all components from their sources
	$(BIN)/python -m snnlab.config.component_yaml snnlab conf
	$(BIN)/python -m snnlab.config.package_stub

lint: setup-test ## ruff: rules and formatting; the import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: setup-test ## mypy, strict
	$(BIN)/mypy

# All in one process, which imports everything once; what the runs print goes into a file.
SMOKE := runs/tables-smoke
tables-smoke: setup ## run every table and figure for two training steps on embedded data
	@mkdir -p $(SMOKE)
	$(BIN)/snnlab table --all scale=smoke --run hydra/launcher=basic trainer.device=cpu trainer.progress=none \
	  paths.runs=$(SMOKE)/runs --format md --output $(SMOKE) > $(SMOKE)/log.txt

# table-tmc-1 is `snnlab table tmc_1`; make table-tmc-1 RUN=1 ARGS='scale=short' also starts the runs that are missing.
table-%: setup
	$(BIN)/snnlab table $(subst -,_,$*) $(if $(RUN),--run) $(ARGS)

figure-%: setup
	$(BIN)/snnlab table figure_$(subst -,_,$*) $(if $(RUN),--run) $(ARGS)

# make board ARGS='seeds=[0] trainer.threads=1' measures a part; the same command goes on where it was cut.
board: setup ## train and measure every loss with every neuron, and write board.html: hours on 2 cores
	$(BIN)/snnlab board --run $(ARGS)

# make converged ARGS='trainer.threads=1' trains what the tables' scale `converged` lacks.
converged: setup ## fill the tables at the converged scale: hours on 2 cores, wants CIFAR-10 and EvTouch
	$(BIN)/snnlab table converged_losses --run $(ARGS)
	$(BIN)/snnlab table --all scale=converged --run $(ARGS)

check: lint types test ## lint, types and tests

docs: $(VENV)/.installed-docs ## the docs as a site of HTML pages in build/site
	$(BIN)/mkdocs build --strict --quiet

clean: ## remove the environment and caches, keep runs and data
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache build dist
