/** What the bundles have in common. Plain JavaScript, because it runs before anything is built. */
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'

export const root = fileURLToPath(new URL('..', import.meta.url))
export const dist = join(root, 'dist')

/** Native code, resolved from node_modules at run time. */
const native = [/^koffi(\/|$)/, /^oxc-parser(\/|$)/, /^oxc-transform(\/|$)/]
/** Parts of dist that find each other by name while running, never by being bundled together. */
const siblings = [/^\.\/hooks\.js$/]

const runtime = join(root, 'src/compiler/capture/kernel-function.ts')

/** The package's own names, as its sources may use them. */
const alias = {
  'skep/capture': runtime,
  skep: join(root, 'src/skep.ts'),
}

let plugin

/** A directory of this process for what is bundled on the way; below node_modules' parent, so that packages are found. */
export const staging = join(root, 'node_modules/.cache/skep', String(process.pid))
process.on('exit', () => rmSync(staging, { recursive: true, force: true }))

/** The capture plugin is TypeScript itself: it is bundled first, without itself. */
export async function capturePlugin() {
  if (plugin === undefined) {
    await bundle({ plugin: 'src/compiler/capture/plugin.ts' }, { plugins: [], dir: join(staging, 'plugin') })
    const { skepPlugin } = await import(pathToFileURL(join(staging, 'plugin/plugin.js')).href)
    plugin = skepPlugin({ runtime, root })
  }
  return plugin
}

/**
 * Bundles entries (name → source path) into dist/<name>.js for Node.
 * Shared code goes to chunks next to them, unless `oneFile` asks for everything in one.
 */
export async function bundle(entries, { oneFile = false, plugins, dir = dist, sourcemap = false } = {}) {
  mkdirSync(dir, { recursive: true })
  const build = await rolldown({
    input: Object.fromEntries(Object.entries(entries).map(([name, path]) => [name, absolute(path)])),
    cwd: root,
    platform: 'node',
    external: [...native, ...siblings],
    resolve: { alias: exactAlias() },
    transform: { target: 'node20' },
    plugins: plugins ?? [await capturePlugin()],
    tsconfig: false,
    // How long plugins took says something of the machine, not of the sources.
    checks: { pluginTimings: false, bundlerTimings: false },
    onwarn: warning => { throw new Error(`bundling ${Object.values(entries).join(', ')}: ${warning.message}`) },
  })
  try {
    const { output } = await build.write({
      dir,
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: '[name]-[hash].js',
      codeSplitting: oneFile ? false : undefined,
      sourcemap,
      comments: { legal: true, annotation: true, jsdoc: false },
    })
    return output
  } finally {
    await build.close()
  }
}

function absolute(path) {
  return path.startsWith('/') ? path : join(root, path)
}

/** An alias of 'skep' would also take 'skep/…': only those whose target exists and that match whole. */
function exactAlias() {
  return Object.fromEntries(Object.entries(alias).filter(([, path]) => existsSync(path)).map(([name, path]) => [`${name}$`, path]))
}
