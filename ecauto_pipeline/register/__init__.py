"""The owner's register, master.db: other programs of the owner live on it, so it is read whole and written narrowly."""
