"""One module per grant: how a token of that kind is obtained and kept fresh.

A grant implements `tokens.Credential`; which one a credential uses is the composition
root's choice, by the configuration's `grant`.

Rule: a grant that cannot give a token raises `CredentialUnavailable` and sends nothing.
"""
