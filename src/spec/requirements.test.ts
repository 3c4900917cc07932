import { describe, expect, test } from 'vitest'
import { encode } from '../asm/encode.ts'
import { helperNumberOf } from '../asm/helper-names.ts'
import { helperSince } from '../asm/helper-since.ts'
import type { Instruction } from '../asm/instruction.ts'
import { compareReleases, firstKernel, requirementsOf } from './requirements.ts'
import type { Spec } from './spec.ts'

const at = (code: number, fields: Partial<Instruction> = {}): Instruction => ({ code, dst: 0, src: 0, off: 0, imm: 0, ...fields })
const exit = at(0x95)

function spec(instructions: Instruction[], maps: Spec['maps'] = []): Spec {
  return {
    name: 'one', license: 'GPL', maps, btf: null,
    programs: [{
      name: 'p', type: 'raw_tracepoint', attach: { kind: 'raw_tp', name: 'sys_enter' }, code: encode(instructions),
      maps: [], relocations: [], functions: [], lines: [],
    }],
  }
}

/** A release as the history of linux/bpf.h has it, one at each border and some in between. */
test.each([
  ['map_lookup_elem', '3.19'], ['probe_read', '4.1'], ['get_current_pid_tgid', '4.2'], ['get_stackid', '4.6'], ['get_current_task', '4.8'],
  ['probe_read_str', '4.11'], ['override_return', '4.16'], ['get_current_cgroup_id', '4.18'], ['map_push_elem', '4.20'], ['spin_lock', '5.1'],
  ['send_signal', '5.3'], ['probe_read_kernel', '5.5'], ['ringbuf_output', '5.8'], ['d_path', '5.10'], ['get_current_task_btf', '5.11'],
  ['for_each_map_elem', '5.13'], ['get_attach_cookie', '5.15'], ['loop', '5.17'], ['kptr_xchg', '5.19'], ['user_ringbuf_drain', '6.1'], ['cgrp_storage_get', '6.2'],
])('bpf_%s came with %s', (name, since) => {
  expect(helperSince(helperNumberOf(name)!)).toBe(since)
})

describe('what a Spec needs', () => {
  test('hooks, maps, helpers and instructions, newest first, each with its first slot', () => {
    const lddw = at(0x18, { imm64: 1n })
    const map = { name: 'r', type: 'ringbuf', keySize: 0, valueSize: 0, maxEntries: 4096, flags: 0 } as const
    const needs = requirementsOf(spec([lddw, at(0x85, { imm: 158 }), at(0x56, { off: 0 }), at(0x85, { imm: 158 }), exit], [map]))
    expect(needs).toEqual([
      { kind: 'helper', name: 'bpf_get_current_task_btf', since: '5.11', program: 'p', slot: 2 },
      { kind: 'map', name: 'ringbuf', since: '5.8', program: null, slot: null },
      { kind: 'instruction', name: 'jmp32', since: '5.1', program: 'p', slot: 3 },
      { kind: 'hook', name: 'raw_tp', since: '4.17', program: 'p', slot: null },
    ])
    expect(firstKernel(needs)).toBe('5.11')
  })

  test.each<[string, Instruction, string]>([
    ['may_goto', at(0xe5), '6.9'], ['gotol', at(0x06), '6.6'], ['bswap', at(0xd7, { imm: 16 }), '6.6'], ['movsx', at(0xbf, { off: 8 }), '6.6'],
    ['sdiv, smod', at(0x3f, { off: 1 }), '6.6'], ['sign-extending loads', at(0x91), '6.6'], ['load-acquire, store-release', at(0xdb, { imm: 0x100 }), '6.15'],
    ['atomic operations other than add', at(0xdb, { imm: 0x01 }), '5.12'], ['jlt, jle, jslt, jsle', at(0xa5), '4.14'],
    ['calls between BPF functions', at(0x85, { src: 1 }), '4.16'], ['kfunc calls', at(0x85, { src: 2 }), '5.13'],
  ])('%s', (name, instruction, since) => {
    expect(requirementsOf(spec([instruction, exit]))).toContainEqual({ kind: 'instruction', name, since, program: 'p', slot: 0 })
  })

  test.each([at(0xb7), at(0xdc, { imm: 16 }), at(0xdb), at(0x15), at(0x79), at(0x3f)])('base instruction %#: nothing but its hook', (instruction) => {
    expect(requirementsOf(spec([instruction, exit])).map(({ kind }) => kind)).toEqual(['hook'])
  })

  test('releases compare as numbers', () => {
    expect(['6.12', '5.8', '6.2', '5.10'].toSorted(compareReleases)).toEqual(['5.8', '5.10', '6.2', '6.12'])
  })
})
