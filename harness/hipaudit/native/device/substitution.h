// Mutation of programs that are not ours: in whatever process compiles the text of one file, the
// text of another one is compiled instead.
#pragma once

#include "source_unit.h"

namespace hipaudit {

// Replaces the text of settings().substitute + "/original", wherever in the unit it occurs, by that
// of "/mutant". False when there is no substitution or the unit does not hold the original.
bool substitute(SourceUnit* unit);

// Leaves a mark in the folder that says that the mutant was compiled ("used"), or that the compiler
// would not have it ("refused").
void mark_substitution(bool compiled);

}  // namespace hipaudit
