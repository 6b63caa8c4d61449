#!/bin/sh
# Makes sure that `docker compose` works: an Engine of 25 or newer that answers, Compose v2 and Buildx.
#
#     docker/engine/ensure.sh
#
# Where all of that is there, it says nothing and changes nothing. As root on Debian or Ubuntu it installs what is
# missing from the distribution's own packages and starts the engine; no package of the machine is upgraded or removed
# for it, and /etc/apt is left alone. Elsewhere it says what to install or start.
#
# Exit code: 0 it works, 1 it does not; the last lines on stderr say what happened, why, and what to type.
#
# CGI_LAB_ENGINE_WAIT: how many seconds a started engine has until it answers (60).
set -eu

speaker=engine
here=$(dirname -- "$0")
# shellcheck source=docker/engine/common.sh
. "$here/common.sh"

# Health checks in compose.yaml use start_interval, which came with Engine 25.
oldest_engine=25
seconds_to_start=${CGI_LAB_ENGINE_WAIT-60}
dockerd_log=$host_root/var/log/cgi-lab-dockerd.log
dockerd_pid_file=$host_root/var/run/docker.pid
manual=https://docs.docker.com/engine/install

main() {
    ask_engine
    ask_plugins
    if [ -n "$engine_version" ]; then
        refuse_old_engine
        [ -n "$missing" ] || exit 0
    else
        refuse_engine_elsewhere
        refuse_locked_socket
        refuse_engine_in_error
    fi
    refuse_system_we_cannot_install_on
    install_missing
    [ -n "$engine_version" ] || start_engine
    verify
}

# --- What is there ----------------------------------------------------------------------------------------------------

# Sets engine_version, or engine_error where none answers.
ask_engine() {
    engine_version='' engine_error=''
    if ! have docker; then
        engine_error='there is no docker command on PATH'
    elif ! engine_version=$(ask_version 2>/dev/null); then
        # Asked again for the error alone: a version must not be mixed with the client's warnings.
        engine_version=''
        engine_error=$(last_line "$(ask_version 2>&1 >/dev/null || :)")
        engine_error=${engine_error:-no answer in 10 seconds}
    fi
}

ask_version() {
    bounded 10 docker version --format '{{.Server.Version}}'
}

# Sets missing to the plugins that are not there: words for a message.
ask_plugins() {
    missing=''
    compose_is_there || missing='Compose v2'
    buildx_is_there || missing="${missing:+$missing and }Buildx"
}

# The docker of Podman hands `docker compose` to a docker-compose of version 1 where it finds one.
compose_is_there() {
    case $(docker compose version --short 2>/dev/null) in
    '' | 1.* | v1.*) return 1 ;;
    esac
}

buildx_is_there() {
    docker buildx version >/dev/null 2>&1
}

# --- What we leave to the user ----------------------------------------------------------------------------------------

refuse_old_engine() {
    major=${engine_version%%.*}
    case $major in
    '' | *[!0-9]*) fail "the engine gives its version as '$engine_version', which is no version of Docker Engine" \
        "Install Docker Engine $oldest_engine or newer: $manual" ;;
    esac
    [ "$major" -lt "$oldest_engine" ] || return 0
    say "Docker Engine $engine_version is too old: health checks with start_interval need $oldest_engine or newer"
    say "nothing was changed, since other work on this machine may rely on that engine"
    if [ -z "${DOCKER_HOST-}" ] && dpkg-query --show docker.io >/dev/null 2>&1; then
        fail "Type: sudo apt-get remove docker.io && sudo docker/engine/ensure.sh   (images and containers are kept)"
    fi
    fail "Update it: $manual"
}

