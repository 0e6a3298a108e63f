/** Nanoseconds in a form for people. */
export function duration(nanoseconds) {
  if (nanoseconds === undefined || nanoseconds === null) return ''
  if (nanoseconds < 1e3) return `${rounded(nanoseconds)} ns`
  if (nanoseconds < 1e6) return `${rounded(nanoseconds / 1e3)} us`
  return `${rounded(nanoseconds / 1e6)} ms`
}

/** A number with three significant digits. */
export function rounded(number) {
  if (number === 0) return '0'
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(number))))
  return number.toFixed(Math.min(digits, 3))
}
