"""A local stand-in for Amazon and BASE: LWA, SP-API and the BASE API over a seeded world that changes with the clock.

For: development, demonstrations and tests against something as strict as the real thing. Shares no code with the
clients it answers and imports nothing of the project but the clock. See docs/emulator.md.
"""
