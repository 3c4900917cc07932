import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { skepPlugin } from './src/compiler/capture/plugin.ts'

const root = fileURLToPath(new URL('.', import.meta.url))
const source = (path: string) => `${root}src/${path}`
const ledgerCheck = source('bpf/ledger-check.ts')
const ledgerReady = [ledgerCheck, source('bpf/kernel-btf.ts'), source('btf/btf.ts')].every(path => existsSync(path))

export default defineConfig({
  // Kernel functions in tests are captured as they are in the product; one registry, whichever way.
  plugins: [skepPlugin({ runtime: source('compiler/capture/kernel-function.ts'), root })],
  resolve: {
    alias: [
      { find: /^skep$/, replacement: source('skep.ts') },
      { find: /^skep\/bpf$/, replacement: source('bpf/bpf.ts') },
      { find: /^skep\/vm$/, replacement: source('vm/vm.ts') },
      { find: /^skep\/capture$/, replacement: source('compiler/capture/kernel-function.ts') },
    ],
  },
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'build/**/*.test.ts', 'web/**/*.test.{ts,tsx}'],
    pool: 'forks',
    // Tests share one kernel: what one attaches, another one would see.
    fileParallelism: false,
    testTimeout: 30_000,
    hookTimeout: 30_000,
    setupFiles: ledgerReady ? [ledgerCheck] : [],
  },
})
