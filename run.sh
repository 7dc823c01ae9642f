#!/usr/bin/env bash
# Digits: networks that read handwritten digits, an API that serves them, a page to draw on.
#
#   bash run.sh COMMAND [OPTIONS]
#
# Train    cnn | mlp | deep   train that network on MNIST, save it in models/ (--help: options)
#          line               train the network that reads numbers; it goes on where it was stopped
#          export             write the form of the models that the API runs
# Use      app                the API and the drawing page together; --share: the page for all in this network
#          api | front        one alone: http://localhost:8000/docs, http://localhost:8501
#          predict FILE...    read pictures of digits, without any service
# Measure  evaluate PATH...   how well a model reads your pictures and drawings
#          compare [PATH...]  the study of MLP against CNN (--quick, --report)
#          notebooks          run the notebooks from top to bottom (--quick)
#          bench serve        how fast the API answers
#          bench train        the least processor time to read MNIST; --record: a record
# Check    test               lint, check the types and test; test PATH: pytest on that path, nothing else
#          fuzz               thousands of bad requests to the API
#          test-containers    build the container images, run and test them
#          lock               write requirements.txt from pyproject.toml (--upgrade: newest versions)
# Every command first installs into .venv what it needs (install.py).
# Environment (default): API_PORT (8000), FRONT_PORT (8501), BIND (127.0.0.1), MODELS_DIR (models),
#   MNIST_MIRROR (a folder or URL with MNIST's four .gz files), TORCH_INDEX (index of CPU wheels);
#   deploy/README.md lists the settings of the API and the page

[ -n "${BASH_VERSION:-}" ] || exec bash "$0" "$@" # sh run.sh
set +o posix
set -euo pipefail # works with bash 3.2, which is what macOS has

unset CDPATH PYTHONHOME PYTHONOPTIMIZE PYTHONSAFEPATH # the user's, for other programs
# Kubernetes and docker --link set these to tcp://... beside services called api and front.
case ${API_PORT:-} in *://*) unset API_PORT ;; esac
case ${FRONT_PORT:-} in *://*) unset FRONT_PORT ;; esac

ROOT=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" && pwd)
VENV=$ROOT/.venv
API_PORT=${API_PORT:-8000} FRONT_PORT=${FRONT_PORT:-8501} BIND=${BIND:-${API_HOST:-127.0.0.1}}
case $BIND in # HOST: where both answer, as a URL has it
    0.0.0.0) HOST=127.0.0.1 ;;
    ::) HOST='[::1]' ;;
    *:*) HOST="[$BIND]" ;;
    *) HOST=$BIND ;;
esac
export PYTHONPATH="$ROOT/src"
say() { printf 'run.sh: %s\n' "$*" >&2; }
die() { say "$@"; exit "${STATUS:-1}"; }
usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

# --- The environment -----------------------------------------------------------------------------
# Sets PYTHON. Each is really started: pyenv and macOS put stand-ins on the PATH with no Python behind.
find_python() {
    for PYTHON in "$VENV/bin/python" python3.13 python3.14 python3.12 python3.11 python3 ''; do
        if "$PYTHON" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))'; then break; fi
    done >/dev/null 2>&1
    [ -n "$PYTHON" ] || fetch_python || die 'No Python 3.11 to 3.14 found, and uv could not fetch one:' \
        'install one (Debian, Ubuntu: apt-get install python3 python3-venv; macOS: brew install python@3.13)' \
        'or uv (https://docs.astral.sh/uv), then run this again.'
}
# Sets PYTHON to one that uv downloads. A Python that is too old or too new can install uv.
fetch_python() {
    local folder
    folder=$(mktemp -d)
    local PATH=$PATH:$folder/bin
    command -v uv || { python3 -m venv "$folder" && "$folder/bin/pip" install "$(grep ^uv== "$ROOT/requirements.txt")"; }
    uv python install 3.13 && PYTHON=$(uv python find --managed-python 3.13)
    rm -rf "$folder"
    [ -n "$PYTHON" ]
} >/dev/null 2>&1

is_installed() { cmp -s "$ROOT/requirements.txt" "$VENV/installed-$1" && "$VENV/bin/python" -c ''; } 2>/dev/null
# prepare app|train|test: installs what .venv lacks of it; costs nothing where that is nothing.
prepare() {
    if is_installed "$1"; then return; fi
    find_python
    "$PYTHON" "$ROOT/install.py" "$1"
}
# in_venv app|train|test ARGUMENTS...: of Python
in_venv() { prepare "$1"; exec "$VENV/bin/python" "${@:2}"; }

# On Linux training takes a tenth to a fifth less time where glibc keeps its memory, in large pages.
keep_memory() {
    local keep=4000000000 # bytes
    export GLIBC_TUNABLES=${GLIBC_TUNABLES:-glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=$keep:glibc.malloc.trim_threshold=$keep}
}
train() { keep_memory; in_venv train "$ROOT/src/main_pipeline.py" "$@"; }