# A user who named an engine wants that one, not a new one here.
refuse_engine_elsewhere() {
    if [ -n "${DOCKER_HOST-}" ]; then
        fail "DOCKER_HOST is $DOCKER_HOST and no engine answers there: $engine_error" \
            "nothing was installed, since DOCKER_HOST asks for that engine" \
            "Start that engine, or, for one on this machine, type: unset DOCKER_HOST"
    fi
    context=$(docker context show 2>/dev/null) || context=default
    case $context in
    default | '') return 0 ;;
    desktop-*) fail "Docker Desktop does not answer (docker context $context): $engine_error" \
        "Start Docker Desktop, wait until it says that the engine runs, then type the same command again" ;;
    esac
    say "the docker context $context is in use and no engine answers there: $engine_error"
    say "nothing was installed, since the context asks for that engine"
    if [ -n "${DOCKER_CONTEXT-}" ]; then
        fail "Start that engine, or, for one on this machine, type: unset DOCKER_CONTEXT"
    fi
    fail "Start that engine, or, for one on this machine, type: docker context use default"
}

refuse_locked_socket() {
    case $engine_error in
    *'permission denied while trying to connect'*)
        fail "Docker Engine runs, but the user $(id -un) may not use it: only root and the group docker may" \
            "Type: sudo usermod -aG docker \"\$USER\"   then log out and in again" ;;
    esac
}

# It answers, so installing or starting one would not help; a client and an engine years apart end here.
refuse_engine_in_error() {
    case $engine_error in
    *'Error response from daemon'*)
        fail "Docker Engine answers with an error: $engine_error" \
            "Update the docker command and the engine to one version: $manual" ;;
    esac
}

refuse_system_we_cannot_install_on() {
    case $(uname -s) in
    Darwin)
        refuse "Install Docker Desktop from https://docs.docker.com/desktop/setup/install/mac-install" \
            "or, where it is installed, start it: open -a Docker" ;;
    MINGW* | MSYS* | CYGWIN*)
        refuse "Install Docker Desktop from https://docs.docker.com/desktop/setup/install/windows-install" \
            "or, where it is installed, start it from the Start menu" ;;
    Linux) ;;
    *) refuse "Install Docker Engine $oldest_engine or newer, Compose v2 and Buildx: $manual" ;;
    esac
    case $(uname -r) in
    *[Mm]icrosoft*)
        refuse "Start Docker Desktop on Windows; in its settings, Resources, turn on WSL integration" \
            "or install Docker Engine inside WSL: $manual" ;;
    esac

    distribution=$(os_release ID)
    debian_version=$(os_release VERSION_ID)
    codename=$(os_release VERSION_CODENAME)
    case $distribution in
    debian | ubuntu) ;;
    *) refuse "Install Docker Engine $oldest_engine or newer, Compose v2 and Buildx: $manual" \
        "or, where they are installed, start the engine: sudo systemctl start docker" ;;
    esac
    # Debian's testing and unstable have no VERSION_ID.
    if [ "$distribution" = debian ] && [ -n "$debian_version" ] && [ "${debian_version%%.*}" -lt 12 ]; then
        refuse "Debian $debian_version is too old for the packages of Debian 13, which need its libc 2.34 or newer" \
            "Install Docker Engine $oldest_engine or newer, Compose v2 and Buildx: $manual"
    fi
    if ! is_root; then
        refuse "Only root can install and start it. Type: sudo docker/engine/ensure.sh"
    fi
}

# refuse LINE...: what is not there, then what to do about it.
refuse() {
    if [ -n "$engine_version" ]; then
        say "docker has no $missing, which this project needs to build and start its containers"
    else
        say "no Docker Engine answers: $engine_error"
    fi
    fail "$@"
}

# --- What we do: root on Debian or Ubuntu -----------------------------------------------------------------------------

install_missing() {
    packages=$(missing_packages)
    [ -n "$packages" ] || return 0

    say "installing $packages from $(name_of_system)'s packages, since this machine lacks them"
    make_workspace
    # shellcheck source=docker/engine/apt.sh
    . "$here/apt.sh"
    apt_open cgi-lab-engine.log
    # Debian 12 has Engine 20.10 and Compose v1. Debian 13's need nothing newer than Debian 12's libc; containerd is
    # taken from there too, since that engine was made for it.
    if [ "$codename" = bookworm ]; then
        apt_add_release trixie 'docker.io docker-cli docker-compose docker-buildx containerd'
    fi
    # One argument a package.
    # shellcheck disable=SC2086
    apt_install $packages
}

