// The front library has no code yet: it carries HIP's library name and hands every call through to the
// device below it, because a search in a library goes on in those it needs.
extern const char hipaudit_front[];
const char hipaudit_front[] = "hipaudit";
