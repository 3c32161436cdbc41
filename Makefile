# Two commands: `make hunt` and `make test`. Each needs only Python 3.11+ and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
OUT    := out/hunt

PRODUCERS :=

.PHONY: hunt test lint captures lock verifier clean

# The virtual environment, from the lock file with hashes; made anew when the lock changes.
$(VENV)/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("stillhunt needs Python 3.11 or newer; set PYTHON=/path/to/python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

# The main job, on traffic made here: two campaigns among lawful look-alikes.
hunt: $(VENV)/.ready
	$(BIN)/python -m stillhunt simulate --out $(OUT)/traffic
	@$(BIN)/python -m stillhunt hunt $(OUT)/traffic/exchanges.parquet --accounts $(OUT)/traffic/accounts.parquet --out $(OUT)/findings --clear --no-exit-code
	@$(BIN)/python -m stillhunt simulate --compare $(OUT)/findings --out $(OUT)/traffic

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: lint
	$(BIN)/python -m pytest -n 2 --dist loadgroup

# Runs the real producers of logs again; see tests/captures/run.py.
captures: $(VENV)/.ready
	$(BIN)/python tests/captures/run.py $(if $(ACCEPT),--accept) $(PRODUCERS)

# Pins every package with hashes, for all platforms and Pythons that are supported.
lock:
	$(PYTHON) -m venv $(VENV)-lock && $(VENV)-lock/bin/pip install --quiet uv
	$(VENV)-lock/bin/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --quiet -o requirements.lock
	rm -rf $(VENV)-lock

# The auditor's one file: it needs Python 3.11, numpy and cryptography, and no network.
verifier:
	$(PYTHON) packaging/verifier.py dist/stillhunt-verify.pyz

clean:
	rm -rf $(VENV) .captures out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
