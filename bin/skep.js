#!/usr/bin/env node
import { existsSync, lstatSync, mkdirSync } from 'node:fs'
import module from 'node:module'
import { dirname, isAbsolute, join } from 'node:path'

const bundle = new URL('../dist/skep.js', import.meta.url)
if (existsSync(bundle)) {
  const folder = cacheFolder()
  // Node ≥ 22.1 keeps V8's compiled code between runs; skep itself keeps compiled probes there.
  if (folder !== null) module.enableCompileCache?.(folder)
  globalThis[Symbol.for('skep.cacheFolder')] = folder
  await import(bundle.href)
} else {
  process.stderr.write('skep: not built yet: run `npm run build`\n')
  process.exitCode = 2
}

/**
 * Node's own place for compiled code is in /tmp and V8 runs what it finds there: whoever makes that folder first could have
 * root run code of his. So: a folder of ours, for V8's code and for compiled probes, on a path that nobody but root and this user can change; else none.
 */
function cacheFolder() {
  const uid = process.geteuid?.()
  if (process.platform !== 'linux' || uid !== process.getuid()) return null
  const { XDG_CACHE_HOME, HOME } = process.env
  const base = uid === 0 ? '/var/cache' : XDG_CACHE_HOME ?? (HOME === undefined ? '' : join(HOME, '.cache'))
  if (!isAbsolute(base)) return null
  const folder = join(base, 'skep')
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    for (let path = folder; ; path = dirname(path)) {
      const { uid: owner, mode } = lstatSync(path)
      if ((owner !== 0 && owner !== uid) || (mode & 0o022) !== 0 || (mode & 0o170000) !== 0o040000) return null
      if (path === '/') return folder
    }
  } catch {
    // A read-only or full disk: skep starts without, some milliseconds later.
    return null
  }
}
