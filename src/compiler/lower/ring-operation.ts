import type { EsNode } from '../capture/kernel-function.ts'
import type { RingDeclaration } from '../language/maps.ts'
import { suggest } from '../nearest.ts'
import type { Schema } from '../../spec/schema.ts'
import { expression } from './expression.ts'
import { toScalar } from './arithmetic.ts'
import type { Lowering } from './lowering.ts'
import { mapAddress } from './map-address.ts'
import { call, ofSchema } from './memory.ts'
import { describe, pointerTo, U64, type Operand } from './operand.ts'

/** BPF_RB_AVAIL_DATA of linux/bpf.h. */
const AVAIL_DATA = 0
const methods = ['reserve', 'submit', 'discard', 'available']

export function ringOperation(l: Lowering, node: EsNode, ring: RingDeclaration, method: string): Operand {
  const span = l.span(node)
  const args = (node.arguments as EsNode[]).map((argument) => expression(l, argument))
  switch (method) {
    case 'reserve': {
      const schema = args[0]?.kind === 'host' ? (args[0].value as Schema | undefined) : undefined
      if (schema === undefined || typeof schema.size !== 'number') return l.fail('SKEP-C04', node, 'reserve() takes the schema of the record', 'give a struct() of module scope')
      const out = l.value(pointerTo('ring', true), 'record')
      call(l, 'ringbuf_reserve', [mapAddress(l, ring, span), l.constant(schema.size, span), l.constant(0, span)], span, out)
      return { kind: 'optional', pointer: out, content: ofSchema(schema), copy: null }
    }
    case 'submit': case 'discard': {
      const record = args[0]
      if (record?.kind !== 'optional' || !l.isNonNull(record.pointer)) {
        return l.fail('SKEP-C03', node, `${record === undefined ? 'nothing' : record.kind === 'optional' ? 'a record that may be undefined' : describe(record)} cannot be handed over`, 'give the record that reserve() gave, after checking that it is there')
      }
      const flags = args[1] === undefined ? l.constant(0, span) : toScalar(l, args[1], span, U64).value
      const refined = l.value(pointerTo('ring'))
      l.emit({ op: 'refine', out: refined, value: record.pointer, span })
      call(l, method === 'submit' ? 'ringbuf_submit' : 'ringbuf_discard', [refined, flags], span)
      return { kind: 'void' }
    }
    case 'available': {
      const out = l.value(U64)
      call(l, 'ringbuf_query', [mapAddress(l, ring, span), l.constant(AVAIL_DATA, span)], span, out)
      return { kind: 'scalar', value: out, type: U64 }
    }
    default: return l.fail('SKEP-C09', node.callee.property, `a ring has no '${method}' in the kernel`, suggest(method, methods, `it has ${methods.join(', ')}`))
  }
}
