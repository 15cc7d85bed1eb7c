# make run    everything: database, Redis, web, worker, pulse, signer, demo data; prints where and as whom
# make test   every test                       make test ARGS="tests/audit -k seal" some of them
# make check  style, types, import ladder, migrations, API file, templates, scripts
# make lint format bench bench-audit logs lock openapi clean

SHELL := /bin/bash
.DEFAULT_GOAL := help
PY := .venv/bin/python
WORKERS ?= 2
CODE := console approvals audit costs agents tests deploy manage.py
TYPED := console approvals audit costs agents tests manage.py deploy/bench deploy/adapters
LOCK := pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-header --custom-compile-command "make lock"

.PHONY: help
help:
	@sed -n 's/^# //;/^make/p' Makefile

.PHONY: setup
setup:
	@bash console/local/setup.sh

.PHONY: run
run: setup
	@exec $(PY) manage.py serve

.PHONY: logs
logs:
	@tail -n 20 -F .local/logs/*.log

.PHONY: browser
browser:
	@bash console/local/tools.sh chromium

# All tests run in two processes, each with a database of its own; chosen ones in one.
.PHONY: test
test: setup browser
	@$(PY) -m pytest $(or $(ARGS),--numprocesses $(WORKERS) --dist loadscope --no-loadscope-reorder)

.PHONY: bench
bench: setup
	@$(PY) deploy/bench/bench.py $(ARGS)

# SIZE entries of 64 tenants in a database of their own, with lists, facets and one trace.
.PHONY: bench-audit
bench-audit: setup
	@AUDIT_SIZE=$(or $(SIZE),1000000) $(PY) deploy/bench/bench.py search $(ARGS)

.PHONY: format
format: setup
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .
	$(PY) -m djhtml --tabwidth 2 templates

.PHONY: lint
lint: setup
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

.PHONY: types
types: setup
	DATABASE_URL=$${DATABASE_URL:-postgresql:///signalbox} \
	  MYPYPATH=deploy/bench $(PY) -m mypy $(TYPED)

.PHONY: ladder
ladder: setup
	$(PY) -c 'from importlinter.cli import lint_imports_command as run; run()'

.PHONY: schema
schema: setup
	$(PY) manage.py makemigrations --check --dry-run

.PHONY: openapi-check
openapi-check: setup
	@mkdir -p .local
	$(PY) manage.py spectacular --validate --fail-on-warn --file .local/openapi.yaml
	diff -u console/openapi.yaml .local/openapi.yaml || \
	  { echo "The API changed; look at the difference, then: make openapi" >&2; exit 1; }

.PHONY: openapi
openapi: setup
	$(PY) manage.py spectacular --validate --fail-on-warn --file console/openapi.yaml

.PHONY: templates
templates: setup
	$(PY) -m djhtml --check --tabwidth 2 templates

.PHONY: scripts
scripts:
	@bash console/local/tools.sh node
	@# From standard input as a module: by name, node takes a broken module for an old script and passes it.
	@find static audit -name '*.js' -not -path 'static/vendor/*' | sort | while read -r file; do \
	  node --check --input-type=module - <"$$file" || { echo "in $$file" >&2; exit 1; }; \
	done

.PHONY: check
check: lint types ladder schema openapi-check templates scripts
	@echo "make check: all passed"

.PHONY: lock
lock: setup
	@command -v uv >/dev/null || [ -x .local/uv/bin/uv ] || \
	  { python3 -m venv .local/uv && .local/uv/bin/pip install --quiet uv; }
	PATH="$$PATH:$$PWD/.local/uv/bin" uv $(LOCK) -o requirements.lock
	PATH="$$PATH:$$PWD/.local/uv/bin" uv $(LOCK) --group dev -c requirements.lock \
	  -o requirements-dev.lock

.PHONY: clean
clean:
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
