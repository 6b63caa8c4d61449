# shellcheck shell=sh
# Debian packages without a trace in /etc/apt: the machine's own sources, and a newer release beside them where asked
# for, in lists of our own. Root only. Sourced after common.sh and make_workspace, never run.
: "${workspace:?}" "${host_root?}"

# apt_open LOG: reads the machine's package sources. All that apt prints goes to LOG, which is kept.
apt_open() {
    apt_log=$host_root/var/log/$1
    apt_directory=$workspace/apt
    mkdir -p "$apt_directory/sources" "$apt_directory/lists/partial" "${apt_log%/*}"
    : >"$apt_log"
    for source in "$host_root/etc/apt/sources.list" "$host_root/etc/apt/sources.list.d/"*.list \
        "$host_root/etc/apt/sources.list.d/"*.sources; do
        [ ! -e "$source" ] || cp -p "$source" "$apt_directory/sources/"
    done
    [ ! -e "$host_root/etc/apt/preferences" ] || cp "$host_root/etc/apt/preferences" "$apt_directory/preferences"
    # What the machine has downloaded already is only checked, not downloaded again.
    cp -p "$host_root/var/lib/apt/lists/"*_* "$apt_directory/lists/" 2>/dev/null || :
    apt_update
}

# English output, since apt_install reads it. A lock held by another apt is waited for.
apt_get() {
    LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get \
        -oDir::Etc::SourceList=/dev/null \
        -oDir::Etc::SourceParts="$apt_directory/sources" \
        -oDir::Etc::Preferences="$apt_directory/preferences" \
        -oDir::State::Lists="$apt_directory/lists" \
        -oDir::Cache::pkgcache="$apt_directory/pkgcache.bin" \
        -oDir::Cache::srcpkgcache="$apt_directory/srcpkgcache.bin" \
        -oAcquire::Languages=none \
        -oDPkg::Lock::Timeout=60 \
        -oDPkg::Use-Pty=0 \
        "$@" </dev/null
}

# One broken source of a third party makes apt-get update fail, though all others were read. Whether what we need can be
# had is seen when we ask for it.
apt_update() {
    apt_get update >>"$apt_log" 2>&1 || :
}

# apt_release_lines RELEASE: prints sources for RELEASE of Debian from the mirrors that this machine uses for its own.
apt_release_lines() {
    apt_get indextargets --format "\$(ORIGIN) \$(REPO_URI) \$(CODENAME)" 'Created-By: Packages' 2>>"$apt_log" |
        awk -v release="$1" '
            # Neither "Debian Backports" nor an archive without a codename; http only, since a CD holds one release.
            $1 != "Debian" || NF != 3 || $2 !~ /^https?:/ { next }
            $3 ~ /-security$/                             { line(release "-security") }
            # A release and its updates lie on one mirror, also where the machine names the release alone.
            $3 !~ /-/ || $3 ~ /-updates$/                 { line(release); line(release "-updates") }
            function line(suite) {
                print "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]", $2, suite, "main"
            }' | LC_ALL=C sort -u
}

# apt_need_release_lines RELEASE FILE: writes them to FILE, or ends with an error where there are none.
apt_need_release_lines() {
    apt_release_lines "$1" >"$2"
    if ! grep -q " $1 " "$2"; then
        say "this machine's apt reached no Debian mirror, so there is none to take Debian $1 from; the end of its log:"
        say_last_lines "$apt_log"
        fail "Try: apt-get update   (the whole log: $apt_log)"
    fi
}

# apt_add_release RELEASE PACKAGES: lets apt take PACKAGES, and what they need that the machine has no package for,
# from RELEASE. All else of RELEASE is pinned below what the machine has: without that, apt would upgrade half of it.
apt_add_release() {
    apt_need_release_lines "$1" "$apt_directory/sources/cgi-lab.list"
    # The star takes in the release's -updates and -security, which have names of their own.
    printf '\nPackage: %s\nPin: release n=%s*\nPin-Priority: %s\n' '*' "$1" 100 "$2" "$1" 900 \
        >>"$apt_directory/preferences"
    apt_update
}

# apt_install PACKAGE...: installs what is missing of them, unless that would change what the machine has.
apt_install() {
    apt_finish_interrupted
    apt_plan=$(apt_get -s install --no-install-recommends --no-upgrade "$@" 2>>"$apt_log") ||
        apt_fail "apt finds no way to install $*"
    printf '%s\n' "$apt_plan" >>"$apt_log"
    # In a simulation apt puts the present version in brackets right after the name of a package that it upgrades.
    apt_changes=$(printf '%s\n' "$apt_plan" |
        sed -n -e 's/^Remv \([^ ]*\).*/remove \1/p' -e 's/^Inst \([^ ]*\) \[.*/upgrade \1/p')
    if [ -n "$apt_changes" ]; then
        say "nothing was installed: for $* apt would change packages that this machine has:"
        printf '%s\n' "$apt_changes" | while IFS= read -r line; do say "  $line"; done
        fail "Bring the machine up to date first (apt-get update, apt-get upgrade), then type the same command again." \
            "apt's whole plan: $apt_log"
    fi
    # A configuration file that the user changed is kept; --no-remove holds even if something changed since the plan.
    apt_get install -y --no-install-recommends --no-upgrade --no-remove -oDPkg::Options::=--force-confold "$@" \
        >>"$apt_log" 2>&1 || apt_fail "apt could not install $*"
}

# An installation cut short by Ctrl-C or a power cut makes apt refuse all others. One that is still under way looks the
# same, so wait for its lock (`check` does) and look again.
apt_finish_interrupted() {
    apt_is_interrupted || return 0
    apt_get check >>"$apt_log" 2>&1 || :
    apt_is_interrupted || return 0
    say "finishing a package installation that was interrupted, since apt does not work beside it"
    DEBIAN_FRONTEND=noninteractive dpkg --force-confold --configure -a </dev/null >>"$apt_log" 2>&1 ||
        apt_fail "dpkg could not finish it"
}

# A package left half done shows in the audit; dpkg itself stopped half-way leaves numbered files in its journal.
apt_is_interrupted() {
    [ -n "$(dpkg --audit 2>>"$apt_log")" ] ||
        [ -n "$(find "$host_root/var/lib/dpkg/updates" -name '[0-9]*' 2>/dev/null)" ]
}

apt_fail() {
    say "$1; the end of its log:"
    say_last_lines "$apt_log"
    fail "Mend what it names, then type the same command again. The whole log: $apt_log"
}
