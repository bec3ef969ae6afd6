// Declares the float functions that the 16-bit ones go through.
#pragma once

__attribute__((device)) float expf(float);
__attribute__((device)) float exp2f(float);
__attribute__((device)) float exp10f(float);
__attribute__((device)) float logf(float);
__attribute__((device)) float log2f(float);
__attribute__((device)) float log10f(float);
__attribute__((device)) float sinf(float);
__attribute__((device)) float cosf(float);
