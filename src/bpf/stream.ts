import { allocate, release } from '../sys/memory.ts'
import { command, commandError } from './command.ts'

const streams = { stdout: 1, stderr: 2 } as const
const pieceSize = 16 * 1024

/** Reads what a program wrote into one of its streams (6.17); what was read is gone. @throws SysError: EINVAL on older kernels */
export function readStream(fd: number, stream: keyof typeof streams, name: string): string {
  const memory = allocate(pieceSize)
  const decode = new TextDecoder()
  try {
    let text = ''
    for (;;) {
      const count = command('BPF_PROG_STREAM_READ_BY_FD', 20, (attr) => {
        attr.u64(0, memory.address)
        attr.u32(8, pieceSize)
        attr.u32(12, streams[stream])
        attr.u32(16, fd)
      })
      if (count < 0) throw commandError('BPF_PROG_STREAM_READ_BY_FD', count, `${stream} of program '${name}'`)
      if (count === 0) return text + decode.decode()
      text += decode.decode(memory.u8.slice(0, count), { stream: true })
    }
  } finally {
    release(memory)
  }
}
