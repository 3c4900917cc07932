/** What a rejection log says, boiled down. */
export interface VerifierFinding {
  /** The sentence that tells why; '' if the log holds none. */
  message: string
  /** Slot of the instruction at fault. */
  slot: number | undefined
  /** Linux 7.3 and later: the kernel's own explanation and advice. */
  reason: string | undefined
  suggestion: string | undefined
}

const instruction = /^\s*(\d+): \([0-9a-f]{2}\)/
/** Lines that accompany a verdict but are not one: state dumps, sources, traces, statistics. */
const companions = [
  instruction,
  /^\s*\d+: R\d/, /^\s*;/, /^\s*$/,
  /^R\d+(_\w+)?=/, /^from \d+ to \d+/, /^\d+: safe$/, /^\s*(frame\d+|caller|callee|cur state|old state|last_idx|regs=|parent )/,
  /^(mark_precise|propagating|returning from|to caller at|func#\d|Func#\d|Live regs before|SCC |BPF:?$)/,
  /^(processed \d+ insns|verification time|stack depth|max_states|insns processed)/,
  /^\s*\d+: [.0-9]{11,}/,
]

/**
 * Finds the useful part of a verifier log of any kernel: up to 7.2 the last line that is neither state, nor source,
 * nor statistics; from 7.3 on the structured report. Never throws: logs of unknown kernels give what they give.
 */
export function readVerifierLog(log: string): VerifierFinding {
  const lines = log.split('\n')
  const report = lines.findLastIndex((line) => line.startsWith('Verification failed:'))
  return report < 0 ? readPlain(lines) : readReport(lines, report)
}

function readPlain(lines: string[]): VerifierFinding {
  const index = lines.findLastIndex((line) => !companions.some((pattern) => pattern.test(line)))
  if (index < 0) return { message: '', slot: undefined, reason: undefined, suggestion: undefined }
  let message = lines[index]!.trim()
  const before = lines[index - 1]?.trim() ?? ''
  // These verdicts end with a consequence whose cause is the line before.
  const consequence = /^(R\d+ .*outside of|invalid bpf_context access|R\d+ offset is outside)/
  if (consequence.test(message) && before !== '' && !companions.some((pattern) => pattern.test(lines[index - 1]!))) {
    message = `${before}; ${message}`
  }
  return { message, slot: slotOf(message) ?? lastInstruction(lines, index), reason: undefined, suggestion: undefined }
}

function readReport(lines: string[], start: number): VerifierFinding {
  const title = lines[start]!.slice('Verification failed:'.length).trim()
  const reason = section(lines, start, 'Reason:')
  const at = section(lines, start, 'At:') ?? ''
  const slot = /\binsn (\d+)/.exec(at)?.[1]
  return {
    message: reason === undefined ? title : `${title}. ${reason}`,
    slot: slot === undefined ? lastInstruction(lines, start) : Number(slot),
    reason,
    suggestion: section(lines, start, 'Suggestion:'),
  }
}

/** The indented lines under a heading, as one line. */
function section(lines: string[], from: number, heading: string): string | undefined {
  const start = lines.indexOf(heading, from)
  if (start < 0) return undefined
  const text: string[] = []
  for (let index = start + 1; index < lines.length && /^\s+\S/.test(lines[index]!); index++) text.push(lines[index]!.trim())
  return text.length === 0 ? undefined : text.join(' ')
}

function slotOf(message: string): number | undefined {
  const found = /\b(?:at insn|insn|from insn) (\d+)/.exec(message)
  return found === null ? undefined : Number(found[1])
}

function lastInstruction(lines: string[], before: number): number | undefined {
  for (let index = before; index >= 0; index--) {
    const found = instruction.exec(lines[index]!)
    if (found !== null) return Number(found[1])
  }
  return undefined
}
