"""Addresses for the networks of labs that tests start.

Docker's own pools hold about thirty networks, each lab takes two, and four processes of tests have several labs at
once. So these take theirs from the block that is meant for tests of networks, 198.18.0.0/15 (RFC 2544, appendix C.2.2).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network

BLOCK = IPv4Network("198.18.0.0/15")

# Eight addresses a network: its own two, the gateway, and the servers. Sixteen networks a process of tests.
PREFIX = 29
NETWORKS = 16

NAMES = ("SUBNET_OF_DEFAULT", "SUBNET_OF_DATABASE")

# The numbers of those that this process uses now.
taken: set[int] = set()


@contextmanager
def subnets() -> Iterator[dict[str, str]]:
    """Return the settings of networks.yaml, and keep them for one lab until it has ended."""
    size = 1 << (BLOCK.max_prefixlen - PREFIX)
    places = BLOCK.num_addresses // (size * NETWORKS)
    # Processes that run at the same time have numbers of their own, and those of one run follow each other.
    first = os.getpid() % places * NETWORKS
    free = [number for number in range(NETWORKS) if number not in taken]
    chosen = free[: len(NAMES)]
    taken.update(chosen)
    try:
        addresses = (BLOCK.network_address + (first + number) * size for number in chosen)
        yield {name: f"{address}/{PREFIX}" for name, address in zip(NAMES, addresses, strict=True)}
    finally:
        taken.difference_update(chosen)
