"""How the gateway proves itself upstream: tokens, and the grants that obtain them."""
