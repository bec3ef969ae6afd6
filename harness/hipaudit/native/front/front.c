// A library under a name of ROCm's without code of its own: it hands every call through to the
// device below it, because a search in a library goes on in those it needs.
extern const char hipaudit_front[];
const char hipaudit_front[] = "hipaudit";
