# The command a person runs is the command CI runs: `make test`.

PYTHON ?= python3
UV ?= uv
FACTS ?= ../shared/facts

# Each interpreter has a virtual environment of its own: .venv, .venv-python3.13, ...
VENV := .venv$(if $(filter-out python3,$(PYTHON)),-$(subst /,-,$(patsubst /%,%,$(PYTHON))))
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# As pip does with what it does not leave in place: where Python may not keep what it compiles
# (PYTHONDONTWRITEBYTECODE), each start would compile all of it anew: 0.2 s and more.
BYTECODE := $(BIN)/python -m compileall -q gateway
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header

# What the tests start besides the gateway: program=Debian package.
SERVICES := redis-server=redis-server node=nodejs npm=npm

# The vendor's SDK for JavaScript, which the tests drive as a caller.
SDK := tests/e2e/sdk
SDK_STAMP := $(SDK)/node_modules/.package-lock.json

PURE := gateway/errors.py,gateway/core/*,gateway/policy/*,gateway/pipeline.py
PURE_TESTS := tests/test_errors.py tests/core tests/policy tests/test_pipeline.py

.PHONY: help install run test services lint format lock catalogue bench soak clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "PYTHON=python3.13 (a name or a path) selects the interpreter; the default is python3."

install: $(VENV)/run.stamp ## install the gateway into .venv, and start nothing

run: $(VENV)/run.stamp ## start the gateway with the embedded RingCentral simulator
	$(BIN)/rc-gateway serve --simulator --set log.format=console

test: lint services $(SDK_STAMP) ## everything CI checks: lint, types, tests, coverage
	$(BIN)/pytest --cov --cov-report= $(PURE_TESTS)
	$(BIN)/coverage report --include='$(PURE)' --fail-under=100
	$(BIN)/pytest --cov --cov-append $(PURE_TESTS:%=--ignore=%)

services: ## install the servers that the tests start (Debian packages)
	@tools/install-services $(SERVICES)

lint: $(VENV)/test.stamp ## formatting, rules, and types for the oldest and the newest Python
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy --python-version 3.11
	$(BIN)/mypy --python-version 3.13

format: $(VENV)/test.stamp ## format the code, repair what ruff can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

lock: ## resolve the dependencies anew into the hashed locks (needs uv; UV=path)
	$(COMPILE) --all-extras pyproject.toml -o deploy/requirements.lock
	$(COMPILE) --all-extras pyproject.toml --group dev -c deploy/requirements.lock -o tests/requirements.lock
	$(COMPILE) --group build -c tests/requirements.lock -o tools/build.lock

catalogue: $(BIN)/python ## make gateway/data/operations.csv (FACTS=folder of the vendor's list)
	$(BIN)/python tools/catalogue.py $(FACTS)/ringcentral_operations.csv gateway/data/operations.csv

bench: $(VENV)/run.stamp ## compare with other proxies, on this machine (BENCH="--quick --only haproxy,envoy")
	$(BIN)/python -m tests.bench.install
	$(BYTECODE)
	$(BIN)/python -m tests.bench $(BENCH)

soak: $(VENV)/run.stamp ## crowds, ten minutes of mixed load, a drain: does it break? (SOAK="--minutes 1")
	$(BIN)/python -m tests.bench.soak $(SOAK)

clean: ## remove the virtual environments and caches
	rm -rf $(SDK)/node_modules .venv .venv-* .bench .coverage .hypothesis
	rm -rf .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# An environment that was moved, or not finished, is made anew, and with it what is installed.
STALE := $(shell tools/is-stale $(VENV))
ifneq ($(STALE),)
.PHONY: $(BIN)/python
$(VENV)/run.stamp $(VENV)/test.stamp: $(BIN)/python
endif

# pip installs exactly what the locks name, build tools included; then the checkout itself,
# in place, with nothing left to fetch.
$(BIN)/python:
	$(if $(STALE),@echo "$(STALE)")
	python=$$(tools/find-python $(PYTHON)) && "$$python" -m venv --clear $(VENV)

$(VENV)/run.stamp: deploy/requirements.lock tools/build.lock pyproject.toml | $(BIN)/python
	$(PIP) install --no-deps --require-hashes -r deploy/requirements.lock -r tools/build.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	$(BYTECODE)
	@touch $@

$(VENV)/test.stamp: tests/requirements.lock tools/build.lock pyproject.toml | $(BIN)/python
	$(PIP) install --no-deps --require-hashes -r tools/build.lock
	$(PIP) install --no-deps --require-hashes --no-build-isolation -r tests/requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(SDK_STAMP): $(SDK)/package.json $(SDK)/package-lock.json | services
	npm ci --prefix $(SDK) --ignore-scripts --no-audit --no-fund --silent
	@touch $@
