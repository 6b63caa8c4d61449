#!/bin/sh
# Makes the virtual environment .venv with what tests and checks need, as pinned in requirements.lock, and sees to curl,
# with which the README calls the lab; asked for a browser, also to Chromium, in which the tests open the lab's page;
# asked for plots, also to what draws those of `make bench`, as pinned in bench/requirements.lock.
#
#     tests/environment.sh [browser | plots]
#     BUNDLE=FILE tests/environment.sh      without a network, from the wheels in a bundle
#
# The same by hand:  python3 -m venv .venv && .venv/bin/pip install --require-hashes -r requirements.lock
#
# PYTHON: the interpreter to make it with (python3).
# Exit code: 0 it is there, 1 it is not; the last lines on stderr say what happened, why, and what to type.
set -eu

speaker=tests
here=$(dirname -- "$0")
# shellcheck source=docker/engine/common.sh
. "$here/../docker/engine/common.sh"

python=${PYTHON:-python3}
environment=$here/../.venv
lock=$here/../requirements.lock
lock_of_plots=$here/../bench/requirements.lock

main() {
    # With a bundle there is no network to get it by, and only the README's examples call it.
    have curl || [ -n "${BUNDLE-}" ] || need_package curl "there is no curl on PATH"
    make_environment
    [ "${1-}" != browser ] || need_browser
    [ "${1-}" != plots ] || need_plots
}

make_environment() {
    # The lock's copy is written last: an environment that was interrupted half-way has none, and is made anew.
    ! cmp -s "$lock" "$environment/requirements.lock" || return 0
    need_python
    need_ensurepip
    say "making the virtual environment .venv for the tests, from requirements.lock, about 20 seconds"
    "$python" -m venv --clear "$environment" || fail "$python could not make a virtual environment"
    log=$environment/pip.log
    set --
    if [ -n "${BUNDLE-}" ]; then
        take_wheels
        set -- --no-index --find-links="$environment/wheels"
    fi
    "$environment/bin/python" -m pip install --disable-pip-version-check --require-hashes "$@" -r "$lock" >"$log" 2>&1 || {
        say_last_lines "$log"
        [ -z "${BUNDLE-}" ] || fail "the wheels of BUNDLE=$BUNDLE do not fit requirements.lock; all of pip's words are in .venv/pip.log" \
            "Make the bundle anew, where there is a network: make bundle"
        fail "pip could not install what requirements.lock lists; its last words are above, all of them in .venv/pip.log" \
            "Mend what it names, then type the same command again"
    }
    rm -rf "$environment/wheels"
    cp "$lock" "$environment/requirements.lock"
}

# The module lies in the project's folder, and the bundle's path starts at the caller's.
take_wheels() {
    case $BUNDLE in /*) bundle=$BUNDLE ;; *) bundle=$PWD/$BUNDLE ;; esac
    mkdir "$environment/wheels"
    (cd "$here/.." && .venv/bin/python -m cgilab.project.bundle "$bundle" .venv/wheels) ||
        fail "no wheels could be taken from BUNDLE=$BUNDLE; the lines above say why"
}

need_python() {
    have "$python" || fail "there is no $python on PATH" "Install Python 3.10 or newer: https://www.python.org/downloads/"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
        fail "$("$python" --version) is too old: the tests need 3.10 or newer" \
            "Name a newer one: PYTHON=python3.13 make test"
}

# Debian keeps what makes virtual environments in a package of its own.
need_ensurepip() {
    ! "$python" -c 'import ensurepip' 2>/dev/null || return 0
    need_package "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')" \
        "$python cannot make virtual environments, for it lacks the module ensurepip"
}

# A browser without which all tests but those of the page work: where none can be had, those tests say so.
# The names are those of tests/support/browser.py.
need_browser() {
    for name in chromium chromium-browser google-chrome; do ! have "$name" || return 0; done
    # Ubuntu's package of that name only fetches a snap, which does not start in a container; Debian's is the browser.
    if have apt-get && is_root && [ "$(os_release ID)" = debian ]; then
        need_package chromium "there is no Chromium on PATH, with which the tests open the lab's page"
        return
    fi
    # Playwright keeps its own browsers outside the project, so this is quick where it has been done before.
    "$environment/bin/python" -m playwright install chromium >"$environment/playwright.log" 2>&1 || {
        say "there is no Chromium, so the tests in tests/browser will fail; Playwright's last words:"
        say_last_lines "$environment/playwright.log"
    }
}

# Its copy of the lock goes with the environment, so a new one gets them anew.
need_plots() {
    ! cmp -s "$lock_of_plots" "$environment/plots.lock" || return 0
    say "installing what draws the plots, from bench/requirements.lock, about 10 seconds"
    log=$environment/plots.log
    "$environment/bin/python" -m pip install --disable-pip-version-check --require-hashes -r "$lock_of_plots" >"$log" 2>&1 || {
        say_last_lines "$log"
        fail "pip could not install what bench/requirements.lock lists; its last words are above, all of them in .venv/plots.log" \
            "Mend what it names, then type the same command again"
    }
    cp "$lock_of_plots" "$environment/plots.lock"
}

# need_package PACKAGE REASON: installs a package of Debian or Ubuntu, where that is possible.
need_package() {
    if ! have apt-get || ! is_root; then
        fail "$2" "Debian and Ubuntu: type  sudo apt-get install $1"
    fi
    say "installing $1, since $2"
    [ -n "${workspace-}" ] || make_workspace
    # shellcheck source=docker/engine/apt.sh
    . "$here/../docker/engine/apt.sh"
    apt_open cgi-lab-tests.log
    apt_install "$1"
}

main "$@"
