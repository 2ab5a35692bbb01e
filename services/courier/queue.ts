/** First in, first out, in constant time: an array that forgets its head in blocks. */
export interface Queue<T> {
  readonly push: (item: T) => void
  readonly shift: () => T | undefined
  readonly peek: () => T | undefined
  readonly size: number
}

export function openQueue<T>(): Queue<T> {
  let items: T[] = []
  let head = 0
  return {
    push: (item) => {
      items.push(item)
    },
    shift: () => {
      if (head === items.length) return undefined
      const item = items[head]
      head += 1
      if (head === items.length) {
        items.length = 0
        head = 0
      } else if (head > 1024 && head * 2 > items.length) {
        items = items.slice(head)
        head = 0
      }
      return item
    },
    peek: () => items[head],
    get size() {
      return items.length - head
    },
  }
}
