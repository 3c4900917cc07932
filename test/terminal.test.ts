import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Cgroup, cgroupMount, type Generator } from './generator.ts'
import { buildProduct, skep } from './product.ts'
import { until } from './until.ts'

// Long for the sake of busy machines only.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const hasTmux = spawnSync('tmux', ['-V']).status === 0
const server = `skep-test-${process.pid}`

/** A command of a tmux server that is ours alone. */
function tmux(...args: string[]): string {
  return execFileSync('tmux', ['-L', server, '-f', '/dev/null', ...args], { encoding: 'utf8' })
}

const screen = () => tmux('capture-pane', '-p', '-t', 'skep')
const type = (...keys: string[]) => tmux('send-keys', '-t', 'skep', ...keys)

/** Waits for the text and gives the screen that has it. */
const shows = (text: string | RegExp) => until(`screen with ${String(text)}; it is:\n${screen()}`, () => {
  const now = screen()
  return (typeof text === 'string' ? now.includes(text) : text.test(now)) && now
}, 60_000, 100)

/** How the terminal is set, and whether its cursor is shown. */
function settings(): { tty: string; cursor: string } {
  const [path, cursor] = tmux('display-message', '-p', '-t', 'skep', '#{pane_tty} #{cursor_flag}').trim().split(' ')
  return { tty: execFileSync('stty', ['-a', '-F', path!], { encoding: 'utf8' }).split('\n').slice(1).join('\n'), cursor: cursor! }
}

/** The agent that the terminal's shell runs. */
function agentPid(): number {
  const shell = tmux('display-message', '-p', '-t', 'skep', '#{pane_pid}').trim()
  const child = readdirSync('/proc').find((pid) => /^\d+$/.test(pid) && parentOf(pid) === shell)
  if (child === undefined) throw new Error('the shell runs nothing')
  return Number(child)
}

function parentOf(pid: string): string | null {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[1]!
  } catch {
    return null
  }
}

describe.skipIf(!hasTmux || cgroupMount === null)('the live table in a terminal (needs root, a cgroup v2 hierarchy and tmux)', () => {
  let cgroup: Cgroup
  let load: Generator
  beforeAll(async () => {
    await buildProduct()
    cgroup = new Cgroup('terminal')
    load = cgroup.perl(`hurry(); say('up'); for (;;) { burn(0.03); sysopen(my $f, '/none', 0) for 1..100; select(undef, undef, undef, 0.05) }`)
    await load.line()
    tmux('new-session', '-d', '-s', 'skep', '-x', '130', '-y', '40', 'PS1="$ " bash --norc --noprofile')
  })
  afterAll(async () => {
    if (hasTmux) spawnSync('tmux', ['-L', server, 'kill-server'])
    await load?.stop('SIGKILL')
    await cgroup?.remove()
  })

  /** Starts the agent on a clean screen; when it ends, its status is shown. */
  function start(...node: string[]): void {
    const words = [process.execPath, ...node, skep, '--listen', '127.0.0.1:0', '--interval', '250ms'].map((word) => `'${word}'`).join(' ')
    type(`clear; ${words}; echo ended with $?`, 'Enter')
  }

  test('shows rows, answers keys, survives Ctrl-Z and a new size, and gives the terminal back', async () => {
    // The shell's own line editor is off while a command runs: that is how the terminal was given.
    type('sleep 1000', 'Enter')
    await until('cooked terminal', () => / icanon/.test(settings().tty))
    const cooked = settings()
    type('C-c')
    start()
    const row = new RegExp(`^${cgroup.name} +cgroup +[1-9]\\d*%`, 'm')
    const first = await shows(row)
    expect(first).toMatch(/^skep .* · Linux .* · up .* · http:\/\/127\.0\.0\.1:\d+\/$/m)
    expect(first).toMatch(/^WORKLOAD +KIND +CPU +WAIT p50 +p99 +CALLS\/s +ERRS\/s +SWITCH\/s +STARTS\/s +TCP\/s/m)
    expect(first).toMatch(/^calls .*errors\/s.*ENOENT/m)
    expect(first).toContain('q quit · s sort: cpu · ? help')
    expect(settings()).toMatchObject({ tty: expect.stringContaining('-icanon'), cursor: '0' })

    type('s')
    await shows('sort: latency')
    type('?')
    await shows('from runnable to running')
    type('?')
    await shows('q quit · s sort: latency · ? help')
    for (let index = 0; index < 6; index++) type('s')
    await shows('sort: cpu')

    tmux('resize-window', '-t', 'skep', '-x', '80', '-y', '20')
    const small = await until('small table', () => {
      const lines = screen().trimEnd().split('\n')
      return lines.length <= 20 && lines[0]!.startsWith('skep ') && lines.at(-1)!.startsWith('q quit') && lines
    })
    expect(small.filter((line) => line.startsWith('WORKLOAD'))).toHaveLength(1)
    tmux('resize-window', '-t', 'skep', '-x', '130', '-y', '40')
    await shows('q quit')

    type('C-z')
    await shows('Stopped')
    expect(settings().cursor).toBe('1')
    type('clear; fg; echo ended with $?', 'Enter')
    await shows(row)
    expect(settings()).toMatchObject({ tty: expect.stringContaining('-icanon'), cursor: '0' })

    type('q')
    // The last picture stays above the prompt.
    expect(await shows('ended with 0')).toMatch(new RegExp(`^WORKLOAD [^]*^${cgroup.name} +cgroup`, 'm'))
    type('sleep 1000', 'Enter')
    await until('cooked terminal', () => / icanon/.test(settings().tty))
    expect(settings()).toEqual(cooked)
    type('C-c')
  })

  test.each(['SIGTERM', 'SIGHUP', 'Ctrl-C', 'a crash'])('%s gives the terminal back', async (how) => {
    start('--import', 'data:text/javascript,process.on("SIGUSR2", () => { throw new Error("provoked") })')
    await shows('WORKLOAD')
    if (how === 'Ctrl-C') type('C-c')
    else process.kill(agentPid(), how === 'a crash' ? 'SIGUSR2' : how)
    const last = await shows(how === 'a crash' ? 'ended with 1' : 'ended with 0')
    expect(last.includes('skep: internal error, please report it: Error: provoked')).toBe(how === 'a crash')
    type('sleep 1000', 'Enter')
    await until('cooked terminal', () => / icanon .* echo /s.test(settings().tty) && settings().cursor === '1')
    type('C-c')
  })
})
