// The targets of a scene. A target reads the results of one run and returns `{ what, value, target, met, decides }`.
// A few targets decide whether a change may stay; the others are reported beside them.

/** Targets that decide nothing: they state the expected values, and show a change first. */
export function reported(...targets) {
  return targets.map(({ what, judge }) => ({
    what,
    judge: results => ({ ...judge(results), decides: false }),
  }))
}

/** The time of `ours` is at most `atMost` times that of `other`. */
export function ratio(ours, other, atMost) {
  return judge(`${ours} / ${other}`, atMost, results => results[ours]?.median / results[other]?.median)
}

/** `ours` does at least `atLeast` times the operations a second of `other`. */
export function throughput(ours, other, atLeast) {
  return {
    what: `${ours} / ${other}, operations a second`,
    judge: results => {
      const value = results[other]?.median / results[ours]?.median
      return verdict(`${ours} / ${other}, operations a second`, value, `>= ${atLeast}`, value >= atLeast)
    },
  }
}

/** `ours` takes at most `atMost` milliseconds more than `other`. */
export function milliseconds(ours, other, atMost) {
  return judge(
    `${ours} - ${other}, ms`,
    atMost,
    results => (results[ours]?.median - results[other]?.median) / 1e6,
  )
}

/** An operation of `ours` takes at most `atMost` milliseconds. */
export function takes(ours, atMost) {
  return judge(`${ours}, ms`, atMost, results => results[ours]?.median / 1e6)
}

/** The number that `ours` reports by this name is at most `atMost`. */
export function extra(ours, key, atMost) {
  return judge(`${ours}: ${key}`, atMost, results => results[ours]?.extras?.[key])
}

/** The slowest of `ours` takes at most `atMost` times the fastest of `others`. */
export function worst(what, ours, others, atMost) {
  return judge(what, atMost, results => {
    const slowest = Math.max(...ours.map(name => results[name]?.median))
    return slowest / Math.min(...others.map(name => results[name]?.median))
  })
}

function judge(what, atMost, measure) {
  return {
    what,
    judge: results => {
      const value = measure(results)
      return verdict(what, value, `<= ${atMost}`, value <= atMost)
    },
  }
}

function verdict(what, value, target, met) {
  // A target whose contender is absent gives no verdict.
  if (value === undefined || Number.isNaN(value))
    return { what, target, value: null, met: null, decides: true }
  return { what, target, value, met, decides: true }
}
