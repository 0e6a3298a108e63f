// Three workers under pm2, of which two convert at a time.
// npx pm2-runtime examples/pm2/ecosystem.config.cjs

module.exports = {
  apps: [
    {
      name: 'convert',
      script: 'worker.mjs',
      cwd: __dirname,
      // Separate processes. `cluster` works as well: a limit has a name, and does not depend on which process started which.
      exec_mode: 'fork',
      instances: 3,
      // pm2 sends SIGINT, and SIGKILL after this many milliseconds; in both cases the permit comes back.
      kill_timeout: 5_000,
      autorestart: false, // use true for a worker that runs for ever
    },
  ],
}
