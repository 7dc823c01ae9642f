#!/usr/bin/env bash
# Digits: networks that read handwritten digits, an API that serves them, a page to draw on.
#
#   bash run.sh COMMAND [OPTIONS]
#
# Train    cnn | mlp | deep   train that network on MNIST, save it in models/ (--help: options)
#          export             write the form of the models that the API runs
# Use      app                the API and the drawing page together; --share: the page for all in this network
#          api | front        one alone: http://localhost:8000/docs, http://localhost:8501
#          predict FILE...    read pictures of digits, without any service
# Measure  evaluate PATH...   how well a model reads your pictures and drawings
#          compare [PATH...]  the study of MLP against CNN (--quick, --report)
#          notebooks          run the notebooks from top to bottom (--quick)
#          bench WHAT         how fast: serve or train
# Check    test               lint, check the types and test; test PATH: pytest on that path, nothing else
#          fuzz               thousands of bad requests to the API
#          test-containers    build the container images, run and test them
#          lock               write requirements.txt from pyproject.toml (--upgrade: newest versions)
# Every command first makes .venv from requirements.txt where that is needed.
# Environment (default): API_PORT (8000), FRONT_PORT (8501), BIND (127.0.0.1), MODELS_DIR (models),
#   MNIST_MIRROR (a folder or URL with MNIST's four .gz files), TORCH_INDEX (index of CPU wheels);
#   deploy/README.md lists the settings of the API and the page

set -euo pipefail # works with bash 3.2, which is what macOS has

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
VENV=$ROOT/.venv
TORCH_INDEX=${TORCH_INDEX:-https://download.pytorch.org/whl/cpu}
API_PORT=${API_PORT:-8000} FRONT_PORT=${FRONT_PORT:-8501} BIND=${BIND:-${API_HOST:-127.0.0.1}}
case $BIND in 0.0.0.0 | ::) HOST=127.0.0.1 ;; *) HOST=$BIND ;; esac # where both answer
export PYTHONPATH="$ROOT/src"
say() { printf 'run.sh: %s\n' "$*" >&2; }
die() { say "$@"; exit "${STATUS:-1}"; }
usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }
pin() { grep "^$1==" "$ROOT/requirements.txt"; }

# --- The environment -----------------------------------------------------------------------------
# Sets PYTHON. Each is really started: pyenv and macOS put stand-ins on the PATH with no Python behind.
find_python() {
    for PYTHON in python3.13 python3.12 python3.11 python3 ''; do
        if "$PYTHON" -c 'import sys; assert (3, 11) <= sys.version_info[:2] <= (3, 13)'; then break; fi
    done >/dev/null 2>&1
    [ -n "$PYTHON" ] || die 'No Python 3.11, 3.12 or 3.13 found: install one of them (Debian, Ubuntu:' \
        'apt-get install python3 python3-venv; macOS: brew install python@3.13), then run this again.'
    "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null || die "$PYTHON has no venv module: install it" \
        "(Debian, Ubuntu: apt-get install $PYTHON-venv), then run this again."
}

# pip_install ARGUMENTS...: by uv in a minute; by pip where uv is not there or does not get through.
pip_install() {
    set -- install --quiet --only-binary :all: "$@"
    if [ -x "$VENV/bin/uv" ] && "$VENV/bin/uv" pip "$@" --python "$VENV/bin/python" >&2; then return; fi
    # downloads wait in .venv: /tmp is often held in memory and too small for them
    TMPDIR=$VENV "$VENV/bin/python" -m pip --disable-pip-version-check --no-cache-dir "$@" >&2
}

install() {
    local index='' need=8 free
    # torch from PyPI brings CUDA, on Linux; the alarm ends a name look-up that hangs, too
    if nvidia-smi -L >/dev/null 2>&1; then say 'There is an NVIDIA GPU: torch comes from PyPI, with CUDA.'
    elif [ "$(uname)" = Darwin ]; then need=3
    elif { "$PYTHON" -c 'import signal, sys, urllib.request as u
signal.alarm(3); u.urlopen(sys.argv[1]).close()' "$TORCH_INDEX/torch/"; } >/dev/null 2>&1; then
        index=$TORCH_INDEX need=3
        say "There is no NVIDIA GPU: torch comes as CPU build from $index."
    else say "$TORCH_INDEX does not answer within 3 s: torch comes from PyPI, with CUDA (about 7 GB)."; fi
    free=$(df -Pk "$ROOT" | awk 'NR == 2 {print int($4 / 1048576)}')
    [ "$free" -ge "$need" ] || die "The installation needs about $need GB of free disk and $ROOT" \
        "has $free GB: free some space there, then run this again."
    say "Making .venv with $("$PYTHON" --version) and installing requirements.txt (a minute or two)."
    { rm -rf "$VENV" && "$PYTHON" -m venv "$VENV"; } >&2 || die "$PYTHON could not make $VENV (see above)."
    pip_install "$(pin uv)" || true
    # shellcheck disable=SC2046 # one argument a pin
    [ -z "$index" ] ||
        PIP_INDEX_URL=$index UV_DEFAULT_INDEX=$index pip_install --no-deps $(pin torch) $(pin torchvision) ||
        say "$index has no build for this machine: torch comes from PyPI."
    pip_install -r "$ROOT/requirements.txt" || die 'The installation failed (the reason stands above):' \
        'see to the network or the disk, then run this again.'
    cp "$ROOT/requirements.txt" "$VENV/installed"
}

is_installed() { cmp -s "$ROOT/requirements.txt" "$VENV/installed" && "$VENV/bin/python" -c ''; } 2>/dev/null
# Makes .venv what requirements.txt says, one run.sh at a time; costs nothing where it is so already.
prepare() {
    if is_installed; then return; fi
    find_python
    { exec 9>"$ROOT/.venv.lock"; } 2>/dev/null || # locked as long as this is open, here or in a child
        die "Cannot write into $ROOT: make it writable or clone the project elsewhere, then run this again."
    "$PYTHON" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)' 2>/dev/null ||
        { say 'Another run.sh is installing: waiting.'; "$PYTHON" -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)'; }
    if ! is_installed; then install; fi
    exec 9>&-
}
in_venv() { prepare; exec "$VENV/bin/python" "$@"; }

