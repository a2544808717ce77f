"""Baselines on the field's own library, each a thin file, trained by truncated BPTT."""
