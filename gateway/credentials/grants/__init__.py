"""One module per grant: how a token of that kind is obtained and kept fresh."""
