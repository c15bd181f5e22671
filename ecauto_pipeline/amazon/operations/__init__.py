"""One file an SP-API operation; each holds its OPERATION (amazon/operation.py) and is found by amazon/registry.py."""