# --- The commands --------------------------------------------------------------------------------
# check_port NAME: the port in the variable NAME can be listened on at $BIND.
check_port() {
    local fault
    fault=$("$VENV/bin/python" -c 'import socket, sys
host, port = sys.argv[1:]
socket.create_server((host, int(port)), family=socket.AF_INET6 if ":" in host else socket.AF_INET)' \
        "$BIND" "${!1}" 2>&1) || die "$1=${!1} cannot be listened on at BIND=$BIND (${fault##*$'\n'}):" \
        "stop what listens there, or take others: $1=8123 bash run.sh ..."
}

# MALLOC_*: large images do not fragment the heap, and what they needed goes back to the system.
api() {
    export MALLOC_ARENA_MAX=2 MALLOC_TRIM_THRESHOLD_=32000000 MALLOC_MMAP_THRESHOLD_=4000000
    API_HOST=$BIND in_venv app -m app
}
front() {
    cd "$ROOT" # where .streamlit/config.toml lies
    API_URL=${API_URL:-http://$HOST:$API_PORT} in_venv app -m streamlit run src/app/page_server.py \
        --server.address "${1:-$BIND}" --server.port "$FRONT_PORT"
}

both() { # both [ADDRESS]: of the page, if it is for others too
    [ "$API_PORT" != "$FRONT_PORT" ] ||
        die "API and page cannot share port $API_PORT: set API_PORT or FRONT_PORT to another one."
    api & api=$!; front "$1" & front=$!
    trap 'kill $api $front 2>/dev/null || true; wait; say "API and page are stopped."' EXIT
    trap 'exit 130' INT; trap 'exit 143' TERM HUP
    say "Draw at http://${HOST/127.0.0.1/localhost}:$FRONT_PORT; API: http://$HOST:$API_PORT/docs. Ctrl-C stops both."
    [ -z "$1" ] || "$VENV/bin/python" -m app.share "$FRONT_PORT" >&2
    while kill -0 $api 2>/dev/null && kill -0 $front 2>/dev/null; do sleep 0.3; done
    die 'The API or the page has ended by itself (the reason stands above), so both are stopped.'
}

# moved NEW OLD...: says what the command OLD is now.
moved() { STATUS=2 die "'$2 ${3:-}' is now: bash run.sh $1"; }

# run_tests ARGUMENTS...: of pytest. If one of them is a path, pytest runs alone.
run_tests() {
    local argument
    prepare test; cd "$ROOT"
    export PATH="$VENV/bin:$PATH" OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" # two workers share the cores
    for argument in "$@"; do
        if [ -e "${argument%%::*}" ]; then exec python -m pytest "$@"; fi
    done
    ruff check .; ruff format --check .; mypy; lint-imports
    if command -v shellcheck >/dev/null; then shellcheck run.sh .ci/run; else say 'run.sh is not linted: no shellcheck.'; fi
    exec python -m pytest --durations=10 -n 2 --dist loadfile "$@"
}

case "${1:-} ${2:-}" in
'help '* | '-h '* | '--help '* | 'app --help' | 'api --help' | 'front --help') usage ;;
'bench --help' | 'notebooks --help' | 'test-containers --help') usage ;;
'cnn '* | 'mlp '* | 'deep '*) train "$@" ;;
'line '*) in_venv train -m model.numbers.train "${@:2}" ;;
'export '*) in_venv train -m model.export "${@:2}" ;;
'app ' | 'app --share') prepare app; check_port API_PORT; check_port FRONT_PORT; both "${2:+0.0.0.0}" ;;
'api ') prepare app; check_port API_PORT; api ;;
'front ') prepare app; check_port FRONT_PORT; front ;;
'predict '*) in_venv app -m predict "${@:2}" ;;
'bench quality' | 'drawn '*) moved "evaluate PATH..." "$@" ;;
'evaluate '*)
    [ -e "${2:-}" ] || case "${2:-}" in # a path of the user's may have one of these names
        images | strokes | quality) moved "evaluate PATH..." "$@" ;;
        numbers) moved "evaluate --numbers PATH..." "$@" ;;
    esac
    in_venv train -m evaluate "${@:2}" ;;
'compare '*) in_venv train -m study "${@:2}" ;;
'notebooks --quick') NOTEBOOKS_QUICK=1 in_venv train "$VENV/bin/jupyter-execute" --timeout=1200 "$ROOT"/notebooks/*.ipynb ;;
'notebooks ') in_venv train "$VENV/bin/jupyter-nbconvert" --execute --inplace --ExecutePreprocessor.timeout=1200 \
    --ExecutePreprocessor.record_timing=False "$ROOT"/notebooks/*.ipynb ;;
'bench serve') in_venv train -m bench "${@:3}" ;;
'bench train') keep_memory; in_venv train -m record "${@:3}" ;;
'bench page') STATUS=2 die "'bench page' is now: PYTHONPATH=src .venv/bin/python -m tests.support.page_load" ;;
'test '*) run_tests "${@:2}" ;;
'fuzz '*) cd "$ROOT"; in_venv test -m tests.fuzz "${@:2}" ;;
'test-containers '*)
    { docker info && docker compose version; } >/dev/null 2>&1 || STATUS=3 die \
        'No Docker engine with compose answers: install and start Docker, then run this again.'
    cd "$ROOT"; in_venv test -m pytest tests/containers/check.py "${@:2}" ;;
'lock '*) prepare app; cd "$ROOT"
    "$VENV/bin/python" install.py --list all |
        "$VENV/bin/uv" pip compile -q --universal --python-version 3.11 - -o requirements.txt "${@:2}" ;;
'readme '*) STATUS=2 die "'readme' is gone: evaluate, bench and compare write their tables themselves" ;;
'app '* | 'api '* | 'front '*) say "'$1' takes no such option, but environment variables."; usage >&2; exit 2 ;;
'bench ') say "What should be measured? bash run.sh bench serve or train"; usage >&2; exit 2 ;;
*) [ $# = 0 ] || say "There is no command '$*'."; usage >&2; exit 2 ;;
esac
