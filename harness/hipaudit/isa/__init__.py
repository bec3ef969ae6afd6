"""What AMD's backend makes of a kernel: registers, memory, occupancy; no GPU and no ROCm needed.

`backend` compiles to assembly, `assembly` reads it, `parts` knows the hardware's limits, `study`
puts the figures and the findings together.
"""
