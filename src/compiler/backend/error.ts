import { CompileError } from '../errors.ts'

/** What the instruction set or the machine cannot do, at the user's own line. */
export class BackendError extends CompileError {}
