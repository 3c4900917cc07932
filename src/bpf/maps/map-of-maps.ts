import { decoder, encoder, recordView } from '../../spec/codec.ts'
import type { MapSpec } from '../../spec/spec.ts'
import { BpfMap } from '../map.ts'
import { MapSpecError } from '../map-layout.ts'

/** A map whose values are maps of one shape: arrayOfMaps or hashOfMaps. Kernel 4.12. */
export class MapOfMaps<K = any> {
  readonly map: BpfMap

  constructor(map: BpfMap) {
    if (map.spec.type !== 'arrayOfMaps' && map.spec.type !== 'hashOfMaps') {
      throw new MapSpecError(map.spec.name, `is a ${map.spec.type}, not a map of maps`)
    }
    this.map = map
  }

  /**
   * Puts a map in; the kernel keeps it while it is there, also after its close().
   * @throws SysError: EINVAL if its shape is not that of `spec.inner`
   */
  set(key: K, inner: BpfMap): void {
    const value = new Uint8Array(4)
    new DataView(value.buffer).setUint32(0, inner.fd, true)
    this.map.setRaw(this.#encode(key), value)
  }

  /** The id of the map there; undefined if there is none. */
  idOf(key: K): number | undefined {
    const value = this.map.getRaw(this.#encode(key))
    if (value === undefined) return undefined
    const id = new DataView(value.buffer, value.byteOffset).getUint32(0, true)
    return id === 0 ? undefined : id
  }

  /** The map there, opened: the caller closes it. Undefined if there is none. */
  open<IK = any, IV = any>(key: K, spec: MapSpec | undefined = this.map.spec.inner): BpfMap<IK, IV> | undefined {
    const id = this.idOf(key)
    // A template says nothing of the number of entries.
    return id === undefined ? undefined : BpfMap.byId(id, spec === undefined ? undefined : { ...spec, maxEntries: 0 })
  }

  /** @returns whether there was one */
  delete(key: K): boolean {
    return this.map.deleteRaw(this.#encode(key))
  }

  keys(): K[] {
    const { keys, count, keySize } = this.map.readRaw()
    const decode = decoder(this.#schema())
    const copy = new Uint8Array(Math.ceil(count * keySize / 8) * 8)
    copy.set(keys)
    const view = recordView(copy.buffer)
    return Array.from({ length: count }, (_, index) => decode(view, index * keySize) as K)
  }

  #schema() {
    const { name, key } = this.map.spec
    if (key === undefined) throw new MapSpecError(name, 'has no key schema: give it one, such as u32')
    return key
  }

  #encode(key: K): Uint8Array {
    const bytes = new Uint8Array(this.map.spec.keySize)
    encoder(this.#schema())(key as never, bytes, 0)
    return bytes
  }
}
