# `make` alone lists what there is to make. All of it works in a fresh clone.

PYTHON ?= python3
PORT ?= 8000

# The stamp names the Python that .venv was made for: after a system upgrade it no longer fits.
PYTHON_VERSION := $(shell { .venv/bin/python -V || "$(PYTHON)" -V; } 2>/dev/null | tr -d ' ')
READY := .venv/ready-$(PYTHON_VERSION)
READY_DEV := .venv/ready-dev-$(PYTHON_VERSION)

VENV_PYTHON := .venv/bin/python
PIP_INSTALL := $(VENV_PYTHON) -m pip install --disable-pip-version-check --no-input -qq
# Without --output-file, which would keep the hashes of before for a version that stays.
PIN := .venv/bin/uv pip compile --quiet --no-config --no-deps --generate-hashes --universal --python-version 3.11 \
	--no-annotate --no-header
TEMPLATES := find templates -name '*.html' -print0 | xargs -0

# What the linters see: the settings that a site on the internet has.
PRODUCTION := env DEBUG=off HTTPS=on ALLOWED_HOSTS=news.example TRUSTED_PROXIES=127.0.0.1 \
	SECRET_KEY=only-to-check-the-settings-only-to-check-the-settings-0123456789 \
	DATABASE_URL=sqlite:///:memory: MEDIA_ROOT=var/media EMAIL_URL=smtp://localhost

MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help run test lint bench costs format pins sbom clean writable

help:  ## List these targets
	@grep -E '^[a-z]+: .*## ' Makefile | sed 's/:.*## /\t/' | while IFS="$$(printf '\t')" read -r name text; do \
		printf 'make %-8s %s\n' "$$name" "$$text"; done

run: $(READY) var/secret_key  ## Set everything up and serve it on 127.0.0.1, port 8000 (or PORT=8123)
	@umask 077 && exec $(VENV_PYTHON) manage.py serve --port "$(PORT)"

test: $(READY_DEV)  ## Run all tests
	@if command -v java >/dev/null && command -v npm >/dev/null && [ ! -e var/tools/node_modules/vnu-jar ]; then \
		timeout 120 npm install --prefix var/tools --ignore-scripts --no-audit --no-fund --no-save \
			vnu-jar@26.9.27 >/dev/null 2>&1 </dev/null || true; fi
	@exec $(VENV_PYTHON) -m pytest

lint: $(READY_DEV)  ## Check the code, the templates, the types, the migrations and the settings
	@$(VENV_PYTHON) -m ruff check
	@$(VENV_PYTHON) -m ruff format --check
	@$(TEMPLATES) .venv/bin/djade --check --target-version 5.2
	@$(VENV_PYTHON) -m mypy newsite articles comments mail staff transfer demo bench parts
	@$(PRODUCTION) $(VENV_PYTHON) manage.py makemigrations --check --dry-run
	@$(PRODUCTION) $(VENV_PYTHON) manage.py check --deploy --fail-level WARNING

bench: $(READY)  ## Measure the moderators' queue with ten thousand and with a million comments
	@exec $(VENV_PYTHON) -m bench.queue

costs: $(READY)  ## Look for the comment of full length that takes the most CPU time
	@exec $(VENV_PYTHON) -m bench.texts

format: $(READY_DEV)  ## Put code and templates into the house's format
	@$(VENV_PYTHON) -m ruff check --fix
	@$(VENV_PYTHON) -m ruff format
	@$(TEMPLATES) .venv/bin/djade --target-version 5.2

pins: $(READY_DEV)  ## Look up the hashes of what requirements.in and requirements-dev.in name
	@{ echo '# Made by `make pins` from requirements.in, where each stands with its reason.'; \
		$(PIN) requirements.in; } > var/pins && mv var/pins requirements.txt
	@{ echo '# Made by `make pins` from requirements-dev.in, where each stands with its reason.'; \
		echo '-r requirements.txt'; $(PIN) requirements-dev.in; } > var/pins && mv var/pins requirements-dev.txt

sbom: $(READY_DEV)  ## List the parts that Newsite runs on in var/sbom.json, as CycloneDX
	@$(VENV_PYTHON) -m parts.sbom --version "$$(git rev-parse HEAD 2>/dev/null)" > var/sbom.part && \
		mv var/sbom.part var/sbom.json

clean:  ## Remove what was installed and cached; stories, comments and pictures in var/ stay
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis var/static var/tools var/venv-*
	find . -name __pycache__ -prune -exec rm -rf {} +

writable:
	@mkdir -p .venv var/media 2>/dev/null && [ -w .venv ] && [ -w var ] || \
		{ echo "Cannot write to this folder: $(CURDIR)" >&2; exit 1; }

# Each stamp is written last, so that an installation broken off in the middle starts again.
# The lock keeps two makes at once (`make run` here, `make test` there) out of each other's way.

$(READY): requirements.txt | writable
	@command -v "$(PYTHON)" >/dev/null || \
		{ echo "Newsite needs Python 3.11 or newer, and there is no $(PYTHON): apt install python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Newsite needs Python 3.11 or newer, and $(PYTHON) is $$("$(PYTHON)" -V)." >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Python's venv module is missing: apt install python3-venv" >&2; exit 1; }
	@echo "Installing what Newsite runs on into .venv"
	@flock .venv sh -c '$(VENV_PYTHON) -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear .venv'
	@flock .venv $(PIP_INSTALL) -r requirements.txt
	@touch $@

$(READY_DEV): requirements-dev.txt $(READY)
	@echo "Installing what the tests and linters need into .venv"
	@flock .venv $(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

var/secret_key: | writable
	@umask 077 && head -c 48 /dev/urandom | base64 -w 0 > $@.$$$$ && mv $@.$$$$ $@
