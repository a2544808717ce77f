"""Synthetic data sets, written in the published layouts and read by the same readers."""
