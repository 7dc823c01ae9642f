#!/usr/bin/env bash
# Digits: networks that read handwritten digits, an API that serves them, a page to draw on.
#
#   bash run.sh COMMAND [OPTIONS]
#
# Train       cnn | mlp | deep    train that network on MNIST, save it in models/ (--help: options)
# Use         app                 the API and the drawing page together; Ctrl-C stops both
#             api                 the API alone: http://localhost:8000/docs
#             front               the drawing page alone: http://localhost:8501
#             predict FILE...     read pictures of digits, without any service
# Measure     drawn FILE          how well a model reads recorded pen strokes
#             compare             the study of MLP against CNN (--quick, --axes)
#             notebooks           run the notebooks from top to bottom (--quick)
#             bench WHAT          how good: quality; how fast: train, serve or page
# Check       test                lint and test (arguments go to pytest)
#             readme              write the tables of README.md from the files of results
#             fuzz                thousands of bad requests to the API
#             test-containers     build the container images, run and test them
#
# Every command first makes .venv and installs requirements.txt where that is needed.
# Environment (default): API_MODEL (cnn), API_PORT (8000), FRONT_PORT (8501), BIND (127.0.0.1),
#   API_WORKERS (1), API_URL (where the page looks for the API), MODELS_DIR (models),
#   MNIST_MIRROR (a folder or URL with MNIST's four .gz files), TORCH_INDEX (index of CPU wheels)

