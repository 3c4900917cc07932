#!/usr/bin/env node
import { existsSync } from 'node:fs'
import module from 'node:module'

const bundle = new URL('../dist/bpftrace.js', import.meta.url)
if (existsSync(bundle)) {
  // Node ≥ 22.1 keeps V8's compiled code between runs.
  module.enableCompileCache?.()
  await import(bundle.href)
} else {
  process.stderr.write('bpftrace: not built yet: run `npm run build`\n')
  process.exitCode = 2
}
