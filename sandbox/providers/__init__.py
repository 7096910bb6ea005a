"""The simulated providers. Each is a package that describes itself to `sandbox.registry` with a `Provider`."""
