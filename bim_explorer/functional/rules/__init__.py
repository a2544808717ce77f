"""Local rules of plasticity by name, one a file: what synapses do of their own accord.

A rule is built as `Rule(values)` from the flat parameter values and keeps `LocalRule`.
"""
