"""Python as if the packages that NOT_INSTALLED names were not installed: see `processes.python_without`."""

import importlib.metadata
import os
import sys

NAMES = set(os.environ["NOT_INSTALLED"].split())


class NotInstalled:
    """Not None in sys.modules, which is something else to libraries that look there: scipy does."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in NAMES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def installed(*arguments):
    """Their entry points are not there either."""
    return (found for found in find_distributions(*arguments) if found.name.replace("-", "_") not in NAMES)


find_distributions = importlib.metadata.MetadataPathFinder.find_distributions
importlib.metadata.MetadataPathFinder.find_distributions = installed
sys.meta_path.insert(0, NotInstalled)
