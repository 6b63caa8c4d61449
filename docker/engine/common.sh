# shellcheck shell=sh
# What engine/ensure.sh and base/ensure.sh share. Sourced, never run; the caller sets `speaker`, which starts its lines.
: "${speaker:?}"

# Tests put a small tree of their own here in place of this machine's / (os-release, apt's files, logs).
host_root=${CGI_LAB_HOST_ROOT-}

# dockerd, and what dpkg calls, lie where `su` without a dash does not look.
PATH=$PATH:$host_root/usr/sbin:$host_root/sbin

# All messages go to stderr: stdout is for results.
say() {
    printf '%s: %s\n' "$speaker" "$*" >&2
}

# Ends with exit code 1; each argument is a line: what happened, why, what to type.
fail() {
    for line in "$@"; do say "$line"; done
    exit 1
}

# The end of a log, for an error message: the log itself may be hundreds of lines long.
say_last_lines() {
    [ ! -r "$1" ] || tail -n 5 "$1" | while IFS= read -r line; do say "  $line"; done
}

last_line() {
    printf '%s\n' "$*" | sed -n '$p'
}

have() {
    command -v "$1" >/dev/null 2>&1
}

# bounded SECONDS COMMAND...: a name server or an address that never answers must not hold a user for minutes.
# --foreground keeps Ctrl-C working and is GNU's alone; elsewhere (macOS) the command takes the time it takes.
bounded() {
    if timeout --foreground 1 true 2>/dev/null; then
        timeout --foreground "$@"
    else
        shift
        "$@"
    fi
}

# os_release KEY: prints a value of os-release(5), or nothing where there is no such file or key.
os_release() {
    [ -r "$host_root/etc/os-release" ] || return 0
    # In a subshell, since the file sets a dozen variables. It is not the project's, so shellcheck cannot read it.
    # shellcheck source=/dev/null
    (unset "$1" && . "$host_root/etc/os-release" && eval "printf '%s' \"\${$1-}\"")
}

is_root() {
    [ "$(id -u)" = 0 ]
}

# Makes the directory `workspace`, removed however the script ends; a signal ends it with the shell's own code for it.
make_workspace() {
    workspace=$(mktemp -d)
    trap 'rm -rf "$workspace"' EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 141' PIPE
    trap 'exit 143' TERM
    # apt downloads as the user _apt, who has to pass through.
    chmod 755 "$workspace"
}
