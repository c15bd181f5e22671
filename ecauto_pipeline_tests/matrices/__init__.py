"""Matrices: every fault, kill or odd input that can be generated, played on a small installation and held to the laws.

Each is generated from a seed, so that any case can be played again. Not for: cases picked by hand (scenarios/).
"""
