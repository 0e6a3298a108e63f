/** The median of some numbers. */
export function median(numbers: readonly number[]): number {
  return quantile(numbers, 0.5)
}

/** The quantile: the given share of the numbers is below it. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[Math.min(Math.floor(sorted.length * share), sorted.length - 1)] ?? 0
}

/** The largest of many numbers. */
export function largest(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => Math.max(a, b), 0)
}

/** Milliseconds with only the digits that matter. */
export function ms(time: number): string {
  return `${time.toFixed(time < 1 ? 2 : 1)} ms`
}

/** Any integer from 0 to `below - 1`. */
export function random(below: number): number {
  return Math.floor(Math.random() * below)
}
