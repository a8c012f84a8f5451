# Needs python3.11 and make; everything else comes from requirements.lock, whose hashes pip checks.
PYTHON ?= python3.11
UV ?= uv
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 2

WARM := $(VENV)/warm

.PHONY: run test lint lock clean

run: $(STAMP)
	$(BIN)/placewise run

test: lint
	$(BIN)/python -m pytest -m "not slow" -n $(WORKERS) --dist loadfile

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

$(STAMP): requirements.lock pyproject.toml
	@echo "Making the environment in $(VENV): this takes two or three minutes."
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@echo "Compiling the numerical kernels: a small example is run, and thrown away."
	@rm -rf $(WARM) && mkdir $(WARM)
	@$(BIN)/placewise init --example --size small --project $(WARM) >/dev/null
	@$(BIN)/placewise run --project $(WARM) --draws 50 --allow-fail --quiet >$(VENV)/warm.log 2>&1 || { cat $(VENV)/warm.log; exit 1; }
	@rm -rf $(WARM)
	@touch $@

# Keeps the versions already pinned; name a package in UPGRADE to move it: make lock UPGRADE="--upgrade-package scipy"
lock:
	$(UV) pip compile pyproject.toml --extra fast --extra notebooks --extra scale --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-annotate --custom-compile-command "make lock" $(UPGRADE) -o requirements.lock

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
