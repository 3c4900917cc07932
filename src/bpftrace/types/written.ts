import type { TypeNode } from '../syntax/ast.ts'
import type { TypeStore } from './store.ts'
import { bool, int, pointerTo, voidType, type AggregateFunction, type Type } from './type.ts'

const aggregates: readonly AggregateFunction[] = ['count', 'sum', 'min', 'max', 'avg', 'stats', 'hist', 'lhist', 'tseries']

/** The type that a written one means; null if the name is not known. `typeof` is asked for what is inside. */
export function resolveType(node: TypeNode, store: TypeStore, typeOf: (node: TypeNode & { kind: 'typeof' }) => Type): Type | null {
  switch (node.kind) {
    case 'pointer': {
      const to = resolveType(node.to, store, typeOf)
      return to === null ? null : pointerTo(to)
    }
    case 'array': {
      const element = resolveType(node.element, store, typeOf)
      return element === null ? null : { kind: 'array', element, length: node.length ?? -1 }
    }
    case 'sized':
      if (node.name === 'string') return { kind: 'string', size: node.length }
      return node.name === 'buffer' ? { kind: 'buffer', size: node.length } : { kind: 'inet' }
    case 'typeof': return typeOf(node)
    case 'named': break
  }
  if (node.tag === 'enum') return store.enum(node.name) ?? null
  if (node.tag !== undefined) {
    const definition = store.struct(node.name)
    return definition === undefined ? null : { kind: 'struct', definition }
  }
  return named(node.name) ?? store.typedef(node.name) ?? null
}

function named(name: string): Type | null {
  const number = /^(u?)int(8|16|32|64)$/.exec(name)
  if (number !== null) return int(Number(number[2]), number[1] === '')
  const aggregate = /^(u?)(\w+)_t$/.exec(name)
  const fn = aggregates.find((one) => one === aggregate?.[2])
  if (fn !== undefined) return { kind: 'aggregate', fn, signed: aggregate![1] === '' && fn !== 'count', options: [] }
  switch (name) {
    case 'bool': return bool
    case 'void': return voidType
    case 'string': return { kind: 'string', size: 0 }
    case 'buffer': return { kind: 'buffer', size: 0 }
    case 'inet': return { kind: 'inet' }
    case 'macaddr_t': return { kind: 'mac' }
    case 'timestamp': case 'timestamp_t': return { kind: 'timestamp', base: 'boot' }
    case 'ksym_t': return { kind: 'ksym' }
    case 'usym_t': return { kind: 'usym' }
    case 'kstack_t': return { kind: 'stack', user: false, mode: 'bpftrace', limit: 127 }
    case 'ustack_t': return { kind: 'stack', user: true, mode: 'bpftrace', limit: 127 }
    case 'cgroup_path_t': return { kind: 'cgroupPath' }
    case 'username_t': return { kind: 'username' }
    case 'int': return int(32, true)
    case 'char': return int(8, true)
    case 'short': return int(16, true)
    case 'long': return int(64, true)
    default: return null
  }
}
