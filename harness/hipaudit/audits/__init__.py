"""The audits: each a module that decides one question about kernels, memory or numbers."""
