import type { CommandSpec, OptionSpec } from './arguments.ts'
import { agentCommand, verbs } from './commands.ts'

function optionLines(options: readonly OptionSpec[]): string[] {
  const left = options.map(({ name, short, value }) =>
    `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`)
  const width = Math.max(...left.map((text) => text.length))
  return options.map((option, index) => `  ${left[index]!.padEnd(width)}  ${option.help}`)
}

/** `skep --help`. */
export function overview(): string {
  const names = verbs.map(({ name, positional }) => `skep ${name}${positional === undefined ? '' : ` ${positional}`}`)
  const width = Math.max(...names.map((name) => name.length))
  return [
    'skep makes the Linux kernel observable from TypeScript.', '',
    'Usage:',
    `  ${'skep'.padEnd(width)}  ${agentCommand.summary}`,
    ...verbs.map((verb, index) => `  ${names[index]!.padEnd(width)}  ${verb.summary}`), '',
    'Options:', ...optionLines(agentCommand.options), '',
    '`skep <command> --help` shows the options of a command.', '',
  ].join('\n')
}

/** `skep <verb> --help`. */
export function helpOf(command: CommandSpec): string {
  if (command === agentCommand) return overview()
  const { name, positional, summary, options } = command
  return [`skep ${name}: ${summary}`, '', `Usage: skep ${name}${positional === undefined ? '' : ` ${positional}`} [options]`, '',
    'Options:', ...optionLines(options), ''].join('\n')
}
