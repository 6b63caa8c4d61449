# Each target is a short name for a command that works without make. The README lists both side by side.
.DEFAULT_GOAL := help

PYTHON ?= python3

# What `make check` judges: files and folders; without them all services. FIX=1 mends them, RUN=1 starts them.
SCRIPTS ?=
FIX ?=
RUN ?=

# Which server, or all; what `make logs` and `make httpd` show; an alias or a virtual host, made or removed.
SERVER ?=
ERRORS ?=
ACCESS ?=
FOLLOW ?=
SINCE ?=
EMPTY ?=
YES ?=
SHOW ?=
ADD ?=
DIR ?=
REMOVE ?=

# What `make run` starts, what `make trace` asks for, what `make new` makes, and which clients `make client-…` starts: http_client or requests.
SCRIPT ?= web_02.py
URL ?= /cgi-bin/web_02.py
NAME ?=
WITH ?= http_client

# What `make db-dump` writes and `make db-restore` reads.
FILE ?=

# Where another port is asked for, the clients look for the lab there.
ifdef PORT
export LAB_URL ?= http://localhost:$(PORT)
endif

# The standard library is enough for one kind of client; the other needs the environment of the tests.
ifeq ($(filter http_client requests,$(WITH)),)
$(error WITH=$(WITH) is not one of the two kinds of clients: http_client, requests)
endif
client = $(if $(filter requests,$(WITH)),.venv/bin/python,$(PYTHON)) clients/$(WITH)

.PHONY: help
help: ## list these targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# --- The lab -------------------------------------------------------------------------------------

.PHONY: up
up: ## start the lab on http://localhost:8080 (another port: make up PORT=8081)
	@$(PYTHON) -m cgilab up

.PHONY: wamp
wamp: ## start the lab with database, PHP and Adminer
	@$(PYTHON) -m cgilab up --wamp

.PHONY: bundle
bundle: environment ## write one file from which the lab starts without a network (make wamp BUNDLE=FILE)
	@.venv/bin/python -m cgilab bundle $(if $(FILE),"$(FILE)")

.PHONY: down
down: ## stop the lab; the database keeps its tables
	@$(PYTHON) -m cgilab down

.PHONY: start stop restart
start: ## start servers that were stopped (SERVER=php; else all that there are)
stop: ## stop servers; make start starts them again (SERVER=php)
restart: ## stop and start servers, and wait until they are healthy (SERVER=php)
start stop restart:
	@$(PYTHON) -m cgilab $@ $(SERVER)

.PHONY: status
status: ## show address, state of each server, versions and services
	@$(PYTHON) -m cgilab status

.PHONY: describe
describe: ## show all that the lab is made of (JSON=1 for programs)
	@$(PYTHON) -m cgilab describe $(if $(JSON),--json)

.PHONY: logs
logs: ## show the last requests and errors (SERVER=db, ERRORS=1 or ACCESS=1, FOLLOW=1, SINCE=10m; EMPTY=1 empties)
	@$(PYTHON) -m cgilab logs $(SERVER) $(if $(ERRORS),--errors) $(if $(ACCESS),--access) \
		$(if $(FOLLOW),--follow) $(if $(SINCE),--since "$(SINCE)") $(if $(EMPTY),--empty)

.PHONY: online
online: ## let other machines reach the lab; says first what that shows them, and asks (YES=1 does not)
	@$(PYTHON) -m cgilab online $(if $(YES),--yes)

.PHONY: offline
offline: ## let this machine alone reach the lab
	@$(PYTHON) -m cgilab offline

.PHONY: port
port: ## tell whether a port is free, else who has it (PORT=80)
	@$(PYTHON) -m cgilab port $(PORT)

.PHONY: shell
shell: running ## open a shell in the container
	@docker compose exec web bash

# --- The database --------------------------------------------------------------------------------

.PHONY: db-password
db-password: ## show account and password of the database
	@$(PYTHON) -m cgilab db password

.PHONY: db-shell
db-shell: ## open MariaDB's client as the administrator
	@$(PYTHON) -m cgilab db shell

.PHONY: db-dump
db-dump: ## write the database into a file (FILE=lab.sql or FILE=lab.sql.gz)
	@$(PYTHON) -m cgilab db dump "$(FILE)"

.PHONY: db-restore
db-restore: ## put a dump in the place of the database (FILE=lab.sql)
	@$(PYTHON) -m cgilab db restore "$(FILE)"

.PHONY: db-snapshot
db-snapshot: ## keep the database as it is now, in its own volume (NAME=before-lesson-3)
	@$(PYTHON) -m cgilab db snapshot "$(NAME)"

.PHONY: db-snapshots
db-snapshots: ## list the snapshots
	@$(PYTHON) -m cgilab db snapshots

.PHONY: db-rollback
db-rollback: ## put a snapshot in the place of the database (NAME=before-lesson-3)
	@$(PYTHON) -m cgilab db rollback "$(NAME)"
# --- The server's configuration ------------------------------------------------------------------

.PHONY: httpd
httpd: ## check the configuration of httpd, or show of it: SHOW=modules, vhosts, includes, defines, compiled or version
	@$(PYTHON) -m cgilab httpd $(SHOW)

.PHONY: alias vhost
alias: ## list aliases (ADD=docs DIR=manual: the folder www/manual/ also answers at /docs/; REMOVE=docs)
vhost: ## list virtual hosts (ADD=shop DIR=shop: the folder www/shop/ answers at http://shop.localhost:8080/; REMOVE=shop)
alias vhost:
	@$(PYTHON) -m cgilab $@ $(if $(REMOVE),remove "$(REMOVE)",$(if $(ADD),add "$(ADD)" "$(DIR)"))

