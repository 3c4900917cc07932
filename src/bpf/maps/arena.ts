import { recordView } from '../../spec/codec.ts'
import type { RecordView } from '../../spec/codec.ts'
import { pageSize } from '../../sys/machine.ts'
import { Mapping } from '../../sys/mapping.ts'
import { recordClosed, recordOpened } from '../ledger.ts'
import type { BpfMap } from '../map.ts'
import { MapSpecError } from '../map-layout.ts'

/**
 * Memory that programs and this process see at the same addresses, so that pointers in it mean the same to both. Kernel 6.9.
 * The map's `maxEntries` are pages, its `mapExtra` the address (0: any). Pages come when they are touched first.
 * Programs with an arena are loaded after it is mapped.
 */
export class Arena {
  readonly map: BpfMap
  /** The whole arena. Do not touch it after close(). */
  readonly view: RecordView
  readonly #mapping: Mapping
  readonly #close: () => void

  /** @throws MapSpecError; SysError: EEXIST if something else lies at the address asked for */
  constructor(map: BpfMap) {
    if (map.spec.type !== 'arena') throw new MapSpecError(map.spec.name, `is a ${map.spec.type}, not an arena`)
    this.map = map
    this.#mapping = Mapping.open(map.fd, {
      length: map.spec.maxEntries * pageSize(), write: true, address: map.spec.mapExtra ?? 0,
    })
    this.view = recordView(this.#mapping.buffer)
    const entry = recordOpened('mapping', map.spec.name)
    this.#close = () => {
      if (this.#mapping.closed) return
      this.#mapping.close()
      recordClosed(entry)
      map.forgetBeforeClose(this.#close)
    }
    map.beforeClose(this.#close)
  }

  /** Of its first byte, as programs store it in pointers. */
  get address(): number {
    return this.#mapping.address
  }

  /** Where in `view` a pointer points; undefined for null and for what is not in the arena. */
  offsetOf(pointer: number): number | undefined {
    const offset = pointer - this.address
    return offset >= 0 && offset < this.#mapping.length ? offset : undefined
  }

  close(): void {
    this.#close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