# On Linux training takes a tenth to a fifth less time where glibc keeps its memory, in large pages.
train() {
    local keep=4000000000 # bytes
    case " $* " in *' --processes'*) STATUS=2 die "'--processes' is now:" \
        "PYTHONPATH=src .venv/bin/torchrun --nproc-per-node 2 src/main_pipeline.py $1" ;; esac
    export GLIBC_TUNABLES=${GLIBC_TUNABLES:-glibc.malloc.hugetlb=1:glibc.malloc.mmap_threshold=$keep:glibc.malloc.trim_threshold=$keep}
    in_venv "$ROOT/src/main_pipeline.py" "$@"
}

# --- The commands --------------------------------------------------------------------------------
# check_port NAME: nobody listens on the port in the variable NAME.
check_port() {
    if ! (exec 3<>"/dev/tcp/127.0.0.1/${!1}") 2>/dev/null; then return; fi
    die "Port ${!1} is taken: stop what listens there, or take another: $1=$((${!1} + 1)) bash run.sh ..."
}

# MALLOC_*: large images do not fragment the heap, and what they needed goes back to the system.
api() {
    export MALLOC_ARENA_MAX=2 MALLOC_TRIM_THRESHOLD_=32000000 MALLOC_MMAP_THRESHOLD_=4000000
    API_HOST=$BIND in_venv -m app
}
front() {
    cd "$ROOT" # where .streamlit/config.toml lies
    API_URL=${API_URL:-http://$HOST:$API_PORT} in_venv -m streamlit run src/app/page_server.py \
        --server.address "${1:-$BIND}" --server.port "$FRONT_PORT"
}

both() { # both [ADDRESS]: of the page, if it is for others too
    [ "$API_PORT" != "$FRONT_PORT" ] ||
        die "API and page cannot share port $API_PORT: set API_PORT or FRONT_PORT to another one."
    prepare
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
    prepare; cd "$ROOT"
    export PATH="$VENV/bin:$PATH" OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" # two workers share the cores
    for argument in "$@"; do
        if [ -e "${argument%%::*}" ]; then exec python -m pytest "$@"; fi
    done
    ruff check .; ruff format --check .; mypy; shellcheck run.sh .ci/run; PYTHONPATH=src lint-imports
    exec python -m pytest --durations=10 -n 2 --dist loadfile "$@"
}

case "${1:-} ${2:-}" in
'help '* | '-h '* | '--help '* | 'app --help' | 'api --help' | 'front --help') usage ;;
'bench --help' | 'notebooks --help' | 'test-containers --help') usage ;;
'cnn '* | 'mlp '* | 'deep '*) train "$@" ;;
'export '*) in_venv -m model.export "${@:2}" ;;
'app ' | 'app --share') check_port API_PORT; check_port FRONT_PORT; both "${2:+0.0.0.0}" ;;
'api ') check_port API_PORT; api ;;
'front ') check_port FRONT_PORT; front ;;
'predict '*) in_venv -m predict "${@:2}" ;;
'bench quality' | 'drawn '*) moved "evaluate PATH..." "$@" ;;
'evaluate '*)
    [ -e "${2:-}" ] || case "${2:-}" in # a path of the user's may have one of these names
        images | strokes | quality) moved "evaluate PATH..." "$@" ;;
        numbers) moved "evaluate --numbers PATH..." "$@" ;;
    esac
    in_venv -m evaluate "${@:2}" ;;
'compare '*) in_venv -m study "${@:2}" ;;
'notebooks --quick') NOTEBOOKS_QUICK=1 in_venv "$VENV/bin/jupyter-execute" --timeout=1200 "$ROOT"/notebooks/*.ipynb ;;
'notebooks ') in_venv "$VENV/bin/jupyter-nbconvert" --execute --inplace --ExecutePreprocessor.timeout=1200 \
    --ExecutePreprocessor.record_timing=False "$ROOT"/notebooks/*.ipynb ;;
'bench train' | 'bench serve') in_venv -m bench "${@:2}" ;;
'bench page') STATUS=2 die "'bench page' is now: PYTHONPATH=src .venv/bin/python -m tests.support.page_load browser" ;;
'test '*) run_tests "${@:2}" ;;
'fuzz '*) cd "$ROOT"; in_venv -m tests.fuzz "${@:2}" ;;
'test-containers '*)
    { docker info && docker compose version; } >/dev/null 2>&1 || STATUS=3 die \
        'No Docker engine with compose answers: install and start Docker, then run this again.'
    cd "$ROOT"; in_venv -m pytest tests/containers/check.py "${@:2}" ;;
'lock '*) prepare; cd "$ROOT"; exec "$VENV/bin/uv" pip compile -q --group all -o requirements.txt "${@:2}" ;;
'readme '*) STATUS=2 die "'readme' is gone: evaluate, bench and compare write their tables themselves" ;;
'app '* | 'api '* | 'front '*) say "'$1' takes no such option, but environment variables."; usage >&2; exit 2 ;;
'bench ') say "What should be measured? bash run.sh bench serve or train"; usage >&2; exit 2 ;;
*) [ $# = 0 ] || say "There is no command '$*'."; usage >&2; exit 2 ;;
esac