set -euo pipefail # works with bash 3.2, which is what macOS has

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
VENV=$ROOT/.venv
STAMP=$VENV/installed # holds the checksum of the requirements that were installed completely
LOCK=$ROOT/.venv.lock # a link that names the process which is installing
GB_CUDA=9 GB_CPU=3    # free space that the installation needs at its peak
TORCH_INDEX=${TORCH_INDEX:-https://download.pytorch.org/whl/cpu}

say() { printf 'run.sh: %s\n' "$*" >&2; }
die() { say "$@"; exit 1; }
usage() { sed -n '2,/^$/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; }

# --- The environment -----------------------------------------------------------------------------

# Sets PYTHON to a Python 3.11 to 3.13 for which the code $1 runs. Each candidate is really started,
# since the stand-ins that pyenv and macOS put on the PATH exist even where no Python is behind them.
find_python() {
    local range='import sys; assert (3, 11) <= sys.version_info[:2] <= (3, 13)'
    for PYTHON in python3.13 python3.12 python3.11 python3; do
        if "$PYTHON" -c "$range; $1" >/dev/null 2>&1; then return 0; fi
    done
    return 1
}

# Sets PYTHON to one that can make environments; on Debian and Ubuntu root gets the missing package.
find_python_with_venv() {
    local package
    if find_python 'import ensurepip, venv'; then return; fi
    find_python '' || die 'No Python 3.11, 3.12 or 3.13 found: install one of them' \
        '(Debian, Ubuntu: apt-get install python3 python3-venv; macOS: brew install python@3.13),' \
        'then run this again.'
    package=$("$PYTHON" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    command -v apt-get >/dev/null || die "$PYTHON has no venv module:" \
        'install a complete Python 3.11 to 3.13, for example from python.org, then run this again.'
    [ "$(id -u)" = 0 ] || die "$PYTHON has no venv module:" \
        "run 'sudo apt-get install $package', then this again."
    say "$PYTHON has no venv module: installing $package."
    { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y "$package"; } >&2 ||
        die "apt-get could not install $package: install it by hand, then run this again."
    find_python 'import ensurepip, venv' || die "$PYTHON has no venv module even with $package:" \
        'install a complete Python 3.11 to 3.13, then run this again.'
}

# Does PyTorch's index of CPU wheels answer within 3 s? The alarm also ends a hanging name look-up.
torch_index_answers() {
    { "$PYTHON" -c 'import signal, sys, urllib.request as u
signal.alarm(3); u.urlopen(sys.argv[1]).close()' "$TORCH_INDEX/torch/"; } >/dev/null 2>&1
}

# Sets CPU_WHEELS (yes or empty): torch from PyPI brings CUDA, gigabytes without use on a CPU.
choose_torch() {
    CPU_WHEELS=
    if [ "$(uname)" = Darwin ]; then
        say "torch comes from PyPI (its builds for macOS are small)."
    elif nvidia-smi -L >/dev/null 2>&1; then
        say "There is an NVIDIA GPU: torch comes from PyPI, with CUDA (about 6 GB)."
    elif torch_index_answers; then
        CPU_WHEELS=yes
        say "There is no NVIDIA GPU: torch comes as CPU build from $TORCH_INDEX."
    else
        say "$TORCH_INDEX does not answer within 3 s: torch comes from PyPI," \
            "with CUDA (about 6 GB); it runs on the CPU all the same."
    fi
}

check_disk() {
    local need=$GB_CUDA free
    if [ -n "$CPU_WHEELS" ] || [ "$(uname)" = Darwin ]; then need=$GB_CPU; fi
    free=$(df -Pk "$ROOT" | awk 'NR == 2 {print int($4 / 1048576)}')
    [ "$free" -ge "$need" ] || die "The installation needs about $need GB of free disk" \
        "and $ROOT has $free GB: free some space there, then run this again."
    # pip's cache, which spares a repeated installation the downloads, is another copy of them
    [ "$free" -ge $((need + need / 3)) ] || export PIP_NO_CACHE_DIR=1
}

pip_install() {
    # downloads wait beside .venv: /tmp is often held in memory and too small for them
    mkdir -p "$VENV/tmp"
    TMPDIR=$VENV/tmp "$VENV/bin/python" -m pip install --disable-pip-version-check \
        --only-binary=:all: "$@" >&2
}

install() {
    local wanted=$1 pins started=$SECONDS
    if [ -f "$STAMP" ] && "$VENV/bin/python" -c '' 2>/dev/null; then
        say 'requirements.txt has changed: bringing .venv up to date.'
        PYTHON=$VENV/bin/python
    else
        find_python_with_venv
        if [ -e "$VENV" ]; then say '.venv is incomplete: making it anew.'; fi
    fi
    choose_torch
    if [ "$PYTHON" != "$VENV/bin/python" ]; then
        check_disk
        say "Making .venv with $("$PYTHON" --version) and installing requirements.txt (some minutes)."
        "$PYTHON" -m venv --clear "$VENV" >&2 ||
            die "$PYTHON could not make .venv: remove the folder $VENV, then run this again."
    fi
    rm -f "$STAMP"
    pins=$(grep -E '^(torch|torchvision)==' "$ROOT/requirements.txt")
    # shellcheck disable=SC2086 # one argument a pin
    if [ -n "$CPU_WHEELS" ] && ! pip_install --no-deps --index-url "$TORCH_INDEX" $pins; then
        say "$TORCH_INDEX has no build for this machine: torch comes from PyPI."
    fi
    pip_install -r "$ROOT/requirements.txt" || die "The installation failed (the reason stands above):" \
        'see to the network or the disk, then run this again.'
    rm -rf "$VENV/tmp"
    echo "$wanted" >"$STAMP"
    say "Installed in $((SECONDS - started)) s; .venv takes $(du -sh "$VENV" | cut -f1)."
}

# Makes .venv what requirements.txt says, one run.sh at a time; costs nothing where it is so already.
prepare() {
    local wanted owner told=
    wanted=$(cksum <"$ROOT/requirements.txt")
    is_installed() {
        [ "$(cat "$STAMP" 2>/dev/null)" = "$wanted" ] && "$VENV/bin/python" -c '' 2>/dev/null
    }
    if is_installed; then return; fi
    until ln -s $$ "$LOCK" 2>/dev/null; do
        owner=$(readlink "$LOCK") || die "Cannot write into $ROOT: make that folder writable" \
            'or clone the project elsewhere, then run this again.'
        if ! kill -0 "$owner" 2>/dev/null; then rm -f "$LOCK"; continue; fi
        [ -n "$told" ] || say "Another run.sh (process $owner) is installing: waiting for it."
        told=yes
        sleep 1
    done
    trap 'rm -f "$LOCK"' EXIT
    if ! is_installed; then install "$wanted"; fi
    rm -f "$LOCK"
    trap - EXIT
}

in_venv() { exec "$VENV/bin/python" "$@"; }

# --- The services --------------------------------------------------------------------------------

# check_port NAME: the port in the variable NAME is a port, and nobody listens there.
check_port() {
    local name=$1 port=${!1}
    case $port in '' | *[!0-9]* | ??????*) port=0 ;; esac
    if [ "$port" -lt 1 ] || [ "$port" -gt 65535 ]; then
        die "$name is '${!name}': set it to a port number from 1 to 65535."
    fi
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
        die "Port $port is taken: stop what listens there, or take another: $name=$((port + 1)) bash run.sh ..."
    fi
}

serve_api() {
    API_HOST="$BIND" exec "$VENV/bin/python" -m app
}

serve_front() {
    export API_URL="${API_URL:-http://127.0.0.1:$API_PORT}"
    cd "$ROOT" # where .streamlit/config.toml lies
    exec "$VENV/bin/python" -m streamlit run src/app/streamlit_app.py \
        --server.address "$BIND" --server.port "$FRONT_PORT"
}

# Ends the processes given, with force after 10 s.
stop() {
    local pid tries=100
    kill -TERM "$@" 2>/dev/null || true
    for pid in "$@"; do
        while kill -0 "$pid" 2>/dev/null && [ $((tries -= 1)) -gt 0 ]; do sleep 0.1; done
        kill -KILL "$pid" 2>/dev/null || true
    done
}

serve_both() {
    local api front ended=page status=0
    serve_api & api=$!
    serve_front & front=$!
    trap 'stop $api $front; say "API and page are stopped."; exit 130' INT
    trap 'stop $api $front; exit 143' TERM HUP
    say "Draw at http://localhost:$FRONT_PORT; the API is described at http://localhost:$API_PORT/docs." \
        'Ctrl-C stops both.'
    while kill -0 $api 2>/dev/null && kill -0 $front 2>/dev/null; do sleep 0.3; done
    if kill -0 $front 2>/dev/null; then ended=API; fi
    stop $api $front
    if [ $ended = API ]; then wait $api || status=$?; else wait $front || status=$?; fi
    say "The $ended ended by itself (status $status), so the other one was stopped too."
    [ $status -ne 0 ] || status=1
    exit $status
}

# --- The commands --------------------------------------------------------------------------------

run_tests() {
    cd "$ROOT"
    export OMP_NUM_THREADS=${OMP_NUM_THREADS:-2} # more threads than cores make small networks slow
    "$VENV/bin/python" -m ruff check .
    "$VENV/bin/python" -m ruff format --check .
    in_venv -m pytest "$@"
}

check_docker() {
    docker info >/dev/null 2>&1 && docker compose version >/dev/null 2>&1 && return
    say 'No Docker engine with compose answers: install and start Docker, then run this again.'
    exit 3
}

main() {
    local command=${1:-}
    [ $# -eq 0 ] || shift
    API_PORT=${API_PORT:-8000} FRONT_PORT=${FRONT_PORT:-8501} BIND=${BIND:-${API_HOST:-127.0.0.1}}
    export PYTHONPATH="$ROOT/src"
    case $command in
    cnn | mlp | deep) prepare; in_venv "$ROOT/src/main_pipeline.py" "$command" "$@" ;;
    app) check_port API_PORT; check_port FRONT_PORT; prepare; serve_both ;;
    api) check_port API_PORT; prepare; serve_api ;;
    front) check_port FRONT_PORT; prepare; serve_front ;;
    predict) prepare; in_venv -m predict "$@" ;;
    drawn) prepare; in_venv -m evaluation.evaluate_strokes "$@" ;;
    compare) prepare; in_venv -m study "$@" ;;
    notebooks) prepare; in_venv -m study.notebooks "$@" ;;
    bench)
        case ${1:-} in
        quality) prepare; in_venv -m evaluation.quality "${@:2}" ;;
        train | serve | page) prepare; in_venv -m "bench.$1" "${@:2}" ;;
        *) usage >&2; exit 2 ;;
        esac
        ;;
    fuzz) prepare; in_venv -m bench.fuzz "$@" ;;
    test) prepare; run_tests "$@" ;;
    readme) prepare; in_venv -m readme "$@" ;;
    test-containers) check_docker; prepare; cd "$ROOT"; in_venv -m pytest tests/containers/check.py "$@" ;;
    help | -h | --help) usage ;;
    *) usage >&2; exit 2 ;;
    esac
}

main "$@"
