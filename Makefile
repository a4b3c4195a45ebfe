# The two commands: make demo, make test. Everything else serves them.

PYTHON ?= python3
# How packages are installed; for the CPU build of torch with uv: make setup INSTALL="uv pip install --torch-backend=cpu"
INSTALL ?= .venv/bin/python -m pip install --disable-pip-version-check
# What is installed beside what grading needs: make setup EXTRAS=github
EXTRAS ?= dev
# The assignment that the demo proves; of the others it looks whether their proofs are of what stands there.
DEMO ?= perceptrons
AG := .venv/bin/autogradient
export OMP_NUM_THREADS ?= 1

.PHONY: help setup demo prove test lab lint docs parity benchmark clean
.DEFAULT_GOAL := help

help: ## Show what there is
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 12

setup: .venv/.installed ## Install everything into .venv

.venv/.installed: pyproject.toml constraints.txt Makefile
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: install Python 3.11 or later (Debian, Ubuntu: apt install python3 python3-venv)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$($(PYTHON) --version) is too old: install Python 3.11 or later and say make PYTHON=python3.11 …"; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "Python's venv module is missing: install it (Debian, Ubuntu: apt install python3-venv)"; exit 1; }
	@command -v git >/dev/null || { echo "git is missing: install it (Debian, Ubuntu: apt install git)"; exit 1; }
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv
	@echo "installing packages into .venv (some minutes the first time)"
	VIRTUAL_ENV=$(CURDIR)/.venv $(INSTALL) -q -c constraints.txt -e '.[$(EXTRAS)]'
	@touch $@

demo: setup ## Prove an assignment, release the course, grade the sample submissions, write feedback and marks
	@$(AG) prove --minutes 0
	@$(AG) prove $(DEMO)
	@$(AG) release
	@cp -R examples/submissions/. submitted/
	@$(AG) grade --all
	@$(AG) feedback
	@$(AG) export --to csv
	@echo
	@$(AG) report
	@echo
	@echo "student notebooks   release/"
	@echo "feedback            feedback/STUDENT/ASSIGNMENT/feedback.html"
	@echo "marks               results/marks.csv, results/parts.csv"
	@echo "nbgrader's gradebook gradebook.db"

prove: setup ## Prove every assignment anew
	$(AG) prove --again

test: setup ## Run the whole test suite
	.venv/bin/python -m pytest -n 2 --dist loadfile

lint: setup ## Check style and types, and that what is generated is up to date
	.venv/bin/ruff check .
	.venv/bin/ruff format --check autogradient tests
	.venv/bin/mypy
	$(AG) fmt --check
	$(AG) release --check

lab: setup ## Open JupyterLab; text notebooks of source/ open as notebooks
	JUPYTER_CONFIG_PATH=$(CURDIR)/grader_config/jupyter:$(CURDIR)/grader_config .venv/bin/jupyter lab

parity: setup ## Compare every score with stock otter and stock nbgrader (some minutes)
	PYTHONPATH=tests/support .venv/bin/python -m parity

benchmark: setup ## Time the proofs of the course, and sealed grading against stock tools
	.venv/bin/python benchmarks/prove.py
	.venv/bin/python benchmarks/sealed.py
	.venv/bin/python benchmarks/batch.py --submissions 20 --otter 1 --sizes 1,10,100

docs: setup ## Write docs/commands.md, the figures of docs/security.md and the result's schema anew
	.venv/bin/python docs/write_commands.py

clean: ## Remove what can be made again, but never results, ledger or submissions
	rm -rf .venv build generated
	find autograded feedback -mindepth 1 ! -name README.md -delete
