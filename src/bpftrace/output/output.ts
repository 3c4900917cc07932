import type { Value } from './value.ts'
import type { MapData } from './map-data.ts'

export interface Place { filename: string; line: number; column: number; text: string }

/** What a running script says, in one of the formats. Each call gives the text to be written, its newline included where there is one. */
export interface Output {
  attached(probes: number): string
  printf(text: string): string
  time(text: string): string
  join(text: string): string
  cat(text: string): string
  system(text: string): string
  value(value: Value): string
  map(data: MapData, top: number | null, divisor: bigint | null): string
  lost(count: bigint): string
  /** errorf, warnf. */
  message(kind: 'errorf' | 'warnf', text: string, place: Place): string
  helperError(message: string, helper: string, code: bigint, place: Place): string
  runtimeError(message: string, place: Place): string
  benchmark(name: string, averageNs: bigint, iterations: number): string
  test(name: string, passed: boolean): string
  /** Between the last events and the maps at the end. */
  end(): string
}
