#!/bin/sh
# Leaves in an image what runs there; a Dockerfile calls it after its last package, and nothing can be installed then.
#
# Three kinds of packages stay: the tools below, those that the Dockerfile has installed by name, and all that these
# depend on, since dpkg knows that better than any list of files. The Dockerfile has first to take that mark from what
# came with the base:
#
#     apt-mark auto $(apt-mark showmanual)
#
# Arguments: packages that others depend on, and that nothing here uses; their names may hold a *.
#
# Exit code: 0 it is done; 1 a file that stays lacks a library, which the last lines name.
set -eu

# For `make shell`, for scripts of a shell, and for the lab's own.
tools='bash coreutils dash debianutils diffutils findutils grep gzip hostname libc-bin mawk ncurses-base ncurses-bin sed
    tar util-linux'

# Programs of Debian's packages are written in Perl, and ask with debconf what to do while they are installed; nobody
# logs in to a container.
set -- debconf 'libpam-*' perl perl-base 'perl-modules-*' 'libperl*' 'lib*-perl' "$@"

main() {
    # What packages would do as they come and go; all of them have come, and what goes leaves nothing behind to tidy up.
    find /var/lib/dpkg/info -type f ! -name '*.list' ! -name '*.md5sums' ! -name format -delete
    # shellcheck disable=SC2046 # a word a package
    purge $(installed "$@")
    kept=$(needed)
    # shellcheck disable=SC2046 # a word a package
    purge $(installed | grep -vxF "$kept")
    find / -xdev -xtype l -delete
    ldconfig -X
    rm -rf /etc/apt /etc/dpkg /var/lib/apt /var/lib/dpkg/*-old /var/cache/* /var/log/* \
        /usr/share/doc /usr/share/man /usr/share/perl /usr/share/perl5
    # A container grants nobody more rights than it started with.
    find / -xdev -type f -perm /6000 -exec chmod a-s {} +
    refuse_missing_libraries
}

# Prints the packages that are installed, of those that the arguments name; dpkg-query complains where there are none.
installed() {
    dpkg-query --show --showformat '${Package}:${db:Status-Abbrev}\n' "$@" 2>/dev/null | sed -n 's/:ii .*//p'
}

# Prints the packages that stay: not dpkg, which takes itself away with the others, and leaves the list of what is there.
needed() {
    # shellcheck disable=SC2046,SC2086 # a word a package
    found=$(apt-cache depends --recurse --installed --no-recommends --no-suggests --no-conflicts --no-breaks \
        --no-replaces --no-enhances $tools $(apt-mark showmanual))
    printf '%s\n' "$found" | sed -n '/^dpkg$/d; /^[a-z0-9]/p'
}

purge() {
    dpkg --purge --no-triggers --force-depends --force-remove-essential --force-remove-protected "$@"
}

refuse_missing_libraries() {
    missing=$(find / -xdev -type f \( -name '*.so*' -o -perm /111 \) -exec ldd {} + 2>/dev/null |
        sed -n '/^\//h; /not found$/{ G; s/^[[:space:]]*\(.*\) => not found\n\(.*\):$/shrink: \2 lacks \1/; p }')
    if [ -n "$missing" ]; then
        printf '%s\n' "$missing" >&2
        exit 1
    fi
}

main "$@"
