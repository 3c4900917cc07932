import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/* Places that tests make for themselves, so that nothing of the machine's own is touched. Each is taken away by its close(). */

let made = 0
const unique = () => `skep-${process.pid}-${made++}`

export interface Place { path: string; close(): void }

/** A mounted file system of type bpf. */
export function bpfFileSystem(options = ''): Place {
  const path = mkdtempSync(join(tmpdir(), 'skep-bpffs-'))
  execFileSync('mount', ['-t', 'bpf', ...(options === '' ? [] : ['-o', options]), 'bpf', path])
  return {
    path,
    close() {
      execFileSync('umount', [path])
      rmdirSync(path)
    },
  }
}

/** A network namespace with `lo` up and a pair of interfaces `va` and `vb`, 10.77.0.1 and 10.77.0.2. */
export function networkNamespace(): Place & { name: string } {
  const name = unique()
  execFileSync('ip', ['netns', 'add', name])
  const ip = (...words: string[]) => execFileSync('ip', ['-n', name, ...words])
  ip('link', 'set', 'lo', 'up')
  return { name, path: `/run/netns/${name}`, close: () => { execFileSync('ip', ['netns', 'delete', name]) } }
}

/** The version 2 hierarchy; undefined where there is none. */
export function cgroupRoot(): string | undefined {
  return readFileSync('/proc/self/mounts', 'latin1').split('\n').map((line) => line.split(' '))
    .find(([, , type]) => type === 'cgroup2')?.[1]
}

/** A cgroup below the root. */
export function cgroup(): Place {
  const path = join(cgroupRoot()!, unique())
  mkdirSync(path)
  return { path, close: () => rmdirSync(path) }
}

/** A directory for files. */
export function directory(): Place {
  const path = mkdtempSync(join(tmpdir(), 'skep-bpf-'))
  return { path, close: () => rmSync(path, { recursive: true, force: true }) }
}
