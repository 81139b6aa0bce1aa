"""The control desk: what a test or a person may do to a running simulator.

`kinds` tells requests apart, `troubles` holds what is asked for (failures, stalls, cut
connections), `ledger` counts what happened, `desk` is the one object that offers both,
`endpoint` serves it below `/-/simulator/`, to loopback only.

The layers, lowest first: kinds, {ledger, troubles}, desk, endpoint.
"""
