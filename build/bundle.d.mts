export const root: string
export const dist: string
export const staging: string
export interface BundleOptions { oneFile?: boolean; dir?: string; sourcemap?: boolean; plugins?: unknown[] }
/** Entries: name → path of the source. */
export function bundle(entries: Record<string, string>, options?: BundleOptions): Promise<unknown[]>
/** The plugin that captures kernel functions. */
export function capturePlugin(): Promise<unknown>
