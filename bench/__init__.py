"""Benchmarks: ours beside a floor and a peer in one run (`make bench`; docs: bench/RESULTS.md is written by it).

Lives here: measuring. Not here: statement counts as promises (tests/bench_counts) and anything the shop imports.
A floor is the least work that keeps the promise; a peer is what somebody would otherwise install. Only ratios from
one run, statement counts, bytes of WAL and CPU milliseconds count; requests per second are reported, never asserted.
"""