.PHONY: reload
reload: ## check the files of sites/ and bring into force what passes; no request is lost
	@$(PYTHON) -m cgilab reload

# --- Exchanges -----------------------------------------------------------------------------------

.PHONY: trace
trace: environment ## send a request and show the whole exchange (URL="POST /cgi-bin/web_03.py age=42")
	@.venv/bin/python -m cgilab trace
# Neither make nor a shell takes any of it for its own: an & or a $ is the server's.
trace: export LAB_TRACE = $(value URL)
unexport URL

.PHONY: watch
watch: environment ## show every exchange as it happens, whoever the client is
	@.venv/bin/python -m cgilab watch

# --- Services and clients ------------------------------------------------------------------------

.PHONY: run
run: running ## start a service as a plain program in the container (SCRIPT=web_02.py)
	@docker compose exec web ./$(SCRIPT)

.PHONY: new
new: ## make a service and its test from a template (NAME=hello)
	@$(PYTHON) -m cgilab new "$(NAME)"

.PHONY: check
check: ## judge the services before anything is run (SCRIPTS="cgi-bin/web_02.py", FIX=1 mends, RUN=1 starts them)
	@$(PYTHON) -m cgilab check $(if $(FIX),--fix) $(if $(RUN),--run) $(SCRIPTS)

.PHONY: client-02 client-03-get client-03-post client-04 client-05
client-02: ## ask web_02.py for date and time (with the requests library: WITH=requests)
client-03-get: ## send parameters to web_03.py in the URL
client-03-post: ## send parameters to web_03.py in the body
client-04: ## ask web_04.py for its environment
client-05: ## list, add and find people with web_05.py, where the database runs
client-02 client-03-get client-03-post client-04 client-05: $(if $(filter requests,$(WITH)),environment)
	@$(client)/client_web_$(subst -,_,$(@:client-%=%)).py

# --- Tests and checks ----------------------------------------------------------------------------

# Four processes, a file at a time. The longest files come first by their names, so they are not sorted by size.
at_once = -n 4 --dist loadfile --no-loadscope-reorder
# What holds of the web server alone holds beside database and PHP, too.
of_both = tests/clients tests/exchanges tests/failures tests/http tests/image/test_container.py tests/image/test_image.py
# Whatever starts a script holds, too, where the lab forks it.
of_start = tests/clients tests/exchanges tests/failures tests/http tests/museum

.PHONY: test
test: environment browser engine ## run all tests
	@.venv/bin/python -m pytest $(at_once)
	@.venv/bin/python -m pytest $(at_once) --wamp $(of_both)
	@START=forkserver .venv/bin/python -m pytest $(at_once) $(of_start)

.PHONY: lint
lint: environment ## check the style of all files
	@PATH="$(CURDIR)/.venv/bin:$$PATH" pre-commit run --all-files

.PHONY: mutate
mutate: environment ## remove each directive of httpd.conf in turn and report those that no test misses
	@.venv/bin/python -m tests.mutate

.PHONY: screenshots
screenshots: environment browser engine ## make the pictures of the lab's page that the README shows
	@.venv/bin/python -m tests.browser.screenshots

.PHONY: bench
bench: engine ## measure the lab beside other servers of CGI, eleven minutes (QUICK=1: one, and nothing is written)
	@tests/environment.sh plots
	@.venv/bin/python -m bench.throughput $(if $(QUICK),--quick)

.PHONY: bench-start
bench-start: environment ## measure how long the lab takes to start and stop, and what it weighs
	@.venv/bin/python -m bench.start

.PHONY: bench-record
bench-record: environment engine ## measure what recording exchanges costs
	@.venv/bin/python -m bench.record

.PHONY: bench-explain
bench-explain: environment ## measure how fast an error log is explained
	@.venv/bin/python -m bench.explain

.PHONY: bench-failure
bench-failure: environment engine ## measure what the page behind a failure costs
	@.venv/bin/python -m bench.failure

.PHONY: bench-stall
bench-stall: environment engine ## measure how often a script that has not quite ended stalls the next request
	@.venv/bin/python -m bench.stall

.PHONY: bench-check
bench-check: environment ## measure how long 500 scripts are judged
	@.venv/bin/python -m bench.check

.PHONY: docs
docs: environment ## write docs/troubleshooting.md from the rules
	@.venv/bin/python -m cgilab.failures.manual

.PHONY: lock
lock: environment ## pin the newest versions of what tests and checks need
	@.venv/bin/python -m pip install --quiet uv
	@.venv/bin/uv pip compile --quiet --upgrade pyproject.toml --extra test --extra lint --universal \
		--python-version 3.10 --generate-hashes --no-emit-index-url \
		--custom-compile-command 'make lock' --output-file requirements.lock
	@.venv/bin/uv pip compile --quiet --upgrade pyproject.toml --extra bench --constraint requirements.lock --universal \
		--python-version 3.10 --generate-hashes --no-emit-index-url \
		--custom-compile-command 'make lock' --output-file bench/requirements.lock

.PHONY: clean
clean: ## remove all that the project has made, but no service and no page; it asks about the database (YES=1)
	@$(PYTHON) -m cgilab clean $(if $(YES),--yes)

# --- What other targets need ---------------------------------------------------------------------

# The virtual environment, where it is missing.
.PHONY: environment
environment:
	@tests/environment.sh

# The browser in which the lab's page is tested, where there is none.
.PHONY: browser
browser: environment
	@tests/environment.sh browser

# Engine and base image, where they are missing: before the tests, which run in several processes.
.PHONY: engine
engine:
	@docker/engine/ensure.sh
	@docker/base/ensure.sh >/dev/null

.PHONY: running
running:
	@docker compose ps --quiet web | grep -q . || { echo 'The lab is down. Type: make up' >&2; exit 1; }
