/** A kernel of the matrix: the newest package of a release in one of Debian's suites. */
export interface MatrixKernel {
  /** '6.12': what a person asks for. */
  name: string
  /** Debian suite, oldest that has it; its security updates carry the newest builds. */
  suite: string
  security: boolean
  architecture: 'amd64' | 'arm64'
}

const amd64 = (name: string, suite: string, security = false): MatrixKernel => ({ name, suite, security, architecture: 'amd64' })

/** Oldest first. 7.x is the newest of its suite, whichever that is. */
export const kernels: readonly MatrixKernel[] = [
  amd64('5.10', 'bullseye', true),
  amd64('6.1', 'bookworm', true),
  amd64('6.12', 'trixie', true),
  amd64('6.18', 'trixie-backports'),
  amd64('7', 'trixie-backports'),
]
