# The same verbs on a fresh machine, in CI and by hand. Each one sets up .venv itself; a second run reuses it.
PYTHON ?= python3
FUZZ ?= 10
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
MINUTES ?= 55

.PHONY: demo test check bench simulate soak sabotage mutants fuzz constraints picture clean

demo: $(READY)
	@$(BIN)/icp-sync demo

test: $(READY)
	@$(BIN)/python -m pytest -n 2 tests

check: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@! test -x $(BIN)/hadolint || $(BIN)/hadolint deploy/Dockerfile
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec deploy/compose*.yml
	@$(BIN)/kubernetes-validate --strict --quiet $(filter-out %/kustomization.yaml %/servicemonitor.yaml,$(wildcard deploy/kubernetes/*.yaml))

bench: $(READY)
	@$(BIN)/python -m tests.bench
	@$(BIN)/python -m tests.bench.learning --seeds 20

simulate: $(READY)  ## the plan beyond: many portals, ten million accounts, on simulated time
	@$(BIN)/python -m tests.scale

soak: $(READY)  ## every programme at its full size, one table; MINUTES for all of them together
	@$(BIN)/python -m tests.soak --minutes $(MINUTES)

sabotage: $(READY)  ## break the program on purpose, in a copy, and see who notices
	@$(BIN)/python -m tests.sabotage

mutants: $(READY)  ## mutation testing of icp_sync/domain; FILES="guard moves" for some of them
	@$(BIN)/python -m tests.sabotage.mutants $(FILES)

fuzz: $(READY)  ## coverage-guided, for FUZZ minutes
	@$(BIN)/python -m tests.fuzz --minutes $(FUZZ)

picture: $(READY)  ## the demo's own output, as the SVG the README shows
	@$(BIN)/icp-sync demo --svg .github/demo.svg

$(READY): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[demo,console,cluster,dev]'
	@touch $(READY)

constraints:  ## new pins; the file names no registry
	@$(PYTHON) -m venv $(VENV)/uv && $(VENV)/uv/bin/pip install --quiet uv
	@$(VENV)/uv/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-emit-index-url --no-annotate --no-header --all-extras pyproject.toml -o constraints.txt

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
