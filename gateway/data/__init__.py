"""Package data.

`operations.csv` lists the vendor's operations: method, path template, rate group, and
"1" where the media host serves it. `make catalogue` makes it; it is not edited by hand.
"""
