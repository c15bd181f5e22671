"""A second pair of servers for Amazon and BASE, and a cart that takes files, written from the papers with the standard
library alone.

They share no line with the program or with its emulator, answer in shapes that the papers allow and the emulator does
not choose, and keep a plain list of what they were asked. Not for: faults (the emulator).
"""
