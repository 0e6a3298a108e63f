// The part that all partners share: they report that they are ready, and end with the process that started them.

process.on('disconnect', () => process.exit(0))

/** Reports that the partner is ready, once its work has begun. */
export function ready() {
  process.send('ready')
}
