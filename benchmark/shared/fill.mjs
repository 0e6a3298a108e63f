/** The length of the messages and copies: that of the Go library's benchmarks. */
export const BYTES = 146_000

/** Fills with the same bytes in every language. */
export function fill(bytes) {
  for (let index = 0; index < bytes.length; index += 1) bytes[index] = index % 251
  return bytes
}

/** The sum of the bytes. */
export function sum(bytes) {
  let total = 0
  for (const byte of bytes) total += byte
  return total
}
