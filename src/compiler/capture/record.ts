import type { EsNode } from './kernel-function.ts'

/** Keys that say nothing about the program, or repeat what the source text and the offsets already give. */
const droppedKeys = new Set(['raw', 'range', 'parent', 'loc', 'hashbang', 'phase'])

/**
 * A node as compact JSON: offsets relative to `base`, and without keys that are null, undefined,
 * false or an empty list of decorators (readers take these as the defaults).
 */
export function compactJson(node: EsNode, base: number): string {
  return JSON.stringify(compact(node, base))
}

function compact(node: EsNode, base: number): EsNode {
  const out: EsNode = { type: node.type, start: node.start - base, end: node.end - base }
  if (node.type === 'Literal') return literal(node, out)
  for (const key of Object.keys(node)) {
    const value = node[key]
    if (key === 'type' || key === 'start' || key === 'end' || droppedKeys.has(key)) continue
    if (value === null || value === undefined || value === false) continue
    if (key === 'decorators' && value.length === 0) continue
    if (Array.isArray(value)) out[key] = value.map(one => isNode(one) ? compact(one, base) : one)
    else out[key] = isNode(value) ? compact(value, base) : value
  }
  return out
}

function literal(node: EsNode, out: EsNode): EsNode {
  if (node['bigint'] !== undefined) out['bigint'] = node['bigint']
  else if (node['regex'] !== undefined) out['regex'] = node['regex']
  // JSON has no Infinity, which a literal such as 1e999 is.
  else if (node['value'] === Infinity) out['raw'] = node['raw']
  else out['value'] = node['value']
  return out
}

function isNode(value: unknown): value is EsNode {
  return typeof value === 'object' && value !== null && typeof (value as EsNode).type === 'string'
}

export interface RecordParts {
  name: string
  file: string
  line: number
  column: number
  source: string
  /** From compactJson. */
  ast: string
  captures: Iterable<string>
}

/** JavaScript source of a KernelFunction record, on one line. */
export function recordSource(parts: RecordParts): string {
  const captures = [...parts.captures].map(name => `${name === '__proto__' ? `['__proto__']` : name}: () => ${name}`)
  return `{ v: 1, name: ${quote(parts.name)}, file: ${quote(parts.file)}, line: ${parts.line}, column: ${parts.column}, ` +
    `source: ${quote(parts.source)}, get ast() { return __skepAst(this, ${quote(parts.ast)}) }, ` +
    `captures: {${captures.length === 0 ? '' : ` ${captures.join(', ')} `}} }`
}

/** A string literal in single quotes, which JSON does not need to escape. */
function quote(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}
