import type { MapDeclaration, RingDeclaration } from '../language/maps.ts'
import type { Value } from '../ir/ir.ts'
import type { Span } from '../span.ts'
import type { CompileContext, Lowering } from './lowering.ts'
import { pointerTo } from './operand.ts'

/** The map's name in the Spec: its own, or that of the variable it was captured under. */
export function nameMap(context: CompileContext, map: MapDeclaration | RingDeclaration, captured: string | undefined): string {
  const known = context.mapNames.get(map)
  if (known !== undefined) return known
  const wanted = map.name ?? captured ?? `map_${context.maps.size}`
  let name = wanted
  for (let again = 2; context.maps.has(name); again++) name = `${wanted}_${again}`
  context.maps.set(name, map)
  context.mapNames.set(map, name)
  return name
}

export function mapAddress(l: Lowering, map: MapDeclaration | RingDeclaration, span: Span): Value {
  const out = l.value(pointerTo('map'))
  l.emit({ op: 'mapAddress', out, map: nameMap(l.context, map, captureName(l, map)), span })
  return out
}

/** The variable that a kernel function on the way to here captured the map under. */
function captureName(l: Lowering, map: MapDeclaration | RingDeclaration): string | undefined {
  for (const { fn } of l.frames) {
    for (const [name, thunk] of Object.entries(fn.captures)) {
      if (isSame(thunk, map)) return name
    }
  }
  return undefined
}

function isSame(thunk: () => unknown, map: object): boolean {
  try {
    return thunk() === map
  } catch (error) {
    // A capture that is not initialised yet cannot be this map; its own use reports it.
    if (error instanceof ReferenceError) return false
    throw error
  }
}
