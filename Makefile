# The two that matter: `make run` and `make test`. `make` alone lists all.
.DEFAULT_GOAL := help
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c

VENV := .venv
PY := $(VENV)/bin/python
BASE_PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
PIP_INSTALL := $(PY) -m pip install -qq --disable-pip-version-check
JOBS ?= auto
ARGS ?=
ZONES := America/Los_Angeles Asia/Shanghai UTC
APPS := pimpshop accounts catalog credits orders payments vending sandbox

# What a production server would be told, with stand-ins for its secrets: `check --deploy` looks at the rest.
PRODUCTION := env DEBUG=0 SANDBOX=0 PUBLIC_BASE_URL=https://shop.example.com ALLOWED_HOSTS=shop.example.com \
	TRUSTED_PROXIES=10.0.0.0/8 MANUFACTURER_WEBHOOK_ALLOWED_IPS=192.0.2.0/24 \
	SECRET_KEY=$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(64))')
# Tools that only read the code: settings must load, nothing must run.
OFFLINE := env DEBUG=1 SECRET_KEY=only-for-reading-the-code DATABASE_URL=postgres://offline.invalid/none \
	REDIS_URL=redis://offline.invalid/0

$(VENV)/bin/python:
	@$(BASE_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed." >&2; exit 1; }
	$(BASE_PYTHON) -m venv $(VENV) || { echo "On Debian: apt install python3-venv" >&2; rm -rf $(VENV); exit 1; }

$(VENV)/.for-run: requirements.txt | $(VENV)/bin/python
	@echo "Installing packages (only when requirements.txt has changed)."
	$(PIP_INSTALL) -r requirements.txt
	touch $@

$(VENV)/.for-work: requirements.txt requirements-dev.txt | $(VENV)/bin/python
	@echo "Installing packages (only when the requirements have changed)."
	$(PIP_INSTALL) -r requirements-dev.txt
	touch $@ $(VENV)/.for-run

##@ A start
run: $(VENV)/.for-run  ## Set up whatever is missing and start the whole shop on http://127.0.0.1:8000 (PORT, HOST)
	@exec $(PY) -m pimpshop.run --with-parent

trouble: $(VENV)/.for-run  ## Give the running shop of `make run` trouble of every kind, to try out the staff's desk
	@SANDBOX=1 $(PY) manage.py seed_demo --trouble

test: $(VENV)/.for-work  ## Set up whatever is missing and run the test suite (ARGS, JOBS)
	@exec $(PY) -m pytest -n $(JOBS) -m "not browser" $(ARGS)

##@ Working on it
setup: $(VENV)/.for-work  ## Only the virtualenv, with everything for development

test-tz: $(VENV)/.for-work  ## The tests marked tz, in three time zones
	@for zone in $(ZONES); do TZ=$$zone $(PY) -m pytest -q -m tz $(ARGS); done

browser-test: $(VENV)/.for-work node_modules/.package-lock.json  ## The flows in a real Chromium and Firefox, axe and Lighthouse (needs npm)
	@exec $(PY) -m pytest -m browser $(ARGS)

screenshots: $(VENV)/.for-work  ## Pictures of every page into screenshots/, with an index.html (ARGS="-k paying": only a part)
	@$(PY) -m pytest -q -m browser tests/browser/screenshots.py $(ARGS)
	echo "Open screenshots/index.html"

bench: $(VENV)/.for-work  ## Measure against floor and peer; writes bench/RESULTS.md
	@exec $(PY) -m bench $(ARGS)

format: $(VENV)/.for-work  ## Put the code into shape
	@$(PY) -m ruff format .
	$(PY) -m ruff check --fix-only --quiet .

messages: $(VENV)/.for-work  ## Bring the Chinese catalogue up to date and compile it; says what has no translation yet
	@$(OFFLINE) $(PY) -m pimpshop.translations

css: node_modules/.package-lock.json  ## Build static/css/shop.css (needs npm)
	@npm run --silent build

vendor: $(VENV)/.for-work  ## Fetch the committed scripts of others anew; refuses other bytes (needs npm; ARGS=--accept for new versions)
	@exec $(PY) -m pimpshop.vendored $(ARGS)

node_modules/.package-lock.json: package.json package-lock.json
	npm install --no-save --no-audit --no-fund --loglevel=error
	touch $@

##@ Checks
check: $(VENV)/.for-work  ## All of the following, without css
	@$(MAKE) --no-print-directory --output-sync --jobs=2 --keep-going \
		check-types check-deploy check-migrations check-style check-imports check-templates check-schema
	echo "All checks passed."

check-style: $(VENV)/.for-work  ## ruff
	@$(PY) -m ruff check --quiet .
	$(PY) -m ruff format --check --quiet . || { $(PY) -m ruff format --diff --quiet . | grep '^---' ; exit 1; }
	echo "ruff: clean"

check-imports: $(VENV)/.for-work  ## import-linter: the architecture
	@$(OFFLINE) $(VENV)/bin/lint-imports

check-types: $(VENV)/.for-work  ## mypy
	@$(OFFLINE) $(PY) -m mypy

check-migrations: $(VENV)/.for-work  ## No model change without its migration
	@$(PY) manage.py makemigrations --check --dry-run

check-deploy: $(VENV)/.for-work  ## Django's own checks, as a production server
	@$(PRODUCTION) $(PY) manage.py check --deploy --fail-level WARNING

check-templates: $(VENV)/.for-work  ## djlint
	@$(PY) -m djlint --lint --quiet templates sandbox

check-schema: $(VENV)/.for-work  ## The API's description is valid and complete
	@$(OFFLINE) $(PY) manage.py spectacular --validate --fail-on-warn --file /dev/null
	echo "schema: valid"

check-css: node_modules/.package-lock.json  ## static/css/shop.css is what npm builds (needs npm; not part of `check`)
	@npm run --silent build -- --output $(CURDIR)/node_modules/.shop.css
	cmp static/css/shop.css node_modules/.shop.css || { echo "static/css/shop.css is stale: make css" >&2; exit 1; }
	echo "css: current"

##@
help:  ## This list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {print "\n" substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run trouble test setup test-tz browser-test bench format check check-style check-imports check-types check-migrations \
	check-deploy check-templates check-css css messages screenshots vendor help
