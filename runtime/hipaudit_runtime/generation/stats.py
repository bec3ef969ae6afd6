"""What an engine has done so far."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Stats:
    """Counts and times since an engine was made.

    requests          that were taken
    failed            that ended with an error
    cancelled         that were called off
    preemptions       times that a request gave its pages up and began again later
    retries           requests that ran again because their batch failed
    prompt_tokens     of requests that have begun
    reused_tokens     of those, tokens that were in the cache already
    generated_tokens  of answers
    drafted, accepted tokens that a draft proposed, and those of them that were right
    draft_failures    errors of the draft model, which cost its draft and nothing else
    batches           that went well
    prefill_tokens    that the model took to know what it had not itself said before, or had
                      forgotten since
    decode_tokens     that came of one token, or of one with its draft
    prefill_seconds, decode_seconds
                      of batches, split by the tokens that went in
    """

    requests: int = 0
    failed: int = 0
    cancelled: int = 0
    preemptions: int = 0
    retries: int = 0
    prompt_tokens: int = 0
    reused_tokens: int = 0
    generated_tokens: int = 0
    drafted: int = 0
    accepted: int = 0
    draft_failures: int = 0
    batches: int = 0
    prefill_tokens: int = 0
    decode_tokens: int = 0
    prefill_seconds: float = 0.0
    decode_seconds: float = 0.0

    def add(self, count: int, chosen: int, seconds: float) -> None:
        """Note a request's part of a batch: tokens that went in, that came out, and the time."""
        if count == 1 and chosen:
            self.decode_tokens += chosen
            self.decode_seconds += seconds
        else:
            self.prefill_tokens += count
            self.prefill_seconds += seconds
