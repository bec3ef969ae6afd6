"""Reports: one outcome as terminal text, JSON, SARIF, and pages. Printers without logic."""
