"""The parts of the step that asks Amazon (steps/sp_api_snapshots.py)."""
