# make demo    see Ordito at work on a sample community
# make test    run every test that this machine can run
# make check   style, types, layers and documentation
# make setup   the environment for working on Ordito
# make coverage  which lines and branches the tests reach
# make docs    the documentation as pages in site/
# make clean   remove what these made

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check --no-input
PYTEST_ARGS ?= -n 2
SERVERS := mediawiki php-cli php-sqlite3 php-mbstring php-xml php-intl chromium postgresql

.PHONY: demo test coverage check setup docs clean

demo: $(VENV)/installed
	@$(BIN)/ordito demo

test: setup
	@.ci/packages "the tests with a real MediaWiki, PostgreSQL and browser" $(SERVERS)
	@$(BIN)/pytest $(PYTEST_ARGS)

coverage: setup
	@$(BIN)/coverage run -m pytest -q $(PYTEST_ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

check: setup
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

setup: $(VENV)/installed-dev

docs: setup
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "site/index.html"

clean:
	rm -rf $(VENV) site dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*

# The files below say what has been installed into the environment; a change of pyproject.toml renews them.
$(VENV)/made:
	@.ci/venv $(VENV)
	@touch $@

$(VENV)/installed: $(VENV)/made pyproject.toml
	@echo "Installing Ordito into $(VENV)."
	@$(PIP) --editable .
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	@echo "Installing what the tests and checks need into $(VENV)."
	@$(PIP) --group dev
	@touch $@
