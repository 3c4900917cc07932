import { accessSync, constants, readFileSync, statSync } from 'node:fs'
import { basename, extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { codeFeatures } from '../bpf/features/program-features.ts'
import { has } from '../bpf/features.ts'
import { kernelBtf } from '../bpf/kernel-btf.ts'
import { readTracefs } from '../bpf/tracefs.ts'
import { compileModule, type Compiled, type CompileOptions } from '../compiler/compile.ts'
import { CompileError } from '../compiler/errors.ts'
import { installLoader } from '../register/install.ts'
import * as library from '../skep.ts'
import { ObjectError, readObject } from '../spec/elf/read.ts'
import type { Spec } from '../spec/spec.ts'

export type ProbeModule = Record<string, unknown>

/** A probe file that cannot be read, does not parse, fails while it is loaded, or does not compile: a person's mistake, status 2. */
export class ProbeFileError extends Error {
  override readonly name = 'ProbeFileError'
}

/** Imports a probe module. @throws ProbeFileError */
export async function importProbe(path: string): Promise<ProbeModule> {
  const unreadable = whyUnreadable(path)
  if (unreadable !== null) throw new ProbeFileError(unreadable)
  try {
    await installLoader({ api: { skep: library } })
    return await import(pathToFileURL(resolve(path)).href) as ProbeModule
  } catch (error) {
    throw new ProbeFileError(`${path} cannot be loaded:\n${messageOf(error)}`, { cause: error })
  }
}

/** Compiles the programs that the module exports for the running kernel. @throws ProbeFileError with the place in the file */
export function compileProbe(path: string, module: ProbeModule, options: Partial<CompileOptions> = {}): Compiled {
  try {
    return compileModule(module, {
      btf: kernelBtf(), name: basename(path, extname(path)), features: { mayGoto: has(codeFeatures.mayGoto) },
      tracepointFormat: (category, name) => readTracefs(`events/${category}/${name}/format`), ...options,
    })
  } catch (error) {
    if (error instanceof CompileError || error instanceof TypeError || error instanceof RangeError) throw new ProbeFileError(error.message, { cause: error })
    throw error
  }
}

/** Reads an object that another compiler made. @throws ProbeFileError */
export function readBpfObject(path: string): Spec {
  try {
    return readObject(new Uint8Array(readFileSync(path)), { name: basename(path).replace(/(\.bpf)?\.o$/, '') })
  } catch (error) {
    if (error instanceof ObjectError) throw new ProbeFileError(`${path}: ${error.message}`, { cause: error })
    if ((error as NodeJS.ErrnoException).code !== undefined) throw new ProbeFileError(`cannot read ${path}: ${(error as Error).message}`, { cause: error })
    throw error
  }
}

function whyUnreadable(path: string): string | null {
  if (!/\.([cm]?ts|m?js)$/.test(path)) return `${path}: a probe is a TypeScript or JavaScript module; its name ends in .ts, .mts, .js or .mjs`
  try {
    accessSync(path, constants.R_OK)
    return statSync(path).isFile() ? null : `${path} is no file`
  } catch (error) {
    return `cannot read ${path}: ${(error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (error as Error).message}`
  }
}

/** A CaptureError may come from Node's hooks thread, where only its message survives. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const own = /^\S+:\d+:\d+: /.test(error.message)
  return own ? error.message : error.stack ?? error.message
}
