"""RingCX (`/voice`, `/api/auth`), Engage's legacy API (`/api/v1`) and Engage Digital (`/1.0`).

Three products with three kinds of token, on one origin here. `jwts` makes RingCX's tokens,
`voice` has the resources that RingCX and the legacy API share, `quotas` their limits.

The layers, lowest first: {errors, jwts, digital}, {voice, quotas}, {ringcx, legacy}.
"""