# Prints the names on one line. What is there stays, wherever it comes from.
missing_packages() {
    case $distribution in
    debian) client=docker-cli compose=docker-compose ;;
    # Ubuntu's docker.io holds the client too.
    ubuntu) client=docker.io compose=docker-compose-v2 ;;
    esac
    {
        # Without ca-certificates, which a small machine may lack, the engine trusts no registry.
        if [ -z "$engine_version" ] && ! have dockerd; then printf '%s\n' docker.io ca-certificates; fi
        have docker || echo "$client"
        compose_is_there || echo "$compose"
        buildx_is_there || echo docker-buildx
    } | awk '!seen[$0]++ { printf "%s%s", separator, $0; separator = " " }'
}

name_of_system() {
    case $codename in
    bookworm) echo 'Debian trixie' ;;
    *) os_release NAME | sed 's/ .*//' ;;
    esac
}

start_engine() {
    daemon=''
    if dockerd_runs; then
        say "waiting for dockerd, which runs and does not answer yet"
    elif [ -d "$host_root/run/systemd/system" ]; then
        say "starting Docker Engine with systemd, since none answers"
        systemctl start docker || {
            say "systemd could not start it; the end of its log:"
            journalctl --unit docker --lines 5 --no-pager --output cat 2>/dev/null |
                while IFS= read -r line; do say "  $line"; done
            fail "Mend what it names, then type the same command again. The whole log: journalctl --unit docker"
        }
    else
        say "starting dockerd in the background, since none answers and there is no systemd; its log: $dockerd_log"
        mkdir -p "${dockerd_log%/*}"
        # A session of its own: neither Ctrl-C nor the end of the terminal ends it. From /, so that it holds no folder.
        (cd / && exec setsid dockerd) >"$dockerd_log" 2>&1 </dev/null &
        daemon=$!
    fi
    wait_for_engine
}

dockerd_runs() {
    [ -s "$dockerd_pid_file" ] && kill -0 "$(cat "$dockerd_pid_file")" 2>/dev/null
}

# Five looks a second: the engine is there after one or two seconds, and the user waits for it.
wait_for_engine() {
    looks=$((seconds_to_start * 5))
    while
        # Looked at before the question: one that had ended by then and did not answer never will.
        ended=no
        dockerd_lives || ended=yes
        ask_engine
        [ -z "$engine_version" ]
    do
        [ "$ended" = no ] || dockerd_failed "dockerd ended instead of starting"
        looks=$((looks - 1))
        if [ "$looks" -le 0 ]; then
            dockerd_failed "Docker Engine was started and did not answer in $seconds_to_start seconds: $engine_error"
        fi
        sleep 0.2
    done
}

# Ours, or one that another command started meanwhile; systemd looks after its own.
dockerd_lives() {
    [ -z "$daemon" ] || kill -0 "$daemon" 2>/dev/null || dockerd_runs
}

dockerd_failed() {
    if [ -z "$daemon" ]; then
        fail "$1" "Look for the cause in its log: journalctl --unit docker   or, without systemd, $dockerd_log"
    fi
    say "$1; the end of its log:"
    say_last_lines "$dockerd_log"
    fail "Mend what it names, then type the same command again. The whole log: $dockerd_log"
}

# The same questions as at the start: what was installed may still be too old, or hidden by something earlier on PATH.
verify() {
    ask_engine
    ask_plugins
    [ -n "$engine_version" ] || fail "Docker Engine answered and does no longer: $engine_error" "Look at its log"
    refuse_old_engine
    [ -z "$missing" ] || fail "$(command -v docker) finds no $missing, though the packages are installed" \
        "It looks for plugins elsewhere: remove that docker command, or install its plugins: $manual"
    say "ready: Docker Engine $engine_version"
}

main
