import type { BpfMap } from '../map.ts'
import { MapSpecError } from '../map-layout.ts'
import type { Program } from '../program.ts'

const key = (index: number) => bytesOf(index)

function bytesOf(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}

/** Programs that others jump to by bpf_tail_call. Kernel 4.2. They must be of one type, and are kept while they are in it. */
export class ProgramArray {
  readonly map: BpfMap

  constructor(map: BpfMap) {
    if (map.spec.type !== 'progArray') throw new MapSpecError(map.spec.name, `is a ${map.spec.type}, not an array of programs`)
    this.map = map
  }

  /** @throws SysError: EINVAL if the program's type or context is not that of those that use the array */
  set(index: number, program: Program): void {
    this.map.setRaw(key(index), bytesOf(program.fd))
  }

  /** Id of the program there; undefined if there is none. */
  idOf(index: number): number | undefined {
    const value = this.map.getRaw(key(index))
    return value === undefined ? undefined : new DataView(value.buffer, value.byteOffset).getUint32(0, true)
  }

  /** @returns whether there was one */
  delete(index: number): boolean {
    return this.map.deleteRaw(key(index))
  }

  /** Takes all of them out, so that programs which refer to the array and are in it can go. */
  clear(): void {
    for (let index = 0; index < this.map.spec.maxEntries; index++) this.delete(index)
  }
}
