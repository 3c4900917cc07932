import { examine, type Examination, type Finding } from '../agent/examination.ts'
import type { ProbeState } from '../agent/snapshot.ts'
import type { Arguments } from './arguments.ts'
import { paint, span, wantsColor, type Line, type Style } from './paint.ts'
import { left } from './text.ts'

const nameColumns = 40

/** `skep doctor`: what this kernel allows and why not. Status 0: nothing is lost; 1: something is; 2: nothing works. */
export async function diagnose({ flags }: Arguments): Promise<number> {
  const found = await examine()
  const status = statusOf(found)
  if (flags.has('json')) {
    process.stdout.write(`${JSON.stringify({ ...found, status })}\n`)
    return status
  }
  const color = wantsColor(process.stdout.isTTY === true, process.env, flags.has('no-color'))
  process.stdout.write(`${report(found, status).map((line) => paint(line, Infinity, color)).join('\n')}\n`)
  return status
}

export function statusOf({ refusal, probes, machine, features }: Examination): 0 | 1 | 2 {
  if (refusal !== null || probes.every(({ state }) => state === 'off')) return 2
  const lost = [...machine, ...features].some(({ verdict }) => verdict === 'lost') || probes.some(({ state }) => state !== 'on')
  return lost ? 1 : 0
}

function report(found: Examination, status: number): Line[] {
  return [
    [span(`Linux ${found.kernel}`, 'bold'), span(` · ${found.distribution} · ${found.architecture}`)], [],
    [span('The machine', 'dim')], ...found.machine.flatMap(findingLines), [],
    ...section('What the kernel offers, tried with small programs', found.features.flatMap(findingLines)),
    ...section('Built-in probes, loaded and attached for a moment', found.probes.flatMap(probeLines)),
    [conclusion(found, status)],
  ]
}

/** Nothing at all when there is nothing to tell. */
function section(title: string, lines: Line[]): Line[] {
  return lines.length === 0 ? [] : [[span(title, 'dim')], ...lines, []]
}

function conclusion({ refusal, probes }: Examination, status: number) {
  if (status === 0) return span('Everything works here.', 'green')
  if (refusal !== null) return span(`Nothing works here: ${refusal}`, 'red')
  const on = probes.filter(({ state }) => state === 'on').length
  return span(`${on} of ${probes.length} probes work in full.`, status === 2 ? 'red' : 'yellow')
}

const styles: Record<Finding['verdict'], Style> = { good: 'green', note: 'plain', lost: 'red' }
const marks: Record<Finding['verdict'], string> = { good: '+', note: ' ', lost: '-' }

function findingLines({ name, verdict, value, remedy }: Finding): Line[] {
  return [[span(` ${marks[verdict]} `, styles[verdict]), span(left(name, nameColumns)), span(value, verdict === 'lost' ? 'red' : 'plain')],
    ...(remedy === null ? [] : [[span(`   ${left('', nameColumns)}${remedy}`, 'dim')]])]
}

function probeLines({ name, state, hooks, reason, remedy }: ProbeState): Line[] {
  const style: Style = state === 'on' ? 'green' : state === 'off' ? 'red' : 'yellow'
  return [[span(` ${state === 'on' ? '+' : '-'} `, style), span(left(name, 12)), span(hooks.join(', ') || 'off')],
    ...[reason, remedy].filter((text) => text !== null).map((text): Line => [span(`   ${left('', 12)}${text}`, style)])]
}
