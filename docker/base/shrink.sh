#!/bin/sh
# Takes out of an image what nothing in it runs; a Dockerfile calls it after its last package.
#
# Perl: programs of Debian's packages are written in it, and its base system depends on it, but none of those is of use
# here. Then package lists, caches and documentation. No program keeps setuid or setgid bits: a container grants nobody
# more rights than it started with.
#
# Arguments: further packages to remove that others only depend on; their names may hold a *.
set -eu

set -- 'perl' 'perl-base' 'perl-modules-*' 'libperl*' 'lib*-perl' "$@"
# Those that are installed; dpkg-query complains about patterns that match nothing.
packages=$(dpkg-query --show --showformat '${Package}:${db:Status-Abbrev}\n' "$@" 2>/dev/null | sed -n 's/:ii .*//p')
# shellcheck disable=SC2086 # a word a package
dpkg --purge --force-depends --force-remove-essential $packages
rm -rf /var/lib/apt/lists/* /var/cache/* /var/log/* /usr/share/doc /usr/share/man /usr/share/perl /usr/share/perl5
find / -xdev -type f -perm /6000 -exec chmod a-s {} +
