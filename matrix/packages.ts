import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { MatrixKernel } from './kernels.ts'

const run = promisify(execFile)

/** Where packages are kept between runs. */
export function cacheFolder(): string {
  return process.env['SKEP_MATRIX_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'skep', 'matrix')
}

/** What can be had, and why something cannot. */
export class PackageError extends Error {
  override readonly name = 'PackageError'
}

/** A kernel unpacked: its image and the folder of its modules. */
export interface KernelFiles { release: string; image: string; modules: string }

/**
 * Downloads and unpacks the newest package of a kernel, unless the cache has one already.
 * Apt is run with folders of its own, so that the machine's package lists stay as they are.
 * @throws PackageError when apt is missing, the suites cannot be read or have no such kernel
 */
export async function kernelFiles(kernel: MatrixKernel, note: (text: string) => void): Promise<KernelFiles> {
  const home = join(cacheFolder(), `${kernel.architecture}-${kernel.name}`)
  const known = unpacked(home)
  if (known !== null) return known
  const apt = await privateApt(kernel)
  note(`reading the package lists of ${kernel.suite}`)
  await apt('apt-get', 'update', '-qq')
  const { stdout } = await apt('apt-cache', 'search', '--names-only', `^linux-image-${kernel.name.replaceAll('.', '\\.')}[.].*cloud-${kernel.architecture}$`)
  const names = stdout.split('\n').map((line) => line.split(' ')[0]!).filter((name) => name !== '').toSorted(byVersion)
  const newest = names.at(-1)
  if (newest === undefined) throw new PackageError(`the suite ${kernel.suite} has no kernel ${kernel.name} for ${kernel.architecture}`)
  const release = newest.slice('linux-image-'.length)
  // From 7.0 on the image is split into several packages.
  const parts = [newest, `linux-binary-${release}`, `linux-modules-${release}`, `linux-base-${release}`]
  const there = (await apt('apt-cache', 'search', '--names-only', `^(${parts.map(escape).join('|')})$`)).stdout
    .split('\n').map((line) => line.split(' ')[0]!).filter((name) => name !== '')
  const staging = `${home}.${process.pid}`
  mkdirSync(staging, { recursive: true })
  try {
    note(`downloading ${there.join(', ')}`)
    await apt('apt-get', 'download', ...there, { cwd: staging })
    for (const file of readdirSync(staging).filter((name) => name.endsWith('.deb'))) {
      await run('dpkg-deb', ['-x', join(staging, file), staging])
      rmSync(join(staging, file))
    }
    rmSync(home, { recursive: true, force: true })
    renameSync(staging, home)
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
  const files = unpacked(home)
  if (files === null) throw new PackageError(`${newest} holds no kernel image`)
  return files
}

function unpacked(home: string): KernelFiles | null {
  const parent = ['lib/modules', 'usr/lib/modules'].map((folder) => join(home, folder)).find((folder) => existsSync(folder))
  const release = parent === undefined ? undefined : readdirSync(parent)[0]
  if (parent === undefined || release === undefined) return null
  const modules = join(parent, release)
  // Since 7.0 the image lies beside the modules.
  const image = [join(home, 'boot', `vmlinuz-${release}`), join(modules, 'vmlinuz')].find((path) => existsSync(path))
  return image === undefined ? null : { release, image, modules }
}

type Apt = (program: string, ...args: (string | { cwd: string })[]) => Promise<{ stdout: string }>

/** Apt over the suite of a kernel, from the servers that this machine's own configuration names. */
async function privateApt({ suite, security, architecture }: MatrixKernel): Promise<Apt> {
  const home = join(cacheFolder(), 'apt', `${suite}-${architecture}`)
  for (const folder of ['lists/partial', 'archives/partial', 'state']) mkdirSync(join(home, folder), { recursive: true })
  const { archive, updates } = debianServers()
  const lines = [`deb [trusted=yes] ${archive} ${suite} main`]
  if (security) lines.push(`deb [trusted=yes] ${updates} ${suite}-security main`)
  writeFileSync(join(home, 'sources.list'), `${lines.join('\n')}\n`)
  const options = [
    `Dir::Etc::sourcelist=${home}/sources.list`, 'Dir::Etc::sourceparts=/dev/null', `Dir::State=${home}/state`, `Dir::State::lists=${home}/lists`,
    `Dir::Cache=${home}`, `Dir::Cache::archives=${home}/archives`, 'Debug::NoLocking=1', `APT::Architecture=${architecture}`, 'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option])
  return async (program, ...args) => {
    const words = args.filter((arg): arg is string => typeof arg === 'string')
    const place = args.find((arg): arg is { cwd: string } => typeof arg === 'object')
    try {
      return await run(program, [...options, ...words], { maxBuffer: 1 << 26, timeout: 300_000, ...place })
    } catch (error) {
      const { code, stderr } = error as { code?: string | number; stderr?: string }
      if (code === 'ENOENT') throw new PackageError(`${program} is missing: the matrix takes its kernels from Debian packages, on a machine with apt`, { cause: error })
      throw new PackageError(`${program} ${words.join(' ')}: ${stderr?.trim().split('\n')[0] ?? String(error)}`, { cause: error })
    }
  }
}

/** The Debian servers of this machine's apt sources, in either of the two formats. */
function debianServers(): { archive: string; updates: string } {
  const folder = '/etc/apt/sources.list.d'
  const files = ['/etc/apt/sources.list', ...(existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [])]
  const urls = files.filter((file) => existsSync(file)).flatMap((file) => readFileSync(file, 'utf8').split('\n'))
    .filter((line) => !line.trimStart().startsWith('#')).flatMap((line) => line.match(/https?:\/\/\S+/g) ?? []).map((url) => url.replace(/\/$/, ''))
  const updates = urls.find((url) => url.endsWith('/debian-security'))
  const archive = urls.find((url) => url.endsWith('/debian'))
  if (archive === undefined) throw new PackageError('no Debian archive is among the apt sources of this machine')
  return { archive, updates: updates ?? archive.replace(/\/debian$/, '/debian-security') }
}

const escape = (text: string) => text.replace(/[.+]/g, '\\$&')

/** 6.1.0-9 before 6.1.0-47 before 6.12: numbers compare as numbers. */
export function byVersion(a: string, b: string): number {
  const numbers = (text: string) => (text.match(/\d+/g) ?? []).map(Number)
  const [left, right] = [numbers(a), numbers(b)]
  for (let index = 0; index < Math.max(left.length, right.length); index++) {
    const difference = (left[index] ?? -1) - (right[index] ?? -1)
    if (difference !== 0) return difference
  }
  return a < b ? -1 : 1
}
