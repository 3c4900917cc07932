import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { directory } from './places.ts'

/** A program of ours, in C, that calls its functions as often as it is told: what uprobes and static probes are tried on. */
const text = String.raw`
#include <stdio.h>
#include <stdlib.h>
#define PROBE(name, semaphore, places, ...) __asm__ volatile ( \
  "990: nop\n .pushsection .note.stapsdt,\"\",\"note\"\n .balign 4\n .4byte 992f-991f, 994f-993f, 3\n" \
  "991: .asciz \"stapsdt\"\n 992: .balign 4\n 993: .8byte 990b\n .8byte _.stapsdt.base\n .8byte " semaphore "\n" \
  " .asciz \"skep\"\n .asciz \"" name "\"\n .asciz \"" places "\"\n 994: .balign 4\n .popsection\n" \
  " .ifndef _.stapsdt.base\n .pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n .weak _.stapsdt.base\n" \
  " .hidden _.stapsdt.base\n _.stapsdt.base: .space 1\n .size _.stapsdt.base,1\n .popsection\n .endif\n" :: __VA_ARGS__)
volatile unsigned short skep_quiet_semaphore __attribute__((section(".probes"), used));
__attribute__((noinline)) long work_one(long a, long b) { __asm__ volatile ("" ::: "memory"); return a * 10 + b; }
__attribute__((noinline)) long work_two(long a) { __asm__ volatile ("" ::: "memory"); return a + 1; }
__attribute__((noinline)) void probes(int i, unsigned long *memory) {
  PROBE("loud", "0", "-4@%0 8@%1 1@%2 8@%3", "r"(-i), "m"(memory[1]), "i"(7), "r"((unsigned long)i << 40));
  if (skep_quiet_semaphore) PROBE("quiet", "skep_quiet_semaphore", "4@%0", "r"(i));
}
int main(void) {
  char line[64];
  setvbuf(stdout, 0, _IONBF, 0);
  unsigned long memory[2] = { 0, 1234567890123ul };
  while (fgets(line, sizeof line, stdin)) {
    long sum = 0;
    for (int i = 1; i <= atoi(line); i++) { sum += work_one(i, 3) + work_two(i); probes(i, memory); }
    printf("%ld %d\n", sum, skep_quiet_semaphore);
  }
}
`

let made: { path: string; stripped: string; close(): void } | undefined

/** Compiled once; undefined where there is no C compiler. Call close() at the end of the test file. */
export function subject(): { path: string; stripped: string; close(): void } | undefined {
  if (made !== undefined) return made
  const place = directory()
  const path = join(place.path, 'subject')
  try {
    execFileSync('cc', ['-O1', '-g0', '-o', path, '-x', 'c', '-'], { input: text, stdio: ['pipe', 'pipe', 'pipe'] })
    execFileSync('strip', ['-o', `${path}.stripped`, path])
  } catch {
    place.close()
    return undefined
  }
  return made = { path, stripped: `${path}.stripped`, close: () => place.close() }
}

/** The program, running. */
export class RunningSubject {
  readonly #child: ChildProcess
  #answer: ((line: string) => void) | undefined

  constructor(path: string) {
    this.#child = spawn(path, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.stdout!.on('data', (data) => this.#answer?.(String(data).trim()))
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** Calls its functions so often, and says the sum of what they returned, and the semaphore. */
  calls(times: number): Promise<{ sum: number; semaphore: number }> {
    return new Promise((resolve) => {
      this.#answer = (line) => {
        const [sum, semaphore] = line.split(' ').map(Number)
        resolve({ sum: sum!, semaphore: semaphore! })
      }
      this.#child.stdin!.write(`${times}\n`)
    })
  }

  end(): Promise<void> {
    return new Promise((resolve) => {
      this.#child.once('exit', () => resolve())
      this.#child.stdin!.end()
    })
  }
}
