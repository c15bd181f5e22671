"""A replay of the planner over a synthetic market, on a virtual clock: wrong orders, ages and calls by policy."""
