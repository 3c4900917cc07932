import type { KernelFunction } from '../capture/kernel-function.ts'
import { recordOf } from '../capture/kernel-function.ts'
import { CompileError } from '../errors.ts'
import type { IrFunction } from '../ir/ir.ts'
import type { ProgramDeclaration } from '../language/programs.ts'
import { suggest } from '../nearest.ts'
import type { Span } from '../span.ts'
import { convert } from './arithmetic.ts'
import { expression } from './expression.ts'
import { Scope, Lowering, type CompileContext, type Frame } from './lowering.ts'
import { host, int, pointerTo, U64, type Operand } from './operand.ts'
import { statements } from './statement.ts'
import { parseFormat } from './tracepoint-format.ts'

/** Lowers one program: its arguments from the hook's BTF prototype, then its body. */
export function lowerProgram(name: string, declaration: ProgramDeclaration, context: CompileContext): IrFunction {
  const fn = recordOf(declaration.fn)
  if (fn === undefined) {
    throw new TypeError(`program '${name}': its function has not been captured; make 'use bpf' its first statement and load the module through 'node --import skep/register' or the bundler plugin`)
  }
  const l = new Lowering(name, context)
  const frame: Frame = { fn, scope: new Scope(null), site: null, targets: [], exit: null }
  l.frames.push(frame)
  if (!l.attempt(() => bindArguments(l, fn, declaration))) return l.ir
  const whole: Span = { fn, start: fn.ast.body.start, end: fn.ast.body.end }
  if (fn.ast.body.type === 'BlockStatement') statements(l, fn.ast.body.body)
  else l.attempt(() => void expression(l, fn.ast.body))
  if (l.block !== null) {
    const last: Span = { fn, start: Math.max(whole.start, whole.end - 1), end: whole.end }
    l.finish(l.constant(0, last), last)
  }
  return l.ir
}

function bindArguments(l: Lowering, fn: KernelFunction, declaration: ProgramDeclaration): void {
  const head: Span = { fn, start: fn.ast.start, end: Math.min(fn.ast.end, fn.ast.start + 1) }
  if (declaration.attach.kind === 'tracepoint') return bindRecord(l, fn, declaration.attach, head)
  const types = argumentTypes(l, declaration, head)
  const params = fn.ast.params as { type: string; name?: string; optional?: boolean; start: number; end: number }[]
  const extra = params.slice(types.length).find((param) => param.optional !== true)
  if (extra !== undefined) {
    throw new CompileError('SKEP-C07', `${declaration.attach.kind} '${declaration.attach.name}' has ${types.length} argument${types.length === 1 ? '' : 's'} on this kernel, not ${params.length}`, 'leave the others out, or mark those that only other kernels have as optional: (a, b?)', { fn, start: extra.start, end: extra.end })
  }
  const context = l.value(pointerTo('context'), 'ctx')
  l.emit({ op: 'context', out: context, span: head })
  params.forEach((param, index) => {
    const span: Span = { fn, start: param.start, end: param.end }
    if (param.type !== 'Identifier') throw new CompileError('SKEP-C01', 'an argument of the hook must be a plain name', 'name it and read its fields', span)
    // An argument of other kernels: undefined here, so that what depends on it folds away.
    const operand = index >= types.length ? host(undefined) : argument(l, declaration, types[index]!, context, index, param.name!, span)
    l.frame.scope.names.set(param.name!, { kind: 'constant', operand })
  })
}

/** The context of a tracepoint is the record that it prints. */
function bindRecord(l: Lowering, fn: KernelFunction, { category, name }: { category: string; name: string }, head: Span): void {
  const [param, extra] = fn.ast.params as { type: string; name?: string; start: number; end: number }[]
  if (extra !== undefined) throw new CompileError('SKEP-C07', `a tracepoint has 1 argument, its record, not ${fn.ast.params.length}`, 'read the fields of the record', { fn, start: extra.start, end: extra.end })
  const text = l.context.tracepointFormat?.(category, name)
  if (text === undefined) {
    throw new CompileError('SKEP-C06', `this kernel has no tracepoint '${category}/${name}'`, `see the list under /sys/kernel/tracing/events/${category}`, head)
  }
  const context = l.value(pointerTo('context'), 'record')
  l.emit({ op: 'context', out: context, span: head })
  if (param === undefined) return
  if (param.type !== 'Identifier') throw new CompileError('SKEP-C01', 'an argument of the hook must be a plain name', 'name it and read its fields', { fn, start: param.start, end: param.end })
  const place: Operand = { kind: 'place', base: context, offset: 0, type: { from: 'schema', schema: parseFormat(name, text) }, path: null }
  l.frame.scope.names.set(param.name!, { kind: 'constant', operand: place })
}

/** Each argument is a 64-bit word of the context; the compiler drops those that are not used. */
function argument(l: Lowering, declaration: ProgramDeclaration, type: number, context: { id: number; type: any }, index: number, name: string, span: Span): Operand {
  const kernel = l.btf.type(l.btf.resolve(type))
  if (kernel.kind === 'ptr') {
    const target = l.btf.resolve(kernel.type)
    const kind = l.btf.kindOf(target)
    const typed = declaration.attach.kind === 'tp_btf' && (kind === 'struct' || kind === 'union')
    const value = l.value(pointerTo(typed ? 'btf' : 'kernel'), name)
    l.emit({ op: 'load', out: value, pointer: context, offset: index * 8, size: 8, signed: false, span })
    return { kind: 'pointer', value, pointee: target === 0 ? null : { from: 'btf', id: target } }
  }
  const bytes = l.btf.sizeOf(l.btf.resolve(type)) as 1 | 2 | 4 | 8
  const signed = 'signed' in kernel ? kernel.signed : false
  const word = l.value(U64, name)
  l.emit({ op: 'load', out: word, pointer: context, offset: index * 8, size: 8, signed: false, span })
  return convert(l, { kind: 'scalar', value: word, type: U64 }, int((bytes * 8) as 8, signed), span)
}

/** Types of the arguments of a tracepoint: `btf_trace_NAME` is a pointer to the prototype, whose first parameter is the kernel's own. */
function argumentTypes(l: Lowering, declaration: ProgramDeclaration, span: Span): number[] {
  const { name } = declaration.attach
  const typedef = l.btf.find(`btf_trace_${name}`, 'typedef')
  if (typedef === 0) {
    throw new CompileError('SKEP-C06', `this kernel has no tracepoint '${name}'`, suggest(name, tracepoints(l), 'see the list under /sys/kernel/tracing/events'), span)
  }
  const pointer = l.btf.type(l.btf.resolve(typedef))
  const proto = pointer.kind === 'ptr' ? l.btf.type(l.btf.resolve(pointer.type)) : null
  if (proto === null || proto.kind !== 'funcProto') throw new Error(`btf_trace_${name} is no function type`)
  return proto.params.slice(1).map((param) => param.type)
}

/** Names of all tracepoints: a walk through all types, for an error only. */
function tracepoints(l: Lowering): string[] {
  const prefix = 'btf_trace_'
  const names: string[] = []
  for (let id = 1; id < l.btf.typeCount; id++) {
    if (l.btf.kindOf(id) !== 'typedef') continue
    const name = l.btf.nameOf(id)
    if (name.startsWith(prefix)) names.push(name.slice(prefix.length))
  }
  return names
}
