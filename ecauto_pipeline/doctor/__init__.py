"""What the doctor looks at, one module a field; each function appends findings to a chart. Read only, no secrets."""
