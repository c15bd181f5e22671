"""What whole runs of the assets cost: `python -m benchmarks.runs`, `make load`."""
