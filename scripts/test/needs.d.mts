/** What the test files among the arguments of ava need besides a built tree; `peers` undefined: all. */
export function needsOf(args: readonly string[]): {
  peers: readonly string[] | undefined
  profile: 'release' | 'any'
}
