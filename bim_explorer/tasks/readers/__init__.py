"""Readers of published data sets and their file formats: files to numpy, faults to one sentence."""
