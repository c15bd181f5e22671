"""Data folders that earlier versions left, and what this one makes of them.

`landed/` holds one for each version that was ever handed out, named by its commit: an installation of 24 listings over
the emulator after `ecauto sync`, without Dagster's own files. They are only ever added to.
"""
