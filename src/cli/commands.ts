import type { CommandSpec, OptionSpec } from './arguments.ts'
import { vmCommand } from './vm-command.ts'

const help: OptionSpec = { name: 'help', short: 'h', help: 'show this help' }
const noColor: OptionSpec = { name: 'no-color', help: 'no colours (also with NO_COLOR set)' }
const json: OptionSpec = { name: 'json', help: 'one JSON object a line on standard output' }
const interval: OptionSpec = { name: 'interval', value: 'SECONDS', help: 'time between two ticks (default 1)' }
const duration: OptionSpec = { name: 'duration', value: 'SECONDS', help: 'stop after this time' }
const count: OptionSpec = { name: 'count', value: 'N', help: 'stop after this many ticks' }

/** `skep` without a verb. */
export const agentCommand: CommandSpec = {
  name: '', summary: 'show what this machine does, in the terminal and on a page', arity: [0, 0],
  options: [
    { name: 'listen', value: 'ADDR:PORT', help: 'where the page is served (default 127.0.0.1:7070)' },
    { name: 'no-page', help: 'no page and no HTTP API' },
    json, interval, duration, count, noColor, help,
    { name: 'version', short: 'V', help: 'show the version' },
  ],
}

export const runCommand: CommandSpec = {
  name: 'run', summary: 'load and attach a probe module of yours', positional: '<file.ts>', arity: [1, 1],
  options: [
    { name: 'replay', value: 'FILE', help: 'play a recording instead of attaching: no root and no kernel needed' },
    { name: 'trace', help: 'with --replay: show each instruction that runs, under its line, with the registers' },
    json, interval, duration, count, noColor, help,
  ],
}

export const recordCommand: CommandSpec = {
  name: 'record', summary: 'store what probes see of the kernel in a file, for run --replay; the built-in ones without FILE', positional: '[<file.ts>]', arity: [0, 1],
  options: [
    { name: 'output', short: 'o', value: 'FILE', help: 'file to write, such as out.skeprec' },
    { name: 'pid', value: 'PID', help: 'only this process and its children' },
    { name: 'cgroup', value: 'PATH', help: 'only this cgroup and those below it' },
    { name: 'duration', value: 'SECONDS', help: 'stop after this time (default 10)' },
    { name: 'count', value: 'N', help: 'stop after this many events' },
    { name: 'size', value: 'BYTES', help: 'stop at this size (default 16MB)' },
    { name: 'keep-text', help: 'keep strings and network addresses, and without --pid or --cgroup names of processes' },
    help,
  ],
}

export const demoCommand: CommandSpec = {
  name: 'demo', summary: 'the agent and its pages on a recording that comes with skep: no root, no Linux', arity: [0, 0],
  options: agentCommand.options.filter(({ name }) => name !== 'version'),
}

/** Its options are bpftrace's own and are read there. */
export const traceCommand: CommandSpec = {
  name: 'trace', summary: 'run a program in the bpftrace language', positional: "'<program>' [parameters]", arity: [1, Number.MAX_SAFE_INTEGER],
  options: [
    { name: 'unsafe', help: 'allow functions that can change the system' },
    { name: 'format', short: 'f', value: 'FORMAT', help: 'text, or json: one object a line' },
    { name: 'output', short: 'o', value: 'FILE', help: 'where the script writes' },
    { name: 'cmd', short: 'c', value: 'COMMAND', help: 'run it and end with it' },
    { name: 'pid', short: 'p', value: 'PID', help: 'only what this process does' },
    help,
  ],
}

export const checkCommand: CommandSpec = {
  name: 'check', summary: 'compile and verify a probe module, and tell what it costs and needs; attaches nothing', positional: '<file.ts|file.bpf.o>', arity: [1, 1],
  options: [
    { name: 'print', value: 'STEP', help: 'print ast, ir (after each pass) or asm instead' },
    { name: 'against', value: 'FILES', help: 'hold it against the types of other kernels instead: BTF files or folders, separated by commas' },
    { name: 'log', help: 'show the whole log of the kernel\'s verifier for refused programs' },
    { ...json, help: 'one JSON object' }, noColor, help,
  ],
}

export const buildCommand: CommandSpec = {
  name: 'build', summary: 'write a probe module as a portable .bpf.o', positional: '<file.ts>', arity: [1, 1],
  options: [{ name: 'output', short: 'o', value: 'FILE', help: 'file to write (default NAME.bpf.o)' }, help],
}

export const typesCommand: CommandSpec = {
  name: 'types', summary: 'write vmlinux.d.ts, the types of this kernel', arity: [0, 0],
  options: [
    { name: 'btf', value: 'FILE', help: 'BTF to read (default /sys/kernel/btf/vmlinux)' },
    { name: 'output', short: 'o', value: 'FILE', help: 'file to write (default standard output)' },
    help,
  ],
}

export const listCommand: CommandSpec = {
  name: 'list', summary: 'list the built-in probes with their hooks and signals', arity: [0, 0], options: [json, noColor, help],
}

export const doctorCommand: CommandSpec = {
  name: 'doctor', summary: 'what this kernel allows, what it does not, and what helps', arity: [0, 0], options: [json, noColor, help],
}

export const verbs: readonly CommandSpec[] = [
  runCommand, traceCommand, checkCommand, buildCommand, typesCommand, listCommand, doctorCommand, recordCommand, demoCommand, vmCommand,
]
