"""Somata by name: leaky integrate-and-fire and its kin, one a file; see `functional.soma`."""
