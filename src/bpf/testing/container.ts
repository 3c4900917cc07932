/**
 * Run by token.test.ts inside of a user namespace: opens a bpf file system, waits until the test has delegated to it, then does
 * with a
 * token what its root may not do without. Prints a line of JSON for each step.
 */
import { BpfFileSystem } from '../bpffs.ts'
import { Collection } from '../collection.ts'
import { PolicyError } from '../load-error.ts'
import { BpfMap } from '../map.ts'
import { Token } from '../token.ts'
import type { Spec } from '../../spec/spec.ts'

const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`)
const exit = [0x95, 0, 0, 0, 0, 0, 0, 0]
const spec: Spec = {
  name: 'inside', license: 'GPL', btf: null,
  maps: [{ name: 'counts', type: 'hash', keySize: 4, valueSize: 8, maxEntries: 4, flags: 0 }, { name: 'ring', type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries: 65_536, flags: 0 }],
  programs: [{
    name: 'filter', type: 'socket_filter', attach: { kind: 'given', name: '' }, code: Uint8Array.from([0xb7, 0, 0, 0, 0, 0, 0, 0, ...exit]),
    maps: [], relocations: [], functions: [], lines: [],
  }],
}

const files = BpfFileSystem.open()
say({ pid: process.pid, fd: files.fd })
process.stdin.once('data', () => {
  try {
    const directory = files.mount()
    let without = ''
    try {
      BpfMap.create(spec.maps[0]!).close()
    } catch (error) {
      without = error instanceof PolicyError ? `${error.code} ${error.causes.some((cause) => cause.includes('user namespace'))}` : String(error)
    }
    const token = Token.create(directory)
    const object = Collection.load(spec, { token })
    say({
      without, maps: [...object.maps.keys()], programs: [...object.programs.keys(), ...[...object.failures.values()].map(String)],
      refused: [...object.mapFailures].map(([name, error]) => `${name}: ${(error as PolicyError).code}`),
    })
    object.close()
    token.close()
    directory.close()
    files.close()
  } catch (error) {
    say({ failed: String(error) })
  }
  process.exit()
})
