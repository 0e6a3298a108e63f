/** The middle of a list of numbers, or the mean of the two in the middle. */
export function median(numbers) {
  return quantile(numbers, 0.5)
}

/** The quantile: the value that this part of the numbers does not exceed. */
export function quantile(numbers, part) {
  const sorted = numbers.toSorted((a, b) => a - b)
  const place = (sorted.length - 1) * part
  const below = sorted[Math.floor(place)]
  return below + (sorted[Math.ceil(place)] - below) * (place - Math.floor(place))
}
