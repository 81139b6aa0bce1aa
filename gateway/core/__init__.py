"""HTTP as the RFCs have it, and the vendor's conventions; pure.

Glossary: `caller` and `upstream` are the two parties. Heads are `raw` (as received),
`request` (believed), `outbound` (what we send) and `reply` (what upstream answers).
Bytes stay bytes: what is accepted here is what is sent.
"""
