"""Errors that a user can act on."""


class RadsentError(ValueError):
    """Bad input, told in one sentence that names the value and the fix. Commands print it and exit with 1."""
