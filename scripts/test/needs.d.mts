/** The needs of the test files among the arguments of ava, besides a built tree; `peers` undefined: all. */
export function needsOf(args: readonly string[]): {
  peers: readonly string[] | undefined
  profile: 'release' | 'any'
}
