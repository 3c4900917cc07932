import type { ProgramSpec } from '../spec/spec.ts'
import { Errno } from '../sys/errno.ts'
import type { BpfMap } from './map.ts'
import { command, commandError, mustCommand } from './command.ts'
import { Descriptor } from './descriptor.ts'
import { machineCode, translatedCode } from './program-dump.ts'
import type { MachineCode } from './program-dump.ts'
import { programInfo, programStats } from './program-info.ts'
import type { ProgramInfo, ProgramStats } from './program-info.ts'
import { loadProgram } from './program-load.ts'
import type { LoadContext } from './program-load.ts'
import { objectKind, openPin, pin } from './pin.ts'
import { readStream } from './stream.ts'
import { testRun } from './test-run.ts'
import type { TestRunOptions, TestRunResult } from './test-run.ts'

export { programInfo } from './program-info.ts'
export type { ProgramInfo, ProgramStats } from './program-info.ts'

/** A program accepted by the kernel. Not closed by the garbage collector: call close(). */
export class Program {
  readonly spec: ProgramSpec
  readonly #descriptor: Descriptor
  #info: ProgramInfo | undefined

  private constructor(spec: ProgramSpec, descriptor: Descriptor) {
    this.spec = spec
    this.#descriptor = descriptor
  }

  /**
   * Relocates the program for this kernel and loads it.
   * @throws VerifierError (rejected), PolicyError (not permitted), TargetError (the hook does not exist here),
   * SysError, or what relocation throws
   */
  static load(spec: ProgramSpec, context: LoadContext): Program {
    return new Program(spec, new Descriptor('program', spec.name, loadProgram(spec, context)))
  }

  /** Any program on the system (4.13; needs CAP_SYS_ADMIN); undefined if there is none. Its spec holds no instructions. */
  static byId(id: number): Program | undefined {
    const fd = command('BPF_PROG_GET_FD_BY_ID', 12, (attr) => attr.u32(0, id))
    if (fd === -Errno.ENOENT) return undefined
    if (fd < 0) throw commandError('BPF_PROG_GET_FD_BY_ID', fd, `program ${id}`)
    return Program.#found(fd, `program ${id}`)
  }

  /** The program that is pinned at `path` (4.4); undefined if nothing is. Its spec holds no instructions. */
  static openPinned(path: string): Program | undefined {
    const fd = openPin(path)
    return fd === undefined ? undefined : Program.#found(fd, path)
  }

  static #found(fd: number, where: string): Program {
    const descriptor = new Descriptor('program', where, fd)
    try {
      const kind = objectKind(fd)
      if (kind !== 'program') throw new Error(`${where} is a ${kind}, not a program`)
      const { name, type, typeName } = programInfo(fd)
      if (typeName === undefined) throw new Error(`${where} '${name}' is of type ${type}, which is not known`)
      return new Program({
        name, type: typeName, attach: { kind: 'given', name: '' }, code: new Uint8Array(), maps: [], relocations: [], functions: [], lines: [],
      }, descriptor)
    } catch (error) {
      descriptor.close()
      throw error
    }
  }

  get name(): string {
    return this.spec.name
  }

  /** @throws ClosedError after close() */
  get fd(): number {
    return this.#descriptor.fd
  }

  get closed(): boolean {
    return this.#descriptor.closed
  }

  info(): ProgramInfo {
    this.#info ??= programInfo(this.fd)
    return this.#info
  }

  /** One system call; cheap enough for every second. */
  stats(): ProgramStats {
    return programStats(this.fd)
  }

  /** Runs it once or often on data of yours, attached or not (4.12). @throws SysError: ENOTSUPP for types that cannot */
  testRun(options: TestRunOptions = {}): TestRunResult {
    return testRun(this.fd, this.spec, options)
  }

  /** Its instructions as the kernel rewrote them: 8 bytes a slot. Needs CAP_PERFMON or CAP_SYS_ADMIN. */
  translatedCode(): Uint8Array {
    return translatedCode(this.fd)
  }

  /** What the JIT made of it, function by function. Needs CAP_SYS_ADMIN, and kernel.kptr_restrict below 2 for addresses. */
  machineCode(): MachineCode {
    return machineCode(this.fd)
  }

  /** Gives it a name on a bpf file system, under which it outlives this process. @throws SysError */
  pin(path: string): void {
    pin(this.fd, path, `program '${this.name}'`)
  }

  /** Keeps a map for as long as the program lives, although no instruction names it (5.10). */
  bind(map: BpfMap): void {
    mustCommand('BPF_PROG_BIND_MAP', 12, (attr) => {
      attr.u32(0, this.fd)
      attr.u32(4, map.fd)
    }, `map '${map.spec.name}' to program '${this.name}'`)
  }

  /**
   * What it printed by bpf_stream_vprintk, and what the kernel said of its faults ('stderr'), as far as nobody read it (6.17).
   */
  readStream(stream: 'stdout' | 'stderr'): string {
    return readStream(this.fd, stream, this.name)
  }

  /** The kernel keeps the program while a link holds it. */
  close(): void {
    this.#descriptor.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}
