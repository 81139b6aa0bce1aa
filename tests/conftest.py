"""Settings for every test.

Properties are tried on the same inputs in every run, without a time limit for each, so
that a red run is a fault of the change under test. `pytest --hypothesis-profile=explore`
looks at new inputs, many more of them.
"""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    # The health check measures seconds, and a busy machine has fewer of them.
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("explore", deadline=None, max_examples=5000)
settings.load_profile("ci")
