"""Text from a language model: sampling, stop conditions, batches of requests, drafts."""
