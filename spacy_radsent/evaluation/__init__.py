"""Evaluation: reads annotations, never writes them."""
