# make demo: the whole main job. make test, make lint: what CI runs. Each sets up what it needs in .venv.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip install --disable-pip-version-check -c constraints.txt

.PHONY: demo test lint clean

demo: $(VENV)/.train
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" $(RUN) -m spacy project run all

# One thread a process: several that each take all cores stand in each other's way.
test: $(VENV)/.test
	OMP_NUM_THREADS=1 $(RUN) -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.lint
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV) || (echo "Install venv first, e.g. apt-get install python3-venv"; exit 1)

$(VENV)/.%: pyproject.toml setup.py constraints.txt | $(VENV)/bin/python
	@echo "Installing spacy-radsent[$*] into $(VENV)"
	$(PIP) -e ".[$*]"
	touch $@

clean:
	rm -rf $(VENV) corpus training metrics packages demo project.lock
