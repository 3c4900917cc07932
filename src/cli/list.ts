import { hookName } from '../agent/loaded-probe.ts'
import { catalogue } from '../probes/catalogue.ts'
import type { Signal } from '../signals/signal.ts'
import type { Arguments } from './arguments.ts'
import { paint, span, wantsColor, type Line } from './paint.ts'
import { hooksOf, labelNames, signalsOf } from './signals.ts'

/** `skep list`: what the built-in probes observe; needs no kernel and no privileges. */
export function listProbes({ flags }: Arguments): number {
  const probes = Object.values(catalogue).map((module) => ({
    ...module.probe, hooks: hooksOf(module, hookName), signals: signalsOf(module).map(describe),
  }))
  if (flags.has('json')) {
    for (const probe of probes) process.stdout.write(`${JSON.stringify(probe)}\n`)
    return 0
  }
  const color = wantsColor(process.stdout.isTTY === true, process.env, flags.has('no-color'))
  const lines = probes.flatMap(({ name, title, hooks, signals }): Line[] => [
    [span(name, 'bold'), span(`  ${title}`)],
    ...hooks.map((hook) => [span('  hook    ', 'dim'), span(hook)]),
    ...signals.map((signal) => [span('  signal  ', 'dim'), span(`${signal.name}  ${signal.kind}${signal.unit === '' ? '' : `, ${signal.unit}`}`),
      span(signal.by.length === 0 ? '' : `, by ${signal.by.join(', ')}`, 'dim'), span(`  ${signal.description}`)]),
    [],
  ])
  process.stdout.write(`${lines.slice(0, -1).map((line) => paint(line, Infinity, color)).join('\n')}\n`)
  return 0
}

function describe(signal: Signal) {
  const unit = signal.kind === 'counterGroup' ? Object.entries(signal.counters).map(([name, of]) => `${name} ${of}`).join(', ') : signal.unit
  const by = signal.kind === 'event' ? [] : labelNames(signal)
  const fields = signal.kind === 'event' ? labelNames(signal) : []
  return { name: signal.name, kind: signal.kind, unit, by, fields, description: signal.description }
}
