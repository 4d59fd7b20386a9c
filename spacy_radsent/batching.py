"""Batches that bound the memory: of a stream of documents, and of sequences padded to one length."""

from collections.abc import Iterable, Iterator

from spacy.tokens import Doc


def batch_by_tokens(stream: Iterable[Doc], batch_size: int, max_tokens: int) -> Iterator[list[Doc]]:
    """Yield batches of at most `batch_size` documents, and of at most `max_tokens` tokens unless one has more alone."""
    batch: list[Doc] = []
    for doc in stream:
        if batch and (len(batch) == batch_size or sum(map(len, batch)) + len(doc) > max_tokens):
            yield batch
            batch = []
        batch.append(doc)
    if batch:
        yield batch


def group_by_length(lengths: list[int], max_tokens: int, max_padding: int) -> list[list[int]]:
    """Group sequences that are to be padded together.

    lengths (List[int]): Of each sequence, in tokens.
    max_tokens (int): Tokens of a group, padding included; a longer sequence is alone.
    max_padding (int): Padding of a group, in tokens.
    RETURNS (List[List[int]]): The places of the sequences, the shortest first.
    """
    groups: list[list[int]] = []
    tokens = 0  # of the last group, without padding
    for i in sorted(range(len(lengths)), key=lengths.__getitem__):
        padded = lengths[i] * (len(groups[-1]) + 1) if groups else 0
        if groups and padded <= max_tokens and padded - tokens - lengths[i] <= max_padding:
            groups[-1].append(i)
            tokens += lengths[i]
        else:
            groups.append([i])
            tokens = lengths[i]
    return groups
