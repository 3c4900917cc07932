/** What of the library is written in the language itself. The rest are rows of check/functions.ts and check/builtins.ts. */
export const base = `// What must hold at run time: where it does not, the script says so and ends.
//
// assert(condition, "what is wrong")
macro assert(condition, msg) {
  if !(condition) {
    errorf("assert failed: %s", msg);
    exit(1);
  }
}

// Whether a pointer of the kernel stands for an error, or for nothing.
macro is_err_or_null(x) { x == 0 || is_err(x) }
`
