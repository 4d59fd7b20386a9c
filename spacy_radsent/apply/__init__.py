"""Labelling archives: millions of reports, in parts, by several processes or machines, and nothing lost."""
