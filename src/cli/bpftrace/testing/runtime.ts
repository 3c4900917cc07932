import { spawn, spawnSync, type ChildProcess } from 'node:child_process'

/** A test of bpftrace's own suite, as its public data give it. Every directive may stand more than once. */
export interface RuntimeTest { suite: string; name: string; hooks: string[]; test: Partial<Record<string, string[]>> }

export type Outcome = { status: 'passed' } | { status: 'skipped'; why: string } | { status: 'failed'; why: string; output: string }

export interface Bench { /** The executable, as a word of a shell. */ bpftrace: string; /** Where `./testprogs` lies. */ folder: string; features: ReadonlySet<string> }

const notice = '__BPFTRACE_NOTIFY_PROBES_ATTACHED'
const beforeMs = 150
const secondsMore = 2

/** Runs one test: its command, what it wants before and after the probes are attached, and what it expects. */
export async function runTest({ test }: RuntimeTest, bench: Bench): Promise<Outcome> {
  const skipped = whySkipped(test, bench)
  if (skipped !== null) return { status: 'skipped', why: skipped }
  const cwd = bench.folder
  for (const command of test.SETUP ?? []) spawnSync('/bin/bash', ['-c', command], { cwd })
  const others: ChildProcess[] = []
  const start = (command: string) => {
    const child = spawn('/bin/bash', ['-c', command], { cwd, stdio: 'ignore', detached: true })
    others.push(child)
    return child
  }
  try {
    const before = (test.BEFORE ?? []).map((command) => start(`exec ${command}`))
    if (before.length > 0) await new Promise((resolve) => setTimeout(resolve, beforeMs))
    const { output, code, late } = await runCommand(
      test, bench, before[0]?.pid, () => { for (const command of test.AFTER ?? []) start(command) },
    )
    const problems = judge(test, output)
    if (test.RETURN_CODE !== undefined) {
      if (code !== Number(test.RETURN_CODE[0])) problems.push(`status ${code}`)
    } else if (test.WILL_FAIL !== undefined ? code === 0 : code !== 0 && !late) problems.push(`status ${code}`)
    return problems.length === 0 ? { status: 'passed' } : { status: 'failed', why: problems.join('; '), output }
  } finally {
    for (const child of others) stop(child, 'SIGKILL')
    for (const command of test.CLEANUP ?? []) spawnSync('/bin/bash', ['-c', command], { cwd })
  }
}

function whySkipped(test: RuntimeTest['test'], { features, folder }: Bench): string | null {
  const text = `${test.PROG?.join('\n') ?? ''}${test.RUN?.join('\n') ?? ''}`
  if (text.includes('runtime/scripts/')) return 'needs a script that is not among the data'
  if (test.EXPECT_FILE !== undefined || test.EXPECT_JSON !== undefined) return 'needs an output file that is not among the data'
  for (const arch of test.ARCH ?? []) {
    const names = arch.split('|')
    if (names.every((name) => name.startsWith('!')) ? names.includes('!x86_64') : !names.includes('x86_64') && !names.includes('le')) {
      return `only for ${arch}`
    }
  }
  for (const feature of (test.REQUIRES_FEATURE ?? []).flatMap((line) => line.split(/\s+/))) if (!features.has(feature)) return `needs ${feature}`
  for (const command of test.REQUIRES ?? []) if (spawnSync(
    '/bin/bash', ['-c', command], { cwd: folder },
  ).status !== 0) return `needs: ${command}`
  return null
}

interface Ran { output: string; code: number | null; late: boolean }

function runCommand(test: RuntimeTest['test'], { bpftrace, folder }: Bench, beforePid: number | undefined, attached: () => void): Promise<Ran> {
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
  const command = test.PROG === undefined
    ? test.RUN!.join('\n').replaceAll('{{BPFTRACE}}', bpftrace).replaceAll('{{BEFORE_PID}}', String(beforePid))
    : `exec ${bpftrace} -e ${quoted(test.PROG.join('\n'))}`
  const env: NodeJS.ProcessEnv = { ...process.env, [notice]: '1' }
  for (const pair of (test.ENV ?? []).flatMap((line) => line.split(/\s+/))) env[pair.slice(0, pair.indexOf('='))] = pair.slice(pair.indexOf('=') + 1)
  return new Promise((resolve) => {
    const child = spawn('/bin/bash', ['-c', command], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    let output = ''
    let told = false
    let late = false
    const take = (part: Buffer) => {
      output += part.toString()
      if (told || !output.includes(notice)) return
      told = true
      attached()
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    const timer = setTimeout(() => {
      late = true
      stop(child, 'SIGTERM')
      setTimeout(() => stop(child, 'SIGKILL'), 1000).unref()
    }, (Number(test.TIMEOUT?.[0] ?? 5) + secondsMore) * 1000)
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ output: output.replaceAll(`${notice}\n`, ''), code, late })
    })
  })
}

/** A process and its children, which are a group of their own. */
function stop(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal)
  } catch {
    // It has ended already.
  }
}

function judge(test: RuntimeTest['test'], output: string): string[] {
  const line = (text: string) => new RegExp(`^\\s*${text.trim().replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}\\s*$`, 'm').test(output)
  return [
    ...(test.EXPECT ?? []).filter((text) => !line(text)).map((text) => `no line: ${text}`),
    ...(test.EXPECT_NONE ?? []).filter(line).map((text) => `a line: ${text}`),
    ...(test.EXPECT_REGEX ?? []).filter((text) => !pattern(text).test(output)).map((text) => `no match: ${text}`),
    ...(test.EXPECT_REGEX_NONE ?? []).filter((text) => pattern(text).test(output)).map((text) => `a match: ${text}`),
  ]
}

/** A regular expression of Python: braces may stand for themselves, and groups may have flags. */
function pattern(text: string): RegExp {
  const plain = text.replace(/\(\?s:(.*?)\)/g, (_, inside: string) => `(?:${inside.replaceAll('.', '[\\s\\S]')})`)
  return new RegExp(plain.replace(/(?<!\\)\{(?!\d)/g, '\\{').replace(/(?<![\d,\\])\}/g, '\\}'), 'm')
}
