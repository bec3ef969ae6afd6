// Checks of alignment that the compiler does not make by itself: of structures copied as a whole.
#pragma once

#include <string>

namespace hipaudit {

// A float4 and every other structure is copied by memcpy, which the optimiser takes apart before it
// instruments the pieces, and for which there is no alignment check. `ir` is LLVM assembly as the
// front end made it; the result looks at both addresses of each such copy first.
std::string with_checked_copies(const std::string& ir);

}  // namespace hipaudit
