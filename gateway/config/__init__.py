"""What the operator wrote, read once, before the first socket.

`load` reads files, environment and `--set` into one frozen `Config` and says of every
value where it came from; `compile_policy` turns it into what decides. Whatever is wrong
is found here, all of it at once, and nothing to the right of this room looks at a raw
setting again.
"""
