"""The run folder and the snapshot: what a run leaves behind and what it shows. No torch."""
