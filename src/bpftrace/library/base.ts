/** What of the library is written in the language itself. The rest are rows of check/functions.ts and check/builtins.ts. */
export const base = `
// The process that the thread's group leader belongs to.
macro is_err_or_null(x) { x == 0 || is_err(x) }
`
