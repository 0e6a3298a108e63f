// Proves that all contenders of a scene did the same work.

/** The differences, a line each: a contender whose operation did not do the scene's work. */
export function differences(scene, results) {
  const { work: expected = 1 } = scene
  const wantedSum =
    results['bare calls']?.sum ?? Object.values(results).find(({ sum }) => sum !== undefined)?.sum
  return Object.entries(results).flatMap(([name, { work, sum, steady, absent }]) => {
    if (absent) return []
    if (!steady) return [`${scene.name}: ${name} did more in one round than in another`]
    if (sum !== undefined && sum !== wantedSum) {
      return [`${scene.name}: ${name} has bytes that add up to ${sum}, and not to ${wantedSum}`]
    }
    const wanted = typeof expected === 'function' ? expected(name) : expected
    return work === wanted ? [] : [`${scene.name}: ${name} did ${work} an operation, and not ${wanted}`]
  })
}
