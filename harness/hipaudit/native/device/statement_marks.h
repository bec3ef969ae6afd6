// Where the statements of a line begin, so that an address can be told to be of one of them.
#pragma once

#include <string>

namespace hipaudit {

// Of `source`, the output of the preprocessor, the columns of each ';', '{' and '}' on the lines
// that have several of them: "F<file>" for the lines below it, "<line> <column> <column>...".
// Line tables have columns of this text, in which macros are replaced; how many marks stand before
// one is the same in the text that the user wrote. System headers are left out.
std::string statement_marks(const std::string& source);

}  // namespace hipaudit
