import { defineConfig, type ViteUserConfigExport } from 'vitest/config';

const config: ViteUserConfigExport = defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/helpers/setup.ts'],
    // Child processes: a crash of the addon is one test file's failure, not the run's end.
    pool: 'forks',
    // Much of the time is spent waiting for processes: a CPU left free for others would halve the speed of two.
    maxWorkers: '100%',
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});

export default config;
