import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { KernelFiles } from './packages.ts'

export interface GuestRun {
  /** Lines that the checks wrote. */
  results: string[]
  /** Everything on the console. */
  console: string
  /** Warnings, oopses and splats of the kernel. */
  splats: string[]
  /** Why the run did not end by itself; null when it did. */
  failure: string | null
  seconds: number
}

/** What a kernel prints when something is wrong with it. */
const splat = /\b(WARNING: |BUG: |Oops: |Kernel panic|general protection fault|INFO: rcu.*stall|possible recursive locking|unreferenced object)/

/**
 * Boots a kernel with a first root under QEMU and waits until it powers off. KVM is not used: it fails on many
 * machines that are virtual themselves. @throws Error when QEMU is missing
 */
export async function bootGuest(kernel: KernelFiles, root: Uint8Array, folder: string, limitSeconds: number): Promise<GuestRun> {
  const [image, results, disk] = ['initramfs', 'results', 'disk'].map((name) => join(folder, name)) as [string, string, string]
  writeFileSync(image, root)
  writeFileSync(results, '')
  writeFileSync(disk, new Uint8Array(16 * 1024 * 1024))
  const started = performance.now()
  const child = spawn('qemu-system-x86_64', [
    '-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', '1536', '-no-reboot', '-nodefaults', '-display', 'none', '-nic', 'none',
    '-kernel', kernel.image, '-initrd', image, '-append', 'console=ttyS0 panic=-1 quiet loglevel=4 lsm=landlock,bpf mitigations=off',
    '-serial', 'stdio', '-serial', `file:${results}`,
    '-drive', `if=none,id=disk,format=raw,file=${disk}`, '-device', 'virtio-blk-pci,drive=disk',
  ], { stdio: ['ignore', 'pipe', 'pipe'] })
  const end = () => { child.kill('SIGKILL') }
  process.once('exit', end)
  let output = ''
  let failure: string | null = null
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { output += text })
  const timer = setTimeout(() => {
    failure = `it did not end within ${limitSeconds} seconds`
    end()
  }, limitSeconds * 1000)
  try {
    const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.once('error', (error) => reject((error as NodeJS.ErrnoException).code === 'ENOENT'
        ? new Error('qemu-system-x86_64 is missing: apt-get install qemu-system-x86', { cause: error }) : error))
      child.once('close', (status, by) => resolve([status, by]))
    })
    failure ??= code === 0 ? null : `QEMU ended with ${signal ?? `status ${code}`}: ${output.trim().split('\n').at(-1)}`
  } finally {
    clearTimeout(timer)
    process.removeListener('exit', end)
  }
  const lines = output.split(/\r?\n/)
  return {
    results: readFileSync(results, 'utf8').split(/\r?\n/).filter((line) => line !== ''), console: output,
    splats: lines.filter((line) => splat.test(line)), failure, seconds: (performance.now() - started) / 1000,
  }
}
