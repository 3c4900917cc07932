/**
 * node build/run.mjs [--out <file>] file.ts [args]: bundles a TypeScript file of this repository with kernel
 * functions captured, and runs it in a Node process of its own (signals and exit code are passed on).
 * With --out it writes the bundle there and does not run it.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { bundle, dist } from './bundle.mjs'

const args = process.argv.slice(2)
const out = args[0] === '--out' ? args.splice(0, 2)[1] : undefined
const file = args.shift()
if (file === undefined || !existsSync(file)) {
  process.stderr.write(file === undefined ? 'usage: node build/run.mjs [--out <file>] file.ts [args]\n' : `build/run.mjs: no such file: ${file}\n`)
  process.exit(2)
}

if (out !== undefined) {
  const target = resolve(out)
  mkdirSync(dirname(target), { recursive: true })
  await bundle({ [basename(target).replace(/\.js$/, '')]: resolve(file) }, { oneFile: true, dir: dirname(target) })
} else {
  // In dist, so that what is found next to the running file (hooks, pages, node_modules above) is found as in the product.
  const name = `run-${basename(file).replace(/\.[^.]+$/, '')}-${process.pid}`
  const bundled = join(dist, `${name}.js`)
  const clean = () => {
    for (const path of [bundled, `${bundled}.map`]) rmSync(path, { force: true })
  }
  process.on('exit', clean)
  await bundle({ [name]: resolve(file) }, { oneFile: true, sourcemap: true })
  const child = spawn(process.execPath, ['--enable-source-maps', bundled, ...args], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    clean()
    if (signal !== null) {
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
    } else process.exitCode = code
  })
}
