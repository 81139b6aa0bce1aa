"""The authorisation server of the RingCentral platform, below `/restapi/oauth`.

`apps` knows who may ask, `sessions` holds what was given, `codes` and `page` are the
login, `grants` turns a form into a session, `authority` serves the endpoints.

The layers, lowest first: refusals, {apps, sessions, codes, page}, grants, authority.
"""
