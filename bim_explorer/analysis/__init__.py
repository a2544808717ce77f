"""Studies of what learning did: the audit against BPTT."""
