/** Holds the newest `limit` items between two ticks; older ones are dropped and counted. */
export class BoundedQueue<T> {
  readonly limit: number
  /** Dropped since the start. */
  dropped = 0
  private items: T[] = []
  private start = 0

  constructor(limit: number) {
    if (!Number.isInteger(limit) || limit < 1) throw new RangeError(`queue: the limit must be a positive integer, not ${limit}`)
    this.limit = limit
  }

  get size(): number { return this.items.length }

  push(item: T): void {
    if (this.items.length < this.limit) {
      this.items.push(item)
      return
    }
    this.items[this.start] = item
    this.start = (this.start + 1) % this.limit
    this.dropped++
  }

  /** All items, oldest first; the queue is empty afterwards. */
  take(): T[] {
    const items = this.start === 0 ? this.items : [...this.items.slice(this.start), ...this.items.slice(0, this.start)]
    this.items = []
    this.start = 0
    return items
  }
}
