/** Less than the second for which the package waits for its own thread, which may get no processor for longer. */
const PATIENCE = 900

/** Whether this took less time than the package waits for its own thread: what depends on that thread is done by then. */
export async function inTime(act: () => Promise<unknown>): Promise<boolean> {
  const began = performance.now()
  await act()
  return performance.now() - began < PATIENCE
}
