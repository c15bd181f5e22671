# Everything a newcomer needs: `make demo`, `make test`. The same as plain commands for Windows: README.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo dev test types suite lint proofs drills bench audit test-ui test-desk test-fleet faults kills fuzz load lock clean

.venv/installed: requirements-dev.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch .venv/installed

demo: .venv/installed
	$(BIN)/ecauto demo

dev: .venv/installed
	$(BIN)/ecauto dev

test: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(MAKE) -j2 types suite

types: .venv/installed
	$(BIN)/mypy

# For two cores: a third of the time tests wait for processes and servers of their own
suite: .venv/installed
	$(BIN)/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder

lint: .venv/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

proofs: .venv/installed
	$(BIN)/python -m pytest -n 2 --timeout 3600 --hypothesis-profile thorough -m hypothesis ecauto_pipeline_tests
	$(BIN)/python -m pytest -n 2 --dist loadfile --timeout 3600 proofs --ignore proofs/test_ui.py --ignore proofs/test_desk.py --ignore proofs/fleet

# Each ends with one line, and with 1 where a law was broken; SEED=7 plays what that seed chose, ONLY=... some of it
MATRIX = $(BIN)/python -m ecauto_pipeline_tests.matrices $@ $(if $(SEED),--seed $(SEED)) $(if $(ONLY),--only "$(ONLY)")

faults: .venv/installed
	$(MATRIX)

kills: .venv/installed
	$(MATRIX)

fuzz: .venv/installed
	$(MATRIX)

# One line of verdict, and 1 where a limit does not hold; twenty minutes at most
load: .venv/installed
	$(BIN)/python -m benchmarks.runs.load $(if $(SEED),--seed $(SEED))

drills: .venv/installed
	$(BIN)/python -m proofs.drills

test-ui: .venv/installed
	$(BIN)/python -m pytest --timeout 900 proofs/test_ui.py

test-desk: .venv/installed
	$(BIN)/python -m pytest --timeout 1800 proofs/test_desk.py

# The fleet's packages are in a virtualenv of their own. Needs PostgreSQL and Redis: apt-get install postgresql redis-server docker-compose
FLEET := .venv-fleet/bin

.venv-fleet/installed: requirements-fleet-dev.txt pyproject.toml
	$(PYTHON) -m venv .venv-fleet
	$(FLEET)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-fleet-dev.txt
	$(FLEET)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	@touch .venv-fleet/installed

test-fleet: .venv-fleet/installed
	$(FLEET)/python -m pytest --timeout 3600 proofs/fleet

audit: .venv/installed
	$(BIN)/python -m proofs.audit

bench: .venv/installed
	$(BIN)/python -m benchmarks

lock:
	uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-strip-extras -o requirements.txt
	uv pip compile pyproject.toml --group build --group dev --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-strip-extras -o requirements-dev.txt
	uv pip compile pyproject.toml --extra fleet --group build -c requirements-dev.txt --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-strip-extras -o requirements-fleet.txt
	uv pip compile pyproject.toml --extra fleet --group build --group dev --group fleet-dev -c requirements-dev.txt -c requirements-fleet.txt --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --no-strip-extras -o requirements-fleet-dev.txt

clean:
	rm -rf .venv .venv-fleet
