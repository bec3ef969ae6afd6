"""Layouts of HIP's structures: what the headers say, and what a binding lays out by hand.

A binding that declares a structure itself (ctypes, Rust, a table of offsets) reads the wrong field
when the header changes, and nothing tells it. `facts` has the compiler say where the headers'
fields are, `declared` and `hip_python` read what a binding says, `comparing` names the difference.
"""

from hipaudit.layouts.comparing import compare, outcome
from hipaudit.layouts.declared import read_binding, structures
from hipaudit.layouts.facts import LATEST, VERSIONS, facts
from hipaudit.layouts.structure import Field, Structure

__all__ = [
    "LATEST",
    "VERSIONS",
    "Field",
    "Structure",
    "compare",
    "facts",
    "outcome",
    "read_binding",
    "structures",
]
