"""Metrics, one file per family: each gives additive statistics per sample, which everything else is made from."""
