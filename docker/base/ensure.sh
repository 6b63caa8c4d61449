#!/bin/sh
# Prints the name of an image to build this project's images from; all else goes to stderr.
#
#     BASE_IMAGE=$(docker/base/ensure.sh) docker compose build
#
# It is debian:trixie-slim where that is here or can be pulled. Where no registry can be reached, a machine with Debian
# builds the like of it from its own Debian mirror, once, and names it cgi-lab/base:trixie.
#
# Exit code: 0 the image is here, 1 it is not; the last lines on stderr say what happened, why, and what to type.
#
# BASE_IMAGE: an image to take instead.  DEBIAN: trixie (as it is without) or bookworm.
set -eu

speaker=base
here=$(dirname -- "$0")
# shellcheck source=docker/engine/common.sh
. "$here/../engine/common.sh"

release=${DEBIAN:-trixie}
official=debian:$release-slim
own=cgi-lab/base:$release

main() {
    case $release in
    trixie | bookworm) ;;
    *) fail "DEBIAN is '$release', and there are base images of Debian trixie and bookworm only" \
        "Type: unset DEBIAN" ;;
    esac
    if [ -n "${BASE_IMAGE-}" ]; then
        take_named
    elif is_here "$official"; then
        image=$official
    elif is_here "$own"; then
        image=$own
    else
        need_engine
        pull_or_build
    fi
    printf '%s\n' "$image"
}

is_here() {
    docker image inspect "$1" >/dev/null 2>&1
}

# Asked only once no image was found, since an answer about an image tells as much.
need_engine() {
    docker version >/dev/null 2>&1 || fail "no Docker Engine answers, so no image can be looked for" \
        "Type: docker/engine/ensure.sh"
}

# The user's choice is never replaced by another image.
take_named() {
    image=$BASE_IMAGE
    ! is_here "$image" || return 0
    need_engine
    say "pulling $image, since BASE_IMAGE names it and it is not here"
    docker pull -q "$image" >&2 || fail "BASE_IMAGE is $image, which is neither here nor can be pulled" \
        "Type: unset BASE_IMAGE   or name an image that docker images lists"
}

pull_or_build() {
    image=$official
    say "pulling $official, since no base image is here"
    if pull_error=$(bounded 60 docker pull -q "$official" 2>&1 >/dev/null); then return 0; fi
    say "it cannot be pulled: $(last_line "${pull_error:-no answer in 60 seconds}")"
    image=$own
    refuse_system_we_cannot_build_on
    build
}

refuse_system_we_cannot_build_on() {
    if [ "$(uname -s)" != Linux ] || [ "$(os_release ID)" != debian ] || ! have apt-get; then
        fail "building $own instead takes a machine with Debian, and this is none" \
            "When a registry can be reached, type: docker pull $official" \
            "With an image of Debian $release under another name, set BASE_IMAGE to that name"
    fi
    if ! is_root; then
        fail "building $own instead takes root, to give files in it their owners. Type: sudo docker/base/ensure.sh"
    fi
}

build() {
    say "building $own from this machine's own Debian mirror instead, about 15 seconds"
    make_workspace
    # shellcheck source=docker/engine/apt.sh
    . "$here/../engine/apt.sh"
    apt_open cgi-lab-base.log
    if ! have mmdebstrap; then
        say "installing mmdebstrap, which builds it, since this machine lacks it"
        apt_install mmdebstrap
    fi
    apt_need_release_lines "$release" "$workspace/sources.list"
    use_proxy_of_apt
    bootstrap
    # From a file: at the end of a pipe docker would import what a failed bootstrap left half done.
    docker import --change 'LABEL io.github.cgi-lab=base' --change 'CMD ["bash"]' "$workspace/base.tar" "$own" \
        >>"$apt_log" 2>&1 || apt_fail "docker could not import the image"
    say "built $own"
}

# By the environment, which mmdebstrap hands on: as an option of apt it would stay in the image, where a proxy at
# 127.0.0.1 is nobody's.
use_proxy_of_apt() {
    http_of_apt='' https_of_apt=''
    eval "$(apt-config shell http_of_apt Acquire::http::Proxy https_of_apt Acquire::https::Proxy)"
    # DIRECT is apt's word for no proxy.
    case $http_of_apt in '' | DIRECT) ;; *) export http_proxy="$http_of_apt" ;; esac
    case $https_of_apt in '' | DIRECT) ;; *) export https_proxy="$https_of_apt" ;; esac
}

# Writes $workspace/base.tar. Documentation, manuals and translations are left out as in debian:trixie-slim, now and
# for packages that come later. mmdebstrap's own filter for that passes every package through Perl, which takes 4 s more
# than removing the files; both leave the same.
bootstrap() {
    # The hooks are for mmdebstrap's shell, where $1 is the new root directory.
    # shellcheck disable=SC2016
    in_memory mmdebstrap --variant=minbase --format=tar \
        --aptopt='Acquire::Languages "none"' \
        --setup-hook='mkdir -p "$1/etc/dpkg/dpkg.cfg.d"
            for directory in doc man info locale; do echo "path-exclude=/usr/share/$directory/*"; done \
                >"$1/etc/dpkg/dpkg.cfg.d/cgi-lab"' \
        --extract-hook='for directory in doc man info locale; do rm -rf "$1/usr/share/$directory"/*; done' \
        "$release" "$workspace/base.tar" - <"$workspace/sources.list" >>"$apt_log" 2>&1 ||
        apt_fail "mmdebstrap could not build $own"
}

# dpkg waits for the disk after every package; in memory there is nothing to wait for, which halves the time. In a mount
# namespace of its own, so the memory is given back however the command ends.
in_memory() {
    mkdir "$workspace/tree"
    if enough_memory && unshare --mount mount -t tmpfs tmpfs "$workspace/tree" 2>/dev/null; then
        TMPDIR=$workspace/tree unshare --mount \
            sh -c "mount -t tmpfs -o size=1g,mode=755 tmpfs \"\$TMPDIR\" && exec \"\$@\"" sh "$@"
    else
        TMPDIR=$workspace/tree "$@"
    fi
}

# The new system with its packages and package lists takes 0.3 GB; with 2 GB at hand nothing else is pushed out for it.
enough_memory() {
    available=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB$/\1/p' "$host_root/proc/meminfo" 2>/dev/null)
    [ "${available:-0}" -ge 2000000 ]
}

main
