/** What to write instead of the JavaScript functions that people reach for. */
const integers = 'kernel numbers are integers already: leave it out'
const strings = 'emit the parts as fields of an event and work on them in user space'
const events = "emit an event: event('name', { ring, fields: { … } })"

const remedies = new Map<unknown, string>([
  [Math.min, "use min() of 'skep'"], [Math.max, "use max() of 'skep'"], [Math.log2, "use log2() of 'skep'"],
  [Math.floor, integers], [Math.round, integers], [Math.trunc, integers], [Math.ceil, 'round up yourself: (a + b - 1) / b'],
  [Math.abs, 'write x < 0 ? -x : x'], [Math.pow, 'multiply, or shift by powers of two'],
  [Math.random, 'take the low bits of ktime(), which are as good as random for sampling'],
  [Date.now, "use ktime() of 'skep': nanoseconds since boot"], [performance.now, "use ktime() of 'skep': nanoseconds since boot"],
  [Number, integers], [BigInt, integers], [parseInt, integers], [Boolean, 'compare with 0 or with undefined'],
  [String, strings], [JSON.stringify, strings], [JSON.parse, strings],
  [Object.keys, 'name the fields'], [Object.entries, 'name the fields'], [Object.assign, "use assign() of 'skep'"],
  [setTimeout, 'a kernel program runs to its end without waiting; use a map to go on at a later event'],
  [fetch, 'emit an event and do it in user space'],
])

/** How to do without a function of Node or JavaScript. */
export function remedyFor(fn: unknown): string {
  if (Object.values(globalThis.console).includes(fn as never)) return events
  return remedies.get(fn) ?? "make 'use bpf' its first statement, or call it at module scope and use its result"
}

const globals: Readonly<Record<string, unknown>> = {
  Math, console, Date, JSON, Object, Number, BigInt, String, Boolean, Array, Map, Set, Promise, performance, parseInt, setTimeout, fetch, NaN, Infinity,
}

/** JavaScript's own names that people use: for their constants, and so that their functions get a better error than an unknown name. */
export function globalValue(name: string): unknown {
  return Object.hasOwn(globals, name) ? globals[name] : undefined
}
