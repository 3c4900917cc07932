import { execFileSync, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { check, pidfdGetfd } from '../sys/syscall.ts'
import { BpfFileSystem, mountAt } from './bpffs.ts'
import { features, has } from './features.ts'
import { openProcess } from './handles.ts'
import { keeper } from './testing/keeper.ts'
import { directory } from './testing/places.ts'
import { delegatedMounts, Token } from './token.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const ready = process.platform === 'linux' && process.getuid?.() === 0 && has(features.token)

describe.runIf(ready)('tokens (features: BPF tokens, root)', () => {
  const keep = keeper()

  test('outside of a user namespace capabilities decide, and the error says so', () => {
    const files = keep(BpfFileSystem.open().delegate({ commands: 'any', maps: ['hash', 'array'] }))
    const mounted = keep(files.mount())
    expect(() => Token.create(mounted)).toThrow('EOPNOTSUPP: tokens are for user namespaces')
    expect(Token.find()).toBe(undefined)
  })

  test('a file system with a delegation says what it delegates', () => {
    const place = keep(directory())
    const files = keep(BpfFileSystem.open().delegate({ commands: ['BPF_MAP_CREATE', 'BPF_PROG_LOAD'], maps: ['hash'], programs: 'any' }))
    const mounted = files.mount()
    mountAt(mounted, place.path)
    mounted.close()
    try {
      const line = readFileSync('/proc/self/mounts', 'latin1').split('\n').find((one) => one.includes(place.path))!
      expect(line).toMatch(/ bpf .*delegate_cmds=.*delegate_maps=/)
      expect(delegatedMounts(line)).toEqual([place.path])
    } finally {
      execFileSync('umount', [place.path])
    }
  })

  test('inside of a user namespace a token permits what was delegated, and nothing else', async () => {
    const script = fileURLToPath(new URL('./testing/container.ts', import.meta.url))
    const child = spawn('unshare', ['--user', '--map-root-user', '--mount', process.execPath, `${root}build/run.mjs`, script],
      { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    const next = async () => JSON.parse(String((await lines.next()).value))
    const { pid, fd } = await next()
    const other = keep(openProcess(pid))
    const files = keep(BpfFileSystem.adopt(check(pidfdGetfd(other.fd, fd), 'pidfd_getfd')))
    files.delegate({ commands: ['BPF_MAP_CREATE', 'BPF_PROG_LOAD', 'BPF_BTF_LOAD'], maps: ['hash'], programs: ['socket_filter'], attachTypes: 'any' }).create()
    child.stdin.write('go\n')
    expect(await next()).toEqual({ without: 'EPERM true', maps: ['counts'], programs: ['filter'], refused: ['ring: EPERM'] })
    await new Promise((resolve) => { child.once('exit', resolve) })
  })
})

test('mounts with a delegation are found in a list, spaces in their names too', () => {
  const mounts = 'bpf /sys/fs/bpf bpf rw,mode=700 0 0\nbpf /a\\040b bpf rw,delegate_cmds=map_create 0 0\ntmpfs /t tmpfs rw,delegate_x=1 0 0\n'
  expect(delegatedMounts(mounts)).toEqual(['/a b'])
})
