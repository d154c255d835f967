PY ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test test-faults test-peers bench clean

run: $(VENV)/.run
	$(BIN)/subcurrent run
	$(BIN)/subcurrent ranking

test: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cog --check README.md docs/features.md docs/sources.md
	$(BIN)/python -m pytest -n 2 --dist worksteal

test-faults: $(VENV)/.test
	$(BIN)/python -m pytest -m faults

test-peers: $(VENV)/.peers
	$(BIN)/python -m pytest -m peers

bench: $(VENV)/.bench
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.features
	$(BIN)/python -m benchmarks.clusters
	$(BIN)/python -m benchmarks.backends
	$(BIN)/python -m benchmarks.structure
	$(BIN)/python -m benchmarks.batteries
	$(BIN)/python -m benchmarks.truth
	$(BIN)/python -m benchmarks.priors
	$(BIN)/python -m benchmarks.search
	$(BIN)/python -m benchmarks.duplicates
	$(BIN)/python -m benchmarks.niches

$(VENV)/.run: pyproject.toml
	$(PY) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/.test: $(VENV)/.run
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[test]"
	touch $@

$(VENV)/.bench: $(VENV)/.run
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[bench]"
	touch $@

$(VENV)/.peers: $(VENV)/.test
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[test,peers,cluster,faiss,umap]"
	touch $@

clean:
	rm -rf $(VENV) subcurrent-data
