"""Source-level mutation of HIP kernels: small mistakes planted one at a time.

A test suite that lets a mutant live would not have noticed its author's mistake either. Here
mutants are made (`mutant.mutants_of`); `hipaudit.audits.mutation` runs them against the library's
specs, `hipaudit.mutation.command` against any program's own tests.
"""
