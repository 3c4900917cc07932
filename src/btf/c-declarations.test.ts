import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { clang } from '../spec/elf/testing/toolchain.ts'
import { Btf, BtfError } from './btf.ts'
import { BtfBuilder } from './builder.ts'
import { cDeclarations } from './c-declarations.ts'

const VMLINUX = '/sys/kernel/btf/vmlinux'

/** What clang says of C text; '' when it takes it. */
function compiled(text: string): string {
  try {
    execFileSync(clang!, ['-target', 'bpf', '-fsyntax-only', '-ferror-limit=30', '-Wno-everything', '-x', 'c', '-'],
      { input: text, stdio: 'pipe' })
    return ''
  } catch (error) {
    return String((error as { stderr?: Buffer }).stderr ?? error)
  }
}

/** C that fails to compile unless sizes and offsets are those of the BTF. */
function assertions(btf: Btf, names: string[]): string {
  return names.map((name) => {
    const id = btf.find(name, 'struct', 'union')
    const type = btf.type(id)
    if (type.kind !== 'struct' && type.kind !== 'union') return ''
    const offsets = type.members.filter(({ name: member, bitSize }) => member !== '' && bitSize === 0)
      .map((member) => {
        const offset = `__builtin_offsetof(${type.kind} ${name}, ${member.name})`
        return `_Static_assert(${offset} == ${member.bitOffset / 8}, "${name}.${member.name}");`
      })
    return `_Static_assert(sizeof(${type.kind} ${name}) == ${type.size}, "${name}");\n${offsets.join('\n')}`
  }).join('\n')
}

describe('C declarations', () => {
  test('read as one would write them', () => {
    const b = new BtfBuilder()
    const int = b.int('int', 4, { signed: true })
    const node = b.declareStruct('node', 32)
    const call = b.ptr(b.funcProto(int, [{ name: 'node', type: b.ptr(node) }, { name: '', type: b.ptr(b.const(int)) },
      { name: '', type: 0 }]))
    b.completeStruct(node, [
      { name: 'next', type: b.ptr(node), bitOffset: 0 }, { name: 'call', type: b.typedef('call_t', call), bitOffset: 64 },
      { name: 'low', type: int, bitOffset: 128, bitSize: 3 }, { name: 'table', type: b.array(b.ptr(int), int, 1),
        bitOffset: 192 },
    ])
    b.enum('color', 4, true, [{ name: 'RED', value: -1n }])
    const text = cDeclarations(Btf.parse(b.build()), { header: '/* nodes */' })
    expect(text.split('\n').slice(5, -4).filter((line) => line !== '')).toEqual([
      'struct node;', 'typedef int (*call_t)(struct node *node, const int *, ...);',
      'struct node {', '\tstruct node *next;', '\tcall_t call;', '\tint low : 3;', '\tint *table[1];', '};',
      'enum color {', '\tRED = -1,', '};',
    ])
    expect(text.startsWith('/* nodes */\n')).toBe(true)
  })

  test('hostile types end: those without names that hold each other 2^60 times', () => {
    const b = new BtfBuilder()
    let inner = b.struct('', 4, [{ name: 'x', type: b.int('int', 4), bitOffset: 0 }])
    const twin = () => b.struct('', 4, [{ name: '', type: inner, bitOffset: 0 }, { name: '', type: inner, bitOffset: 0 }])
    for (let level = 0; level < 60; level++) inner = twin()
    b.struct('deep', 4, [{ name: '', type: inner, bitOffset: 0 }])
    expect(() => cDeclarations(Btf.parse(b.build()))).toThrow(BtfError)
  })

  const kernel = clang !== undefined && existsSync(VMLINUX)
  test.runIf(kernel)('of the whole kernel compile, and every size and offset is right (features: clang, BTF)', () => {
    const btf = Btf.parse(readFileSync(VMLINUX))
    const text = cDeclarations(btf)
    const names: string[] = []
    for (let id = 1; id < btf.typeCount; id++) {
      const kind = btf.kindOf(id)
      const name = btf.nameOf(id)
      if ((kind === 'struct' || kind === 'union') && name !== '' && btf.findAll(name, 'struct', 'union', 'fwd',
        'enum').length === 1) names.push(name)
    }
    expect(names.length).toBeGreaterThan(3000)
    // It holds a va_list, which compilers for BPF have in another size.
    const portable = names.filter((name) => name !== 'warn_args')
    expect(compiled(`${text}\n${assertions(btf, portable)}`)).toBe('')
  }, 120_000)

  test.runIf(kernel)('of one type bring what it needs (features: clang, BTF)', () => {
    const btf = Btf.parse(readFileSync(VMLINUX))
    const text = cDeclarations(btf, { types: ['task_struct'] })
    expect(compiled(`${text}\n${assertions(btf, ['task_struct', 'list_head'])}`)).toBe('')
    expect(text.length).toBeLessThan(1_000_000)
  })
})
