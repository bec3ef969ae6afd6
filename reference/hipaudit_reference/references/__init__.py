"""The float64 references, by family; `hipaudit_reference` exports them all."""
