/** Formats bytes for people: `146 B`, `4 K`, `1.5 M`. */
export function size(bytes: number): string {
  const units = ['B', 'K', 'M', 'G', 'T']
  let at = 0
  let amount = bytes
  while (amount >= 1024 && at < units.length - 1) {
    amount /= 1024
    at += 1
  }
  const digits = amount < 10 && !Number.isInteger(amount) ? 1 : 0
  return `${amount.toFixed(digits)} ${units[at]}`
}

/** A span of time in its largest unit: `12s`, `5m`, `3h`, `9d`. */
export function span(milliseconds: number): string {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000))
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}

/** A key as `ipcs` shows it. */
export function hexKey(key: number): string {
  return `0x${(key >>> 0).toString(16).padStart(8, '0')}`
}

/** Permission bits as `chmod` takes them. */
export function octal(mode: number): string {
  return mode.toString(8).padStart(3, '0')
}

/** A moment: the local time, and how long ago. */
export function moment(when: Date, now: number = Date.now()): string {
  const two = (number: number) => `${number}`.padStart(2, '0')
  const day = `${when.getFullYear()}-${two(when.getMonth() + 1)}-${two(when.getDate())}`
  const time = `${two(when.getHours())}:${two(when.getMinutes())}:${two(when.getSeconds())}`
  return `${day} ${time} (${span(now - when.getTime())} ago)`
}

/** `1 waiter`, `2 waiters`. */
export function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`
}
