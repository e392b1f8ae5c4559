# Two commands for a newcomer: `make demo` shows the whole path on a sample, `make test` passes the tests.
# Both need only Python 3.11 or newer; name another interpreter with `make demo PYTHON=…`.

PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
PIP_INSTALL = -m pip install --quiet --disable-pip-version-check
RUNTIME = .venv-runtime-$(notdir $(PYTHON))
# Two processes; each takes tests from the other when it has none left.
IN_PARALLEL = -n 2 --dist worksteal
RUNTIME_TESTS = tests/runtime tests/plugins/test_decoders.py
INTEGRATIONS := $(patsubst tests/integrations/%/requirements.txt,%,$(wildcard tests/integrations/*/requirements.txt))
SOURCES := $(shell find runtime plugins core export -name '*.py' -o -name '*.toml') setup.cfg pyproject.toml

.PHONY: demo test explore test-runtime test-lowest test-integrations lint fix docs clean
.DELETE_ON_ERROR:
.PRECIOUS: .venv-integration-%/installed

test: .venv/installed lint
	.venv/bin/python -m pytest $(IN_PARALLEL)

lint: .venv/installed
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy runtime plugins core export tests docs/site
	.venv/bin/lint-imports --no-logo

fix: .venv/installed
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

# The property tests with other examples in each run, ten times as many.
explore: .venv/installed
	.venv/bin/python -m pytest $(IN_PARALLEL) -m hypothesis --hypothesis-profile explore

# The light runtime and the decoders, without TensorFlow and pandas; PYTHON=python3.13 tries another interpreter.
test-runtime: $(RUNTIME)/installed
	$(RUNTIME)/bin/python -m pytest $(IN_PARALLEL) $(RUNTIME_TESTS)

# The same with the lowest versions that setup.cfg accepts.
test-lowest: .venv-lowest/installed
	.venv-lowest/bin/python -m pytest $(IN_PARALLEL) $(RUNTIME_TESTS)

# What needs heavy packages or programs: each folder of tests/integrations has an environment of its own.
# One of them alone: make test-integration-NAME.
test-integrations: $(INTEGRATIONS:%=test-integration-%)

test-integration-%: .venv-integration-%/installed
	.venv-integration-$*/bin/python -m pytest tests/integrations/$*

demo: .venv-train/installed .venv-run/installed
	@echo "== 1. train a Keras model on 320 sample headlines"
	rm -rf demo && .venv-train/bin/genrun train examples/samples/headlines --recipe examples/harbour.toml -o demo/run
	@echo "== 2. export it as one ONNX file, checked against Keras"
	.venv-train/bin/genrun export demo/run -o demo/headlines.onnx
	@echo "== 3. generate, in an environment without TensorFlow"
	.venv-run/bin/genrun verify demo/headlines.onnx
	.venv-run/bin/genrun generate demo/headlines.onnx "The Council" "What the New Ferry" "" -n 3 --seed 7

# The documentation as a site, in site/; a broken link is an error.
docs: .venv-docs/installed
	NO_MKDOCS_2_WARNING=1 .venv-docs/bin/mkdocs build --strict --quiet
	@echo "site/index.html is the first page; for the search: python3 -m http.server --directory site"

.venv/installed: setup.cfg pyproject.toml | python
	$(PYTHON) -m venv .venv
	.venv/bin/python $(PIP_INSTALL) --editable '.[train,cpu,test]'
	touch $@

$(RUNTIME)/installed: setup.cfg pyproject.toml | python
	$(PYTHON) -m venv $(RUNTIME)
	$(RUNTIME)/bin/python $(PIP_INSTALL) --editable '.[cpu,test]'
	touch $@

.venv-lowest/installed: setup.cfg pyproject.toml tests/lowest.txt | python
	$(PYTHON) -m venv .venv-lowest
	.venv-lowest/bin/python $(PIP_INSTALL) --editable '.[cpu,test]' --constraint tests/lowest.txt
	touch $@

.venv-integration-%/installed: tests/integrations/%/requirements.txt setup.cfg pyproject.toml | python
	$(PYTHON) -m venv .venv-integration-$*
	.venv-integration-$*/bin/python $(PIP_INSTALL) --requirement tests/integrations/$*/requirements.txt
	touch $@

.venv-train/installed: $(SOURCES) | python
	$(PYTHON) -m venv .venv-train
	.venv-train/bin/python $(PIP_INSTALL) '.[train,cpu]'
	touch $@

.venv-run/installed: $(SOURCES) | python
	$(PYTHON) -m venv .venv-run
	.venv-run/bin/python $(PIP_INSTALL) '.[cpu]'
	touch $@

# Editable, since the pages of commands are made from the commands.
.venv-docs/installed: setup.cfg pyproject.toml | python
	$(PYTHON) -m venv .venv-docs
	.venv-docs/bin/python $(PIP_INSTALL) --editable '.[docs]'
	touch $@

.PHONY: python
python:
	@test -n "$(PYTHON)" || { echo "genrun needs Python 3.11 or newer; none was found" >&2; exit 1; }

clean:
	rm -rf .venv .venv-runtime-* .venv-lowest .venv-integration-* .venv-train .venv-run .venv-docs site demo build dist *.egg-info
