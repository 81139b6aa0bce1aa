"""How the gateway proves itself upstream: tokens, and the grants that obtain them.

A credential of the configuration becomes an object that gives the current token when a
request asks for one; what it does to have one is its own business.

Rule: a token leaves here as a `Secret`, and no error of this room holds one.
"""
