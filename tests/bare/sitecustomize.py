"""Python as if the packages that NOT_INSTALLED names were not installed: see `processes.python_without`."""

import os
from importlib.machinery import PathFinder
from importlib.metadata import MetadataPathFinder

NAMES = set(os.environ["NOT_INSTALLED"].split())
find_spec, find_distributions = PathFinder.find_spec, MetadataPathFinder.find_distributions


def spec_of_installed(name, path=None, target=None):
    return None if name.partition(".")[0] in NAMES else find_spec(name, path, target)


def installed_distributions(*arguments):
    """With their entry points."""
    return (found for found in find_distributions(*arguments) if found.name.replace("-", "_") not in NAMES)


PathFinder.find_spec = spec_of_installed
MetadataPathFinder.find_distributions = installed_distributions
