/** The text that docs/cli.md must have. */
export function cliPage(): Promise<string>
