import { relative } from 'node:path'
import type { SourceMap } from 'magic-string'
import { mayHaveKernelFunctions, transformKernelFunctions } from './visitor.ts'

export interface SkepPluginOptions {
  /** Module that exports kernelFunction and kernelAst; 'skep/capture' unless told. */
  runtime?: string
  /** Directory that file names in messages are relative to; the working directory unless told. */
  root?: string
}

/** The part of a Rolldown, Rollup or Vite plugin that skep uses; all three take it. */
export interface SkepPlugin {
  name: string
  /** Vite: before types are stripped. */
  enforce: 'pre'
  resolveId: { filter: { id: RegExp }; handler: (id: string) => string | null }
  load: { filter: { id: RegExp }; handler: (id: string) => string | null }
  transform: {
    filter: { id: RegExp; code: RegExp }
    handler: (code: string, id: string) => { code: string; map: SourceMap } | null
  }
}

const vmlinux = '\0skep/vmlinux'

/**
 * Captures kernel functions ('use bpf') while a bundler reads the modules.
 * For Rolldown ≥ 1.0, Rollup ≥ 4.38 and Vite ≥ 6.3; older ones ignore the filters, which the handlers repeat.
 */
export function skepPlugin({ runtime, root = process.cwd() }: SkepPluginOptions = {}): SkepPlugin {
  return {
    name: 'skep',
    enforce: 'pre',
    // Types only; imported without `type` it still has to be a module.
    resolveId: { filter: { id: /^skep\/vmlinux$/ }, handler: id => id === 'skep/vmlinux' ? vmlinux : null },
    load: { filter: { id: /^\0skep\/vmlinux$/ }, handler: id => id === vmlinux ? 'export {}' : null },
    transform: {
      filter: { id: /\.[cm]?[jt]sx?(?:\?|$)/, code: /["']use bpf["']/ },
      handler(code, id) {
        const path = id.replace(/\?.*$/s, '')
        if (!/\.[cm]?[jt]sx?$/.test(path) || !mayHaveKernelFunctions(code)) return null
        return transformKernelFunctions(code, { file: fileName(path, root), ...(runtime === undefined ? {} : { runtime }) })
      },
    },
  }
}

/** Relative to the root where the file is below it, else as it is. */
export function fileName(path: string, root: string): string {
  const name = relative(root, path)
  return name === '' || name.startsWith('..') ? path : name
}
