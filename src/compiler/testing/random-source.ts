/**
 * Random kernel functions as TypeScript text: 32-bit numbers, every kind of branch and loop, and a function that is called.
 * Each step is converted by `as i32`, for which plain JavaScript has `| 0`: then both are exact.
 */
export function randomSource(seed: number): { kernel: string; javaScript: string } {
  const kernel = new Writer(seed).module()
  return { kernel, javaScript: kernel.replaceAll(' as i32)', ' | 0)') }
}

class Writer {
  #state: number
  #depth = 0
  #names = 0
  #budget: number
  /** Variables that may be assigned, and names that may only be read. */
  #variables: string[] = []
  #readable: string[] = []
  #inLoop = 0
  #steps = 1

  constructor(seed: number) {
    this.#state = Math.imul(seed + 1, 0x9e3779b1) || 1
    this.#budget = 6 + seed % 25
  }

  /** xorshift32. */
  #below(limit: number): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return (this.#state >>> 0) % limit
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#below(choices.length)]!
  }

  module(): string {
    const inner = this.#function('inner', ['p', 'q'], 3)
    this.#budget = Math.max(this.#budget, 8)
    return `${inner}\nexport ${this.#function('fn', ['a', 'b'], this.#budget, ['inner'])}`
  }

  #function(name: string, params: string[], budget: number, callable: string[] = []): string {
    this.#variables = []
    this.#readable = [...params]
    this.#budget = budget
    this.#steps = 1
    this.#callable = callable
    const body: string[] = []
    for (let index = 0; index < 3; index++) body.push(this.#declare('  '))
    while (this.#budget > 0) body.push(this.#statement('  '))
    body.push(`  return ((${[...this.#variables, ...params].join(' ^ ')}) as i32)`)
    return `function ${name}(${params.join(', ')}) {\n  'use bpf'\n${body.join('\n')}\n}`
  }

  #callable: string[] = []

  #declare(indent: string): string {
    const text = `${indent}let x${this.#names} = (${this.#value()} as i32)`
    this.#variables.push(`x${this.#names++}`)
    return text
  }

  #block(indent: string): string {
    const [variables, readable] = [this.#variables.length, this.#readable.length]
    this.#depth++
    const lines = Array.from({ length: 1 + this.#below(3) }, () => this.#statement(`${indent}  `))
    this.#depth--
    this.#variables.length = variables
    this.#readable.length = readable
    return `{\n${lines.join('\n')}\n${indent}}`
  }

  #statement(indent: string): string {
    this.#budget--
    const kind = this.#below(this.#depth < 3 ? 12 : 5)
    switch (kind) {
      case 0: case 1: case 2: return `${indent}${this.#pick(this.#variables)} = (${this.#value()} as i32)`
      case 3: {
        const variable = this.#pick(this.#variables)
        const operator = this.#pick(['^=', '|=', '&='])
        return `${indent}${variable} ${operator} (${this.#value()} as i32)`
      }
      case 4: {
        const name = `c${this.#names++}`
        const text = `${indent}const ${name} = (${this.#value()} as i32)`
        this.#readable.push(name)
        return text
      }
      case 5: case 6: return `${indent}if (${this.#condition()}) ${this.#block(indent)}`
      case 7: return `${indent}if (${this.#condition()}) ${this.#block(indent)} else ${this.#block(indent)}`
      case 8: return this.#loop(indent)
      case 9: return this.#switch(indent)
      case 10:
        if (this.#inLoop > 0) return `${indent}if (${this.#condition()}) ${this.#pick(['break', 'continue'])}`
        return `${indent}if (${this.#condition()}) return (${this.#value()} as i32)`
      default: return this.#declare(indent)
    }
  }

  #loop(indent: string): string {
    const count = 1 + this.#below(4)
    if (this.#steps * count > 32) return `${indent}${this.#pick(this.#variables)} = (${this.#value()} as i32)`
    const name = `i${this.#names++}`
    const kind = this.#below(3)
    this.#steps *= count
    this.#inLoop++
    this.#readable.push(name)
    const body = this.#block(indent)
    this.#readable.splice(this.#readable.indexOf(name), 1)
    this.#inLoop--
    this.#steps /= count
    if (kind === 0) return `${indent}for (let ${name} = 0; ${name} < ${count}; ${name}++) ${body}`
    if (kind === 1) return `${indent}for (const ${name} of range(${count})) ${body}`
    return `${indent}for (const ${name} of tables[${count}]) ${body}`
  }

  #switch(indent: string): string {
    const cases = Array.from({ length: 1 + this.#below(3) }, (_, index) => `${indent}  case ${index}: ${this.#block(`${indent}  `)}${this.#below(3) > 0 ? ' break' : ''}`)
    const fallback = this.#below(2) === 0 ? [] : [`${indent}  default: ${this.#block(`${indent}  `)}`]
    return `${indent}switch (${this.#value()} & 3) {\n${[...cases, ...fallback].join('\n')}\n${indent}}`
  }

  #value(depth = 0): string {
    const left = () => this.#value(depth + 1)
    if (depth > 2) return this.#leaf()
    switch (this.#below(13)) {
      case 0: case 1: case 2: return `((${left()} ${this.#pick(['+', '-'])} ${left()}) as i32)`
      case 3: return `((${left()} ${this.#pick(['&', '|', '^'])} ${left()}) as i32)`
      case 4: return `((${left()} ${this.#pick(['<<', '>>'])} ${this.#below(32)}) as i32)`
      case 5: return `(((${left()} & 0x7fff) * (${left()} & 0xff)) as i32)`
      case 6: return `((${this.#condition()} ? ${left()} : ${left()}) as i32)`
      case 7: return `((~${left()}) as i32)`
      case 8: return `((-${left()}) as i32)`
      case 9: return `((${left()} >>> ${this.#below(32)}) as i32)`
      case 10: return this.#callable.length === 0 ? this.#leaf() : `${this.#pick(this.#callable)}((${left()} as i32), (${left()} as i32))`
      default: return this.#leaf()
    }
  }

  #condition(depth = 0): string {
    if (depth < 2 && this.#below(4) === 0) return `(${this.#condition(depth + 1)} ${this.#pick(['&&', '||'])} ${this.#condition(depth + 1)})`
    if (this.#below(8) === 0) return `!(${this.#condition(depth + 1)})`
    return `${this.#value(2)} ${this.#pick(['<', '<=', '>', '>=', '===', '!=='])} ${this.#value(2)}`
  }

  #leaf(): string {
    if (this.#below(3) === 0) return `(${this.#pick([0, 1, 2, 3, 7, 255, 4096, -1, -2, 0x7fff_ffff, -0x8000_0000, this.#below(1000)])} as i32)`
    return `(${this.#pick([...this.#variables, ...this.#readable])} as i32)`
  }
}
