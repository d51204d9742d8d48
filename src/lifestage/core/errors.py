"""Every error that lifestage raises on purpose."""

from __future__ import annotations

__all__ = ["ConfigError", "DataError", "FitError", "LifestageError", "LockedError", "RegistryError"]


class LifestageError(Exception):
    """Base of all errors of this package: one sentence a user can act on."""


class DataError(LifestageError, ValueError):
    """The orders or the customer table are not what was expected."""


class FitError(LifestageError, RuntimeError):
    """A model could not be fitted to these data."""


class ConfigError(LifestageError, ValueError):
    """An option or a setting is unknown or out of range."""


class RegistryError(LifestageError, RuntimeError):
    """A stored model cannot be read, or the store refuses the operation."""


class LockedError(RegistryError):
    """Another process is writing to the model."""
