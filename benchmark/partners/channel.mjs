// What all partners do: say that they are ready, and end with the process that started them.

process.on('disconnect', () => process.exit(0))

/** Says that the partner is ready, once its work has begun. */
export function ready() {
  process.send('ready')
}
