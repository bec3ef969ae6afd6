// Textures and surfaces: known by name, so that a kernel that reads one is told so.
#pragma once

#include "hip/host_defines.h"

#define HIPAUDIT_TEXTURE(name)                                                                   \
  template <typename T, typename... Arguments>                                                   \
  __attribute__((unavailable("textures are not emulated: read the memory itself"))) __device__ T \
  name(Arguments...);
HIPAUDIT_TEXTURE(tex1Dfetch)
HIPAUDIT_TEXTURE(tex1D)
HIPAUDIT_TEXTURE(tex2D)
HIPAUDIT_TEXTURE(tex3D)
HIPAUDIT_TEXTURE(tex1DLayered)
HIPAUDIT_TEXTURE(tex2DLayered)
HIPAUDIT_TEXTURE(texCubemap)
HIPAUDIT_TEXTURE(tex1DLod)
HIPAUDIT_TEXTURE(tex2DLod)
HIPAUDIT_TEXTURE(tex3DLod)
HIPAUDIT_TEXTURE(tex2Dgather)
#undef HIPAUDIT_TEXTURE

#define HIPAUDIT_SURFACE(name)                                                                     \
  template <typename... Arguments>                                                                 \
  __attribute__((unavailable("surfaces are not emulated: use the memory itself"))) __device__ void \
  name(Arguments...);
HIPAUDIT_SURFACE(surf1Dread)
HIPAUDIT_SURFACE(surf1Dwrite)
HIPAUDIT_SURFACE(surf2Dread)
HIPAUDIT_SURFACE(surf2Dwrite)
HIPAUDIT_SURFACE(surf3Dread)
HIPAUDIT_SURFACE(surf3Dwrite)
#undef HIPAUDIT_SURFACE
