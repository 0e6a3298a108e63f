// What a scene is to reach. A target looks at the results of one run and answers `{ what, value, target, met, decides }`.
// A few targets decide whether a change may stay; the others are reported beside them.

/** Targets that decide nothing: they say what to expect, and where a change shows first. */
export function reported(...targets) {
  return targets.map(({ what, judge }) => ({
    what,
    judge: results => ({ ...judge(results), decides: false }),
  }))
}

/** The time of `ours` is at most so many times that of `other`. */
export function ratio(ours, other, atMost) {
  return judge(`${ours} / ${other}`, atMost, results => results[ours]?.median / results[other]?.median)
}

/** `ours` does at least so many times the operations a second of `other`. */
export function throughput(ours, other, atLeast) {
  return {
    what: `${ours} / ${other}, operations a second`,
    judge: results => {
      const value = results[other]?.median / results[ours]?.median
      return verdict(`${ours} / ${other}, operations a second`, value, `>= ${atLeast}`, value >= atLeast)
    },
  }
}

/** `ours` takes at most so many milliseconds more than `other`. */
export function milliseconds(ours, other, atMost) {
  return judge(
    `${ours} - ${other}, ms`,
    atMost,
    results => (results[ours]?.median - results[other]?.median) / 1e6,
  )
}

/** The number that `ours` tells by this name is at most so much. */
export function extra(ours, key, atMost) {
  return judge(`${ours}: ${key}`, atMost, results => results[ours]?.extras?.[key])
}

/** The slowest of `ours` takes at most so many times the fastest of `others`. */
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
  // What a contender that is not there was needed for is no verdict.
  if (value === undefined || Number.isNaN(value))
    return { what, target, value: null, met: null, decides: true }
  return { what, target, value, met, decides: true }
}
