import type { CommandSpec } from './arguments.ts'

export const vmCommand: CommandSpec = {
  name: 'vm', summary: 'run eBPF byte code in process: a plug-in for the bpf_conformance suite', positional: '[<memory as hex>]', arity: [0, 1],
  options: [
    { name: 'conformance', help: 'read byte code as hex from standard input, print r0 in hex' },
    { name: 'elf', help: 'the input is an ELF object, as hex' },
    { name: 'program', value: 'HEX', help: 'the byte code, instead of standard input' },
    { name: 'compiled', help: 'run it as JavaScript instead of interpreting it' },
    { name: 'help', short: 'h', help: 'show this help' },
  ],
}
