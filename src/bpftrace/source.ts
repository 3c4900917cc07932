/** A range of a source text, in characters. */
export interface Span { start: number; end: number }

export interface Position { /** 1-based. */ line: number; /** 1-based. */ column: number }

/** A program text with a name ('stdin' for programs of the command line) and its line starts. */
export class Source {
  readonly name: string
  readonly text: string
  readonly #starts: number[] = [0]

  constructor(name: string, text: string) {
    this.name = name
    this.text = text
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#starts.push(at + 1)
  }

  position(offset: number): Position {
    let low = 0
    let high = this.#starts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#starts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - this.#starts[low]! + 1 }
  }

  /** The text of a line without its end. */
  line(number: number): string {
    const from = this.#starts[number - 1] ?? this.text.length
    const to = this.#starts[number] ?? this.text.length + 1
    return this.text.slice(from, to - 1)
  }
}
