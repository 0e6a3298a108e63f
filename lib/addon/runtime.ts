/** What runs this program. Electron and NW.js are Node with an event loop of their own around it; Bun and Deno are not. */
export const runtime =
  (['bun', 'deno', 'electron', 'nw'] as const).find(name => name in process.versions) ?? 'node'
