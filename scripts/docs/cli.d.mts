/** What docs/cli.md has to be. */
export function cliPage(): Promise<string>
