"""What the owner sees, as values: one module a subject, read by its command and by its page on the desk alike.

Nothing here draws, prints or changes anything. Not for: rules (domain/), tables (state/), or what a click does
(sync/people/).
"""
