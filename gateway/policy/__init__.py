"""What this gateway decides about a believed request; pure.

Each stage is a plain function that takes the type the stage before it made, so that the
order of checks is proved by the type checker: `Request` -> `Caller`, `Routed` ->
`Permitted` -> `Plan`. Refusing is the last branch of every decision.
"""
