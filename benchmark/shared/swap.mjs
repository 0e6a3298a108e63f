// Two processes swap two permits: each gives back its own and takes that of the other.

/** One half of a hand-over a call: both permits have changed hands after a round trip. */
export function swapping(first, second, how) {
  const limits = [first, second]
  // With a limit, because a blocked thread does not notice that its parent is gone.
  const take = how === 'sync' ? at => limits[at].acquireSync({ timeout: 60_000 }) : at => limits[at].acquire()
  return {
    /** `lead(count)` makes so many round trips; this process has the first permit at the beginning. */
    lead: permit => {
      let mine = permit
      let theirs = 1
      return async count => {
        for (let index = 0; index < count; index += 1) {
          mine.release()
          mine = how === 'sync' ? take(theirs) : await take(theirs)
          theirs = 1 - theirs
        }
      }
    },
    /** The other process, which has the second permit at the beginning, for ever. */
    follow: async permit => {
      let mine = permit
      let theirs = 0
      try {
        for (;;) {
          const next = how === 'sync' ? take(theirs) : await take(theirs)
          mine.release()
          mine = next
          theirs = 1 - theirs
        }
      } catch {
        process.exit(0)
      }
    },
  }
}
