import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { cpio, type Entry } from './cpio.ts'
import type { KernelFiles } from './packages.ts'

/** Modules that the checks need where the kernel has them as modules: a block device, and the result port. */
const wantedModules = ['virtio_pci', 'virtio_blk']

export interface GuestFiles {
  /** The repository. */
  root: string
  /** The bundled checks that the guest runs. */
  checks: string
}

/** The first root of a guest: busybox, this machine's Node with its libraries, skep as built, and the checks. */
export function initramfs(kernel: KernelFiles, { root, checks }: GuestFiles): Uint8Array {
  const modules = moduleFiles(kernel.modules)
  const names = modules.map((path) => `${moduleName(path)}.ko`)
  return cpio([
    { kind: 'device', path: 'dev/console', major: 5, minor: 1 },
    ...['proc', 'sys', 'tmp', 'run', 'dev'].map((path): Entry => ({ kind: 'folder', path })),
    file('bin/busybox', busybox(), 0o755),
    ...['sh', 'mount', 'insmod', 'poweroff', 'true', 'sleep', 'ip', 'cat', 'dd', 'mkdir'].map((name): Entry => ({ kind: 'link', path: `bin/${name}`, target: 'busybox' })),
    ...program(process.execPath, 'bin/node'),
    ...modules.map((path, index): Entry => ({ kind: 'file', path: `modules/${names[index]}`, mode: 0o644, bytes: moduleBytes(path) })),
    { kind: 'file', path: 'init', mode: 0o755, bytes: new TextEncoder().encode(initScript(names)) },
    ...tree(join(root, 'dist'), 'skep/dist'),
    ...nativePackages(root).flatMap((folder) => tree(folder, `skep/${relative(root, folder)}`)),
    file('skep/dist/checks.js', checks, 0o644),
    file('skep/package.json', join(root, 'package.json'), 0o644),
  ])
}

/** Results go to the second serial port, so that the kernel's messages cannot get between them. */
function initScript(modules: readonly string[]): string {
  return [
    '#!/bin/sh', 'export PATH=/bin HOME=/tmp',
    'mount -t proc proc /proc', 'mount -t sysfs sysfs /sys', 'mount -t devtmpfs dev /dev', 'mount -t tmpfs tmp /tmp',
    'mount -t tracefs tracefs /sys/kernel/tracing', 'mount -t bpf bpf /sys/fs/bpf', 'mount -t cgroup2 cgroup2 /sys/fs/cgroup',
    'mount -t securityfs securityfs /sys/kernel/security 2>/dev/null', 'ip link set lo up',
    ...modules.map((name) => `insmod /modules/${name}`),
    'node /skep/dist/checks.js > /dev/ttyS1 2> /dev/console', 'echo "{\\"exit\\":$?}" > /dev/ttyS1', 'sleep 1', 'poweroff -f', '',
  ].join('\n')
}

function file(path: string, from: string, mode: number): Entry {
  return { kind: 'file', path, mode, bytes: readFileSync(from) }
}

function busybox(): string {
  const found = ['/bin/busybox', '/usr/bin/busybox'].find((path) => existsSync(path))
  if (found === undefined) throw new Error('busybox is missing: apt-get install busybox-static')
  return found
}

/** An executable with the shared libraries that the loader says it needs. */
function program(path: string, target: string): Entry[] {
  const libraries = [...execFileSync('ldd', [path], { encoding: 'utf8' }).matchAll(/(\/\S+) \(0x/g)].map(([, library]) => library!)
  return [file(target, path, 0o755), ...libraries.map((library) => file(library.slice(1), realpathSync(library), 0o755))]
}

/** koffi and the package with its binary for this platform; the other dependencies are not needed to run what is built. */
function nativePackages(root: string): string[] {
  const scope = join(root, 'node_modules/@koromix')
  const binaries = existsSync(scope) ? readdirSync(scope).map((name) => join(scope, name)) : []
  return [join(root, 'node_modules/koffi'), ...binaries]
}

function tree(from: string, to: string): Entry[] {
  return readdirSync(realpathSync(from), { recursive: true, encoding: 'utf8' }).flatMap((name): Entry[] => {
    const path = join(from, name)
    const stats = lstatSync(path)
    if (stats.isSymbolicLink()) return [{ kind: 'link', path: `${to}/${name}`, target: readlinkSync(path) }]
    if (!stats.isFile() || /\/koffi\/(vendor|doc)\//.test(path)) return []
    return [file(`${to}/${name}`, path, 0o644)]
  })
}

/** The wanted modules and what they depend on, in the order in which they have to be loaded. */
function moduleFiles(folder: string): string[] {
  const list = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.ko(\.xz|\.zst)?$/.test(name))
  const byName = new Map(list.map((name) => [moduleName(name), name]))
  const ordered: string[] = []
  const add = (name: string) => {
    const path = byName.get(name)
    if (path === undefined || ordered.includes(path)) return
    for (const dependency of dependsOn(join(folder, path))) add(dependency)
    ordered.push(path)
  }
  for (const name of wantedModules) add(name)
  return ordered.map((name) => join(folder, name))
}

const moduleName = (path: string) => basename(path).replace(/\.ko.*$/, '').replaceAll('-', '_')

/** A module, which newer Debian kernels ship compressed. */
function moduleBytes(path: string): Uint8Array {
  const tool = path.endsWith('.xz') ? 'xz' : path.endsWith('.zst') ? 'zstd' : null
  return tool === null ? readFileSync(path) : execFileSync(tool, ['-dcq', path], { maxBuffer: 1 << 26 })
}

/** The modinfo entry "depends=" of a module. */
function dependsOn(path: string): string[] {
  const text = Buffer.from(moduleBytes(path)).toString('latin1')
  return /\0depends=([^\0]*)\0/.exec(text)?.[1]?.split(',').filter((name) => name !== '').map((name) => name.replaceAll('-', '_')) ?? []
}

/** Folder of the repository that a path lies in. */
export function repositoryOf(path: string): string {
  let folder = dirname(path)
  while (!existsSync(join(folder, 'package-lock.json'))) {
    if (dirname(folder) === folder) throw new Error(`${path} lies in no repository`)
    folder = dirname(folder)
  }
  return folder
}
