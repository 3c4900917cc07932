import type { MapDeclaration, RingDeclaration } from '../compiler/language/maps.ts'
import type { LoadedProbe } from './loaded-probe.ts'
import type { ReadableMap } from './readable-map.ts'

/** A probe as the pipeline needs it: in the kernel, or played from a recording. */
export interface ObservedProbe extends Pick<LoadedProbe, 'name' | 'isOn' | 'state' | 'programs' | 'close'> {
  readonly maps: readonly ReadableMap[]
  /** The map of a declaration; undefined when the probe is off or no program uses it. */
  map(declaration: MapDeclaration | RingDeclaration): ReadableMap | undefined
}
