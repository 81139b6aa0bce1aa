"""The shared memory of a fleet: tokens that outlive a restart, and budgets that add up.

`store` says what every kind of memory promises; `memory`, `file` and `redis` are the
kinds, `sealed` keeps what any of them holds unreadable to others, and `open` makes the
one that the configuration asks for.

Rule: nothing here knows what a value means; it is bytes under a key.
"""
