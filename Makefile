# Each target is one call of setup_course.py, which also runs without make (Windows: py setup_course.py course).

# The first Python that is new enough; if none is, python3 says so in a sentence.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; exit; }; \
	done; echo python3)
SETUP = $(PYTHON) setup_course.py
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help course test bench proof adapter tour lint doctor lock setup clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo '  More words go behind ARGS, for example: make test ARGS="-k tokens"'

course:  ## set up what is missing, then open JupyterLab on the first lesson
	@$(SETUP) course $(ARGS)

tour:  ## the whole story in one run: chatbot, training, assignment, grades
	@$(SETUP) tour $(ARGS)

test:  ## run every test
	@$(SETUP) test $(ARGS)

bench:  ## measure the slow things anew (two hours); results lie in tests/bench/results
	@$(SETUP) bench $(ARGS)

proof:  ## put the help desk under load and kill it (minutes); the result lies there too
	@$(SETUP) proof $(ARGS)

adapter:  ## train the adapter that ships anew
	@$(SETUP) adapter $(ARGS)

lint:  ## check the lessons' grammar, numbers and claims; ARGS=--complete: every claim has its lesson
	@$(SETUP) lint $(ARGS)

doctor:  ## is this machine ready? which check failed, what to do next
	@$(SETUP) doctor $(ARGS)

setup:  ## set up only, and look at every installed file again
	@$(SETUP) setup $(ARGS)

lock:  ## make requirements.txt and environment.yml anew
	@$(SETUP) lock $(ARGS)

clean:  ## remove what set-up and tests made; never anybody's work
	@$(SETUP) clean $(ARGS)
