"""What every layer may rely on: interfaces, errors, seeding, registries. No torch, no UI."""
